import type { Arguments } from "../arguments.js";
import type { Command } from "../commands.js";
import { describeEntry, describeHardState, describeParcel, describeSnapshot } from "../describe.js";
import type { Environment } from "../environment.js";
import { isLocal, type Parcel } from "../parcel.js";

/** What can go wrong with nodes, and with messages between them. */
export const faultCommands: Readonly<Record<string, Command>> = {
  crash: { options: ["lose-unsynced"], run: crash },
  restart: { options: [], run: restart },
  dup: { options: ["from", "to", "type"], run: duplicate },
  reorder: { options: ["to", "order"], run: reorder },
  partition: { options: [], run: partition },
  heal: { options: [], run: heal },
  "fail-snapshot": { options: ["from", "to"], run: failSnapshot },
  "report-snapshot": { options: ["from", "to", "delivered"], run: reportSnapshot },
};

/** `crash ID [lose-unsynced=false]`: the node is gone, and what it had handed to storage is lost, unless storage gets it done. */
function crash(environment: Environment, args: Arguments): void {
  const node = environment.takeDown(args.id(0));
  const isLost = args.text("lose-unsynced", "true") !== "false";
  for (const write of node.unsynced) {
    const verb = isLost ? "lost" : "stored";
    if (write.hardState !== null) environment.printer.line(`${verb} HardState ${describeHardState(write.hardState)}`);
    if (write.snapshot !== null) environment.printer.line(`${verb} Snapshot ${describeSnapshot(write.snapshot)}`);
    for (const entry of write.entries) environment.printer.line(`${verb} ${describeEntry(entry)}`);
  }
  // Nobody is there any more to take the answers.
  if (!isLost) while (node.hasAppendWork) node.processAppend(() => undefined);
}

/** `restart ID`: starts a node again after a crash. */
function restart(environment: Environment, args: Arguments): void {
  const id = args.id(0);
  if (!environment.isDown(id)) throw new Error(`node ${id} is up: crash it first`);
  environment.put(environment.nodeOrRest(id).restarted());
}

/** Those that are on their way between nodes, as the options say. */
function selected(environment: Environment, args: Arguments): Parcel[] {
  const matches = (key: string, value: string | number): boolean => !args.has(key) || args.text(key, "") === String(value);
  return environment.inFlight.filter((parcel) => {
    const { from, to, type } = parcel;
    return !isLocal(parcel) && matches("from", from) && matches("to", to) && matches("type", type);
  });
}

/** `dup [from=ID] [to=ID] [type=NAME]`: each of these messages arrives once more, after all that is on its way now. */
function duplicate(environment: Environment, args: Arguments): void {
  for (const parcel of selected(environment, args)) {
    environment.inFlight.push({ ...parcel });
    environment.printer.line(`again: ${describeParcel(parcel)}`);
  }
}

/** `reorder to=ID [order=(N,…)]`: its messages arrive in this order; by default the last one first. */
function reorder(environment: Environment, args: Arguments): void {
  const before = selected(environment, args);
  const order = args.has("order") ? args.list("order") : before.map((_, at) => before.length - at);
  const after = order.map((place) => {
    const parcel = before[place - 1];
    if (parcel === undefined) throw new Error(`there is no message ${place} among ${before.length}`);
    return parcel;
  });
  if (new Set(after).size !== before.length) throw new Error(`the order must name each of the ${before.length} messages once`);
  const moved = new Set(before);
  environment.inFlight = [...environment.inFlight.filter((parcel) => !moved.has(parcel)), ...after];
  for (const parcel of after) environment.printer.line(describeParcel(parcel));
}

/** `partition ID…`: from now on nothing passes between these nodes and the others. */
function partition(environment: Environment, args: Arguments): void {
  environment.cutOff = new Set(args.ids);
}

/** `heal`: everything passes again. */
function heal(environment: Environment): void {
  environment.cutOff = new Set();
}

/** `fail-snapshot from=ID to=ID`: the snapshot that is on its way is lost, and the sender learns of it. */
function failSnapshot(environment: Environment, args: Arguments): void {
  const to = args.required("to");
  const lost = selected(environment, args).filter(({ type }) => type === "MsgSnap");
  if (lost.length === 0) throw new Error(`no snapshot is on its way to ${to}`);
  for (const parcel of lost) environment.printer.line(`dropped: ${describeParcel(parcel)}`);
  environment.inFlight = environment.inFlight.filter((parcel) => !lost.includes(parcel));
  environment.node(args.required("from")).step({ snapshotReports: [{ peer: to, delivered: false }] });
}

/** `report-snapshot from=ID to=ID [delivered=true]`: the sender learns what became of its snapshot. */
function reportSnapshot(environment: Environment, args: Arguments): void {
  const report = { peer: args.required("to"), delivered: args.flag("delivered") };
  environment.node(args.required("from")).step({ snapshotReports: [report] });
}
