import type { Directive } from "../../data-driven.js";
import { addNodes, addNodesOptions, electionTicks } from "./add-nodes.js";
import { type Arguments, natural } from "./arguments.js";
import { describeEntry, describeParcel, describeProgress, hexadecimal, roleNames } from "./describe.js";
import type { Environment } from "./environment.js";
import { parcelOf } from "./parcel.js";
import type { ConfigurationChange, MemberChange } from "./raft.js";

/** Carries out one directive; what it throws, it prints. */
export interface Command {
  /** The options that it knows. */
  readonly options: readonly string[];
  run(environment: Environment, args: Arguments, directive: Directive): void;
}

const forEachNode = (what: string, process: (environment: Environment, id: number) => void): Command => ({
  options: [],
  run(environment, { ids }) {
    for (const id of ids) {
      if (ids.length === 1) {
        process(environment, id);
      } else {
        environment.printer.line(`> ${id} ${what}`);
        environment.printer.indented(() => process(environment, id));
      }
    }
  },
});

/** A command whose only output is what the nodes log. */
const simple = (options: readonly string[], run: (environment: Environment, args: Arguments) => void): Command => ({ options, run });

function refuse(complaint: string | null): void {
  if (complaint !== null) throw new Error(complaint);
}

/** The commands of etcd's own scenarios. */
export const etcdCommands: Readonly<Record<string, Command>> = {
  "add-nodes": simple(addNodesOptions, (environment, args) => addNodes(environment, args, true)),
  campaign: simple([], (environment, args) => void environment.node(args.id(0)).step({ campaign: true })),
  compact: simple([], compact),
  "deliver-msgs": { options: ["drop", "type"], run: deliver },
  "forget-leader": simple([], forgetLeader),
  "log-level": simple([], (environment, args) => environment.printer.setLevel(args.word(0))),
  "process-append-thread": forEachNode("processing append thread", (environment, id) => environment.processAppend(id)),
  "process-apply-thread": forEachNode("processing apply thread", (environment, id) => environment.processApply(id)),
  "process-ready": forEachNode("handling Ready", (environment, id) => environment.processReady(id)),
  propose: simple([], propose),
  "propose-conf-change": { options: ["v1", "transition"], run: proposeChange },
  "raft-log": simple([], (environment, args) => printLog(environment, args.id(0))),
  "raft-state": simple([], printStates),
  "report-unreachable": simple([], reportUnreachable),
  "send-snapshot": simple([], sendSnapshot),
  "set-randomized-election-timeout": simple(["timeout"], checkElectionTimeout),
  stabilize: simple(["log-level"], stabilize),
  status: simple([], printStatus),
  "tick-election": simple([], (environment, args) => tick(environment, args.id(0), "electionTicks")),
  "tick-heartbeat": simple([], (environment, args) => tick(environment, args.id(0), "heartbeatTicks")),
  "transfer-leadership": simple(["from", "to"], (environment, args) => {
    environment.node(args.required("from")).step({ transferTo: args.required("to") });
  }),
};

function compact(environment: Environment, args: Arguments): void {
  const node = environment.node(args.id(0));
  node.compact(args.id(1));
  printLog(environment, node.id);
}

function deliver(environment: Environment, args: Arguments, directive: Directive): void {
  // In the order in which they are written.
  const recipients = directive.args.flatMap(({ key, values }) => {
    if (values.length === 0) return [{ id: natural(key), drop: false }];
    return key === "drop" ? values.map((value) => ({ id: natural(value), drop: true })) : [];
  });
  if (environment.deliver(args.text("type", ""), recipients) === 0) environment.printer.line("no messages");
}

function forgetLeader(environment: Environment, args: Arguments): void {
  const node = environment.node(args.id(0));
  if (node.settings.options.leaseReads === true && node.status.role === "follower") {
    environment.printer.log({ level: "ERROR", text: "ignoring MsgForgetLeader due to ReadOnlyLeaseBased" });
  }
  node.step({ forgetLeader: true });
}

function propose(environment: Environment, args: Arguments): void {
  const data = new TextEncoder().encode(args.word(1));
  refuse(environment.node(args.id(0)).propose({ kind: "command", data }));
}

const changeTypes: Readonly<Record<string, MemberChange["type"]>> = { v: "addVoter", l: "addLearner", r: "removeNode", u: "updateNode" };

function proposeChange(environment: Environment, args: Arguments, { input }: Directive): void {
  const transition = args.text("transition", "auto");
  if (transition !== "auto" && transition !== "implicit" && transition !== "explicit") throw new Error(`unknown transition ${transition}`);
  const changes = input.flatMap((line) => line.split(/\s+/).filter(Boolean)).map(parseChange);
  const isV1 = args.flag("v1");
  if (isV1 && (changes.length !== 1 || transition !== "auto")) {
    throw new Error("v1 conf change can only have one operation and no transition");
  }
  const change: ConfigurationChange = { transition, changes };
  refuse(environment.node(args.id(0)).propose({ kind: "change", change, isV1 }));
}

function parseChange(word: string): MemberChange {
  const type = changeTypes[word.charAt(0)];
  if (type === undefined) throw new Error(`unknown input: ${word}`);
  return { type, nodeId: natural(word.slice(1)) };
}

function printLog(environment: Environment, id: number): void {
  const { printer } = environment;
  const { firstIndex, lastIndex, entries } = environment.node(id).parts.storage;
  if (entries.length === 0) printer.write(`log is empty: first index=${firstIndex}, last index=${lastIndex}`);
  for (const entry of entries) printer.line(describeEntry(entry));
}

function printStates(environment: Environment): void {
  for (const node of environment.nodes) {
    const { id, role, configuration, currentTerm, leaderId } = node.status;
    const isVoter = configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
    environment.printer.line(`${id}: ${roleNames[role]} (${isVoter ? "Voter" : "Non-Voter"}) Term:${currentTerm} Lead:${leaderId}`);
  }
}

function printStatus(environment: Environment, args: Arguments): void {
  for (const progress of environment.node(args.id(0)).status.progress) {
    environment.printer.line(`${progress.id}: ${describeProgress(progress)}`);
  }
}

function reportUnreachable(environment: Environment, args: Arguments): void {
  const node = environment.node(args.id(0));
  const { role, progress } = node.status;
  const peer = args.id(1);
  if (role === "leader" && !progress.some(({ id }) => id === peer)) {
    environment.printer.log({ level: "DEBUG", text: `${hexadecimal(node.id)} no progress available for ${hexadecimal(peer)}` });
  }
  node.step({ unreachable: [peer] });
}

function sendSnapshot(environment: Environment, args: Arguments): void {
  const node = environment.node(args.id(0));
  const { currentTerm: term } = node.status;
  const snapshot = node.parts.machine.latest;
  const parcel = parcelOf({ type: "InstallSnapshot", group: 0, from: node.id, to: args.id(1), term, snapshot });
  environment.inFlight.push(parcel);
  environment.printer.write(describeParcel(parcel));
}

function checkElectionTimeout(environment: Environment, args: Arguments): void {
  const timeout = electionTicks + environment.node(args.id(0)).parts.random.drawn;
  // Whoever replays has read ahead, so the core has drawn just this.
  if (timeout !== args.required("timeout")) throw new Error(`the election timeout is ${timeout}, and cannot be changed any more`);
}

function stabilize(environment: Environment, args: Arguments): void {
  const ids = args.words.length > 0 ? args.ids : environment.nodes.map(({ id }) => id);
  const { level } = environment.printer;
  environment.printer.setLevel(args.text("log-level", level));
  try {
    environment.stabilize(ids);
  } finally {
    environment.printer.setLevel(level);
  }
}

function tick(environment: Environment, id: number, count: "electionTicks" | "heartbeatTicks"): void {
  const node = environment.node(id);
  for (let ticks = node.settings.options[count] ?? 0; ticks > 0; ticks--) node.tick();
}
