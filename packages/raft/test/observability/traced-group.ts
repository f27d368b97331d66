import {
  type ApplyRange,
  type Configuration,
  createStateTrace,
  type Message,
  RaftCore,
  type RaftInput,
  type RaftOutput,
  type StateTrace,
  type StateTraceEvent,
} from "../../src/index.js";
import { Disk } from "../property/disk.js";
import { Seeded } from "../property/seeded.js";

/** One replica that is traced, each message and each completion in a step of its own. */
export class TracedReplica {
  readonly id: number;
  readonly disk = new Disk();
  core: RaftCore;
  trace: StateTrace;
  apply: ApplyRange | null = null;
  #durable: number | null = null;
  readonly #configuration: Configuration;
  readonly #write: (line: string) => void;

  constructor(id: number, configuration: Configuration, write: (line: string) => void) {
    this.id = id;
    this.#configuration = configuration;
    this.#write = write;
    [this.core, this.trace] = this.#start();
  }

  /** All that is on the disk is there; nothing is lost. */
  restart(): void {
    this.apply = null;
    this.#durable = null;
    this.disk.crash(0);
    [this.core, this.trace] = this.#start();
  }

  #start(): [RaftCore, StateTrace] {
    const { hardState, durable } = this.disk;
    const { compactedIndex, lastIndex } = durable;
    const log = { compactedIndex, lastIndex, terms: durable.terms(), commitIndex: hardState.commitIndex, appliedIndex: compactedIndex };
    const start = { id: this.id, group: 0, hardState, configuration: this.#configuration, log };
    const trace = createStateTrace(start, this.#write);
    const options = { preVote: false, electionTicks: 5, appendBytesMax: 40 };
    return [new RaftCore(start, options, new Seeded(this.id), trace.sink), trace];
  }

  step(input: RaftInput): readonly Message[] {
    const output: RaftOutput = this.core.step(input);
    this.trace.stepped(input, output);
    // A write without a flush is durable as soon as those before it are.
    if (output.write !== null) this.#durable = this.disk.push(output.write) ?? this.#durable;
    if (output.apply !== null) this.apply = output.apply;
    return output.messages;
  }

  /** The disk and the state machine finish what they have. */
  finish(): Message[] {
    const messages: Message[] = [];
    if (this.#durable !== null) {
      const durableSequence = this.#durable;
      this.#durable = null;
      messages.push(...this.step({ durableSequence }));
    }
    for (let done = this.disk.complete(); done !== null; done = this.disk.complete()) {
      messages.push(...this.step({ durableSequence: done.sequence }));
    }
    if (this.apply !== null) {
      const { from, to, entries } = this.apply;
      this.apply = null;
      const applied = entries ?? this.disk.view.slice(from, to);
      const configurations = applied.filter(({ kind }) => kind === "configuration" || kind === "founding");
      messages.push(...this.step({ applied: { index: to, configurations } }));
    }
    return messages;
  }
}

/** A group whose trace is one file. */
export class TracedGroup {
  readonly lines: string[] = [];
  readonly #events: StateTraceEvent[] = [];
  readonly replicas: readonly TracedReplica[];
  filter: (message: Message) => boolean = () => true;

  constructor(founders: readonly number[], others: readonly number[] = []) {
    const configuration = { voters: founders, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const nobody = { ...configuration, voters: [] };
    const write = (line: string): void => {
      this.lines.push(line);
      this.#events.push((JSON.parse(line) as { event: StateTraceEvent }).event);
    };
    this.replicas = [...founders, ...others].map((id) => new TracedReplica(id, founders.includes(id) ? configuration : nobody, write));
  }

  at(id: number): TracedReplica {
    const replica = this.replicas.find((one) => one.id === id);
    if (replica === undefined) throw new Error(`there is no replica ${id}`);
    return replica;
  }

  /** Gives one an input, and lets everything come to rest. */
  run(id: number, input: RaftInput): void {
    let pending = [...this.at(id).step(input)];
    for (let round = 0; round < 200; round++) {
      for (const replica of this.replicas) pending.push(...replica.finish());
      if (pending.length === 0) return;
      const batch = pending;
      pending = [];
      for (const message of batch) if (this.filter(message)) pending.push(...this.at(message.to).step({ messages: [message] }));
    }
    throw new Error("the group does not come to rest");
  }

  events(): readonly StateTraceEvent[] {
    return this.#events;
  }
}
