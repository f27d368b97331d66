import type { Random } from "@octopii/interfaces";
import {
  type Entry,
  type Message,
  RaftCore,
  type RaftCoreOptions,
  type RaftInput,
  type RaftOutput,
  type TraceEvent,
} from "../../src/index.js";

/** Always the shortest timeout, plus one tick per id, so that tests know who campaigns first. */
const fixedRandom = (value: number): Random => ({
  uint32: () => value,
  bytes: (length) => new Uint8Array(length),
  fork: () => fixedRandom(value),
});

/** One replica with its disk and state machine in memory; nothing happens by itself. */
export class TestReplica {
  readonly id: number;
  core: RaftCore;
  readonly trace: TraceEvent[] = [];
  readonly disk: { entries: Entry[]; hardState: { currentTerm: number; votedFor: number; commitIndex: number } };
  readonly applied: Entry[] = [];
  readonly reads: { id: number; index: number | null }[] = [];
  /** Writes that the test has not yet made durable. */
  readonly writes: NonNullable<RaftOutput["write"]>[] = [];
  last: RaftOutput | null = null;
  readonly #voters: readonly number[];
  readonly #options: RaftCoreOptions;

  constructor(id: number, voters: readonly number[], options: RaftCoreOptions) {
    this.id = id;
    this.#voters = voters;
    this.#options = options;
    this.disk = { entries: [], hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 } };
    this.core = this.#boot();
  }

  /** Loses what was not durable, as a crash does. */
  restart(): void {
    this.writes.length = 0;
    this.applied.length = 0;
    this.core = this.#boot();
  }

  #boot(): RaftCore {
    const { entries, hardState } = this.disk;
    const terms = [{ firstIndex: 0, term: 0 }];
    for (const { index, term } of entries) if (term !== terms[terms.length - 1]?.term) terms.push({ firstIndex: index, term });
    return new RaftCore(
      {
        id: this.id,
        group: 0,
        hardState: { ...hardState },
        configuration: { voters: this.#voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
        log: { compactedIndex: 0, lastIndex: entries.length, terms, commitIndex: hardState.commitIndex, appliedIndex: 0 },
      },
      this.#options,
      fixedRandom(this.id),
      (event) => this.trace.push(event),
    );
  }

  /** Steps, keeps the write back, applies at once. @returns the messages that are free to go. */
  step(input: RaftInput): Message[] {
    const output = this.core.step(input);
    this.last = output;
    const messages = [...output.messages];
    if (output.write !== null) this.writes.push(output.write);
    this.reads.push(...output.reads);
    for (const { peer, from, to, maxBytes } of output.fetch) {
      messages.push(...this.step({ fetched: [{ peer, from, entries: this.#read(from, to, maxBytes) }] }));
    }
    if (output.apply !== null) {
      const { from, to, entries } = output.apply;
      this.applied.push(...(entries ?? this.disk.entries.slice(from - 1, to)));
      messages.push(...this.step({ appliedIndex: to }));
    }
    return messages;
  }

  #read(from: number, to: number, maxBytes: number): Entry[] {
    let bytes = 0;
    return this.disk.entries.slice(from - 1, to).filter(({ data, index }) => {
      bytes += data.length;
      return bytes <= maxBytes || index === from;
    });
  }

  /** Makes the oldest `count` writes durable. @returns the messages that this sets free. */
  flush(count: number = this.writes.length): Message[] {
    const messages: Message[] = [];
    for (const write of this.writes.splice(0, count)) {
      const first = write.entries[0];
      if (first !== undefined) this.disk.entries.splice(first.index - 1, Number.POSITIVE_INFINITY, ...write.entries);
      if (write.hardState !== null) this.disk.hardState = write.hardState;
      messages.push(...this.step({ durableSequence: write.sequence }));
    }
    return messages;
  }
}

/** A few replicas and a network in between that delivers everything, unless told otherwise. */
export class TestCluster {
  readonly replicas: Map<number, TestReplica>;
  /** Answers whether a message gets through. */
  filter: (message: Message) => boolean = () => true;

  constructor(size: number, options: RaftCoreOptions = {}) {
    const ids = Array.from({ length: size }, (_, i) => i + 1);
    this.replicas = new Map(ids.map((id) => [id, new TestReplica(id, ids, options)]));
  }

  at(id: number): TestReplica {
    const replica = this.replicas.get(id);
    if (replica === undefined) throw new Error(`no replica ${id}`);
    return replica;
  }

  cut(...ids: number[]): void {
    this.filter = ({ from, to }) => ids.includes(from) === ids.includes(to);
  }

  heal(): void {
    this.filter = () => true;
  }

  /** Gives one replica an input, then lets disks and network run until nothing is left to do. */
  run(id: number, input: RaftInput): void {
    this.settle(this.at(id).step(input));
  }

  settle(messages: readonly Message[]): void {
    let pending = [...messages];
    for (let round = 0; ; round++) {
      if (round > 1000) throw new Error("the cluster does not come to rest");
      for (const replica of this.replicas.values()) pending.push(...replica.flush());
      if (pending.length === 0) return;
      const batch = pending;
      pending = [];
      for (const message of batch) if (this.filter(message)) pending.push(...this.at(message.to).step({ messages: [message] }));
    }
  }

  /** Time passes for all at once. */
  tick(ticks: number): void {
    for (let i = 0; i < ticks; i++) for (const id of this.replicas.keys()) this.run(id, { ticks: 1 });
  }

  elect(id: number): TestReplica {
    this.run(id, { campaign: true });
    return this.at(id);
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const texts = (entries: readonly Entry[]): string[] =>
  entries.filter(({ kind }) => kind === "command").map(({ data }) => new TextDecoder().decode(data));
