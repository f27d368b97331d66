import { describeParcel } from "./describe.js";
import { isLocal, type Parcel } from "./parcel.js";
import { Printer } from "./printer.js";
import { describeReady } from "./ready.js";
import type { ScenarioNode } from "./scenario-node.js";
import { ScriptedRandom } from "./scripted-random.js";

/** Somebody whose messages are delivered, or dropped. */
export interface Recipient {
  readonly id: number;
  readonly drop: boolean;
}

/** The nodes of one scenario, and what is on its way between them. */
export class Environment {
  readonly printer: Printer = new Printer();
  /** By id, from 1. */
  readonly #nodes: ScenarioNode[] = [];
  readonly #down = new Set<number>();
  readonly #randoms = new Map<number, ScriptedRandom>();
  /** In the order in which they were sent. */
  inFlight: Parcel[] = [];
  /** One side of a partition; messages from one side to the other are lost when they would arrive. */
  cutOff: ReadonlySet<number> = new Set();

  /** Those that are up. */
  get nodes(): readonly ScenarioNode[] {
    return this.#nodes.filter(({ id }) => !this.#down.has(id));
  }

  /** How many there ever were. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Adds a node, or puts it in the place of the one with its id. */
  put(node: ScenarioNode): void {
    if (node.id < 1 || node.id > this.#nodes.length + 1) throw new Error(`node ${node.id} is out of turn`);
    this.#nodes[node.id - 1] = node;
    this.#down.delete(node.id);
  }

  /** The node is gone; what it had said to itself is too. @returns it. */
  takeDown(id: number): ScenarioNode {
    const node = this.node(id);
    this.#down.add(id);
    this.inFlight = this.inFlight.filter((parcel) => parcel.to !== id || !isLocal(parcel));
    return node;
  }

  isDown(id: number): boolean {
    return this.#down.has(id);
  }

  /** @throws if it is not there, or down. */
  node(id: number): ScenarioNode {
    if (this.#down.has(id)) throw new Error(`node ${id} is down`);
    return this.nodeOrRest(id);
  }

  /** The node, or what is left of it. */
  nodeOrRest(id: number): ScenarioNode {
    const node = this.#nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** The same as long as the scenario lasts, whether the node is there yet or not. */
  randomOf(id: number): ScriptedRandom {
    const random = this.#randoms.get(id) ?? new ScriptedRandom();
    this.#randoms.set(id, random);
    return random;
  }

  processReady(id: number): void {
    const messages = this.node(id).processReady((ready) => this.printer.write(describeReady(ready)));
    this.inFlight.push(...messages);
  }

  processAppend(id: number): void {
    this.#processWork("append", (show) => this.node(id).processAppend(show));
  }

  processApply(id: number): void {
    this.#processWork("apply", (show) => this.node(id).processApply(show));
  }

  #processWork(thread: string, process: (show: (work: Parcel) => void) => boolean): void {
    const answers: Parcel[] = [];
    const isDone = process((work) => {
      this.printer.line(`Processing:\n${describeParcel(work, false)}`);
      answers.push(...work.responses);
    });
    if (!isDone) return this.printer.write(`no ${thread} work to perform`);
    this.printer.line("Responses:");
    for (const answer of answers) this.printer.line(describeParcel(answer));
    this.inFlight.push(...answers);
  }

  /** @param type - etcd's name; empty for all. @returns how many were delivered or dropped. */
  deliver(type: string, recipients: readonly Recipient[]): number {
    let count = 0;
    for (const { id, drop } of recipients) {
      const wanted = this.#waitingFor(id, type, drop);
      this.inFlight = this.inFlight.filter((parcel) => !wanted.has(parcel));
      for (const parcel of wanted) {
        const isLost = drop || this.#down.has(id) || this.#isCutOff(parcel);
        this.printer.line(`${isLost ? "dropped: " : ""}${describeParcel(parcel)}`);
        if (!isLost) this.#deliverOne(parcel, id);
      }
      count += wanted.size;
    }
    return count;
  }

  /** Messages within a node are not lost. */
  #waitingFor(id: number, type: string, drop: boolean): Set<Parcel> {
    const isWanted = (parcel: Parcel): boolean => parcel.to === id && (type === "" || parcel.type === type) && !(drop && isLocal(parcel));
    return new Set(this.inFlight.filter(isWanted));
  }

  #isCutOff({ from, to }: Parcel): boolean {
    return typeof from === "number" && typeof to === "number" && this.cutOff.has(from) !== this.cutOff.has(to);
  }

  #deliverOne(parcel: Parcel, id: number): void {
    const complaint = this.node(id).receive(parcel);
    if (complaint !== null) this.printer.line(complaint);
  }

  /** Lets the nodes work and talk until there is nothing left to do. */
  stabilize(ids: readonly number[]): void {
    for (let isDone = false; !isDone; ) {
      isDone = true;
      const work = (id: number, what: string, run: () => void): void => {
        isDone = false;
        this.printer.line(`> ${id} ${what}`);
        run();
      };
      for (const id of ids) {
        if (this.node(id).hasReady) work(id, "handling Ready", () => this.printer.indented(() => this.processReady(id)));
      }
      for (const id of ids) {
        if (this.#waitingFor(id, "", false).size === 0) continue;
        work(id, "receiving messages", () => this.printer.indented(() => this.deliver("", [{ id, drop: false }])));
      }
      for (const id of ids) {
        const node = this.node(id);
        if (!node.hasAppendWork) continue;
        work(id, "processing append thread", () => {
          while (node.hasAppendWork) this.printer.indented(() => this.processAppend(id));
        });
      }
      for (const id of ids) {
        const node = this.node(id);
        if (!node.hasApplyWork) continue;
        work(id, "processing apply thread", () => {
          while (node.hasApplyWork) this.printer.indented(() => this.processApply(id));
        });
      }
    }
  }
}
