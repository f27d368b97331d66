import type { Random } from "@octopii/interfaces";
import {
  type ApplyRange,
  type ChangeResult,
  type Configuration,
  type Entry,
  type FetchRequest,
  type HardState,
  type LogWrite,
  type Message,
  type ProposalResult,
  RaftCore,
  type RaftCoreOptions,
  type RaftInput,
  type RaftOutput,
  type RaftStatus,
  type ReadReady,
  type SnapshotMetadata,
  type TraceEvent,
} from "../../src/index.js";
import { TestDisk } from "./disk.js";

/** Always the same number: election timeouts are `electionTicks + value`, so tests know who campaigns first. */
const fixedRandom = (value: number): Random => ({
  uint32: () => value,
  bytes: (length) => new Uint8Array(length),
  fork: () => fixedRandom(value),
});

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = ({ data }: Entry): string => new TextDecoder().decode(data);
/** The commands among `entries`, as text. */
export const texts = (entries: readonly Entry[]): string[] => entries.filter(({ kind }) => kind === "command").map(text);

export const group = (voters: readonly number[], parts: Partial<Configuration> = {}): Configuration => ({
  voters,
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
  ...parts,
});

/** What a replica finds on its disk when a test begins. */
export interface Setup {
  readonly options?: RaftCoreOptions;
  /** Default: voters 1, 2 and 3. */
  readonly configuration?: Configuration;
  /** The terms of the entries in its log, from index 1 on. Each entry's text is `term.index`. */
  readonly log?: readonly number[];
  readonly hardState?: Partial<HardState>;
  readonly random?: Random;
}

/** One replica with its disk and state machine in memory; nothing happens by itself, except that what is committed gets applied. */
export class TestReplica {
  readonly id: number;
  readonly disk: TestDisk = new TestDisk();
  core: RaftCore;
  readonly trace: TraceEvent[] = [];
  /** Writes that the test has not yet made durable. */
  readonly writes: LogWrite[] = [];
  /** Entries that this process has applied. */
  readonly applied: Entry[] = [];
  /** What the state machine has become: every command it has seen, by itself or through a snapshot. */
  state: string[] = [];
  readonly reads: ReadReady[] = [];
  proposed: ProposalResult | null = null;
  changed: ChangeResult | null = null;
  /** This node's clock, in ticks. */
  now = 0;
  /** While true, the state machine keeps the ranges that it is given in `applying`, until {@link finishApply}. */
  holdApply = false;
  applying: ApplyRange | null = null;
  /** While true, snapshots that were installed are kept in `restoring`, until {@link finishRestore}. */
  holdRestore = false;
  readonly restoring: SnapshotMetadata[] = [];
  /** While true, reads for followers that are behind are kept in `fetches`. */
  holdFetches = false;
  readonly fetches: FetchRequest[] = [];
  readonly #setup: Setup;

  constructor(id: number, setup: Setup = {}) {
    this.id = id;
    this.#setup = setup;
    const log = setup.log ?? [];
    this.disk.entries = log.map((term, at) => ({ index: at + 1, term, kind: "command", data: bytes(`${term}.${at + 1}`) }));
    this.disk.hardState = { currentTerm: log[log.length - 1] ?? 0, votedFor: 0, commitIndex: 0, ...setup.hardState };
    this.core = this.#boot();
    this.step({});
  }

  /** A crash: what was not durable is lost. */
  restart(): void {
    this.writes.length = 0;
    this.applied.length = 0;
    this.applying = null;
    this.restoring.length = 0;
    this.fetches.length = 0;
    this.core = this.#boot();
    this.step({});
  }

  #boot(): RaftCore {
    const { configuration = group([1, 2, 3]), options = {}, random = fixedRandom(this.id) } = this.#setup;
    const { start, state } = this.disk.start(this.id, configuration);
    this.state = [...state];
    return new RaftCore(start, options, random, (event) => this.trace.push(event));
  }

  get status(): RaftStatus {
    return this.core.status();
  }

  /** What the leader knows of a member. */
  progress(id: number): RaftStatus["progress"][number] {
    const progress = this.status.progress.find((peer) => peer.id === id);
    if (progress === undefined) throw new Error(`replica ${this.id} follows no progress of ${id}`);
    return progress;
  }

  /** Trace events of one type. */
  traced<Type extends TraceEvent["type"]>(type: Type): (TraceEvent & { type: Type })[] {
    return this.trace.filter((event): event is TraceEvent & { type: Type } => event.type === type);
  }

  /** Steps, keeps the write back, applies and fetches at once. @returns the messages that are free to go. */
  step(input: RaftInput): Message[] {
    const output = this.core.step({ now: this.now, ...input });
    if (output.write !== null) this.writes.push(output.write);
    this.reads.push(...output.reads);
    if (output.proposed !== null) this.proposed = output.proposed;
    if (output.changed !== null) this.changed = output.changed;
    return [...output.messages, ...this.#fetch(output), ...this.#apply(output)];
  }

  receive(...messages: Message[]): Message[] {
    return this.step({ messages });
  }

  /** Receives, makes everything durable. @returns all that it has to say. */
  answer(...messages: Message[]): Message[] {
    return [...this.receive(...messages), ...this.flush()];
  }

  #fetch({ fetch }: RaftOutput): Message[] {
    this.fetches.push(...fetch);
    return this.holdFetches ? [] : this.finishFetches();
  }

  finishFetches(): Message[] {
    const requests = this.fetches.splice(0);
    return requests.flatMap(({ peer, from, to, maxBytes }) =>
      this.step({ fetched: [{ peer, from, entries: this.disk.read(from, to, maxBytes) }] }),
    );
  }

  #apply({ apply }: RaftOutput): Message[] {
    if (apply === null) return [];
    this.applying = apply;
    return this.holdApply ? [] : this.finishApply();
  }

  /** What the state machine makes of the range that it works on. Nothing is told to the core yet. */
  applyNow(): NonNullable<RaftInput["applied"]> {
    if (this.applying === null) throw new Error(`replica ${this.id} applies nothing`);
    const { from, to, entries } = this.applying;
    this.applying = null;
    const applied = entries ?? this.disk.read(from, to, Number.POSITIVE_INFINITY);
    this.applied.push(...applied);
    this.state.push(...texts(applied));
    return { index: to, configurations: applied.filter(({ kind }) => kind === "configuration" || kind === "founding") };
  }

  finishApply(): Message[] {
    return this.step({ applied: this.applyNow() });
  }

  /** Makes the oldest `count` writes durable. @returns the messages that this sets free. */
  flush(count: number = this.writes.length): Message[] {
    const messages: Message[] = [];
    for (const write of this.writes.splice(0, count)) {
      this.disk.write(write);
      messages.push(...this.step({ durableSequence: write.sequence }));
      if (write.snapshot !== null) {
        this.restoring.push(write.snapshot);
        if (!this.holdRestore) messages.push(...this.finishRestore());
      }
    }
    return messages;
  }

  /** The state machine becomes what the oldest snapshot in `restoring` holds. Nothing is told to the core yet. */
  restoreNow(): number {
    const snapshot = this.restoring.shift();
    const stored = snapshot === undefined ? undefined : this.disk.snapshotAt(snapshot.index);
    if (stored === undefined) throw new Error(`replica ${this.id} has no snapshot to restore`);
    this.state = [...stored.state];
    return stored.metadata.index;
  }

  finishRestore(): Message[] {
    return this.step({ restoredIndex: this.restoreNow() });
  }

  /** Takes a snapshot of the state machine. @param compactTo - up to where entries may go; default: not at all. */
  takeSnapshot(compactTo = 0): Message[] {
    const metadata = this.core.describeSnapshot();
    if (metadata === null) throw new Error(`replica ${this.id} has nothing to take a snapshot of`);
    this.disk.snapshots.push({ metadata, state: [...this.state] });
    const messages = this.step({ snapshot: metadata, ...(compactTo > 0 && { compactTo }) });
    this.disk.compact(compactTo);
    return messages;
  }
}
