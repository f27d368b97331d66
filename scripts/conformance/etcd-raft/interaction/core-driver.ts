import { logLinesOf } from "./log-lines/log-lines.js";
import { mergeWrites } from "./memory-storage.js";
import { type AppendRequest, type Parcel, parcelOf, selfAppendResponse, selfVote } from "./parcel.js";
import type { LogLine } from "./printer.js";
import {
  type Entry,
  type Index,
  type LogWrite,
  type Message,
  RaftCore,
  type RaftCoreOptions,
  type RaftCoreStart,
  type RaftInput,
  type RaftOutput,
  type Random,
  type ReadReady,
  type TraceEvent,
} from "./raft.js";
import type { ReplicaView } from "./replica-view.js";

/** What a core has put out since it was last asked. */
export interface Outbox {
  /** Messages that may go at once. */
  readonly free: readonly Parcel[];
  /** Messages that wait for the write, those to the node itself included. */
  readonly afterAppend: readonly Parcel[];
  readonly write: AppendRequest;
  /** The last write in it. */
  readonly sequence: number;
  readonly reads: readonly ReadReady[];
}

/** How a core is driven. */
export interface Driving {
  /**
   * Does as etcd where our core departs from it on purpose: requests for votes go before the node's own vote is durable, where our core holds
   * them back (see `LogWrite.releases`), and ballots tell nothing of what is committed.
   */
  readonly isLikeEtcd: boolean;
  /** Takes what the core has to say. */
  readonly log: (line: LogLine) => void;
  /** Gives entries of the node's storage. */
  readonly read: (from: Index, to: Index) => readonly Entry[];
}

const nothingToWrite: AppendRequest = { hardState: null, entries: [], snapshot: null };

/** Steps one core, one event at a time, and sorts what comes out of it in the way of etcd. */
export class CoreDriver {
  readonly view: ReplicaView;
  /** The node's clock, in ticks. */
  now = 0;
  readonly #core: RaftCore;
  readonly #driving: Driving;
  /** Promises that the write let go already; the core lets them go once more when the write is durable. */
  readonly #released = new Set<Message>();
  #free: Parcel[] = [];
  #afterAppend: Parcel[] = [];
  #write: AppendRequest = nothingToWrite;
  #reads: ReadReady[] = [];
  #lastSequence = 0;
  #durableSequence = 0;
  #handedOutIndex: Index;
  /** Last indexes of what the leader appended in this step. */
  #ownAppends: Index[] = [];
  #cause: Message | null = null;
  #isFromStranger = false;

  constructor(start: RaftCoreStart, options: RaftCoreOptions, random: Random, view: ReplicaView, driving: Driving) {
    this.view = view;
    this.#driving = driving;
    this.#handedOutIndex = start.log.appliedIndex;
    this.#core = new RaftCore(start, options, random, (event) => this.#onTrace(event));
    // What a restart finds committed is given out in the first step.
    this.step({});
  }

  get status(): ReturnType<RaftCore["status"]> {
    return this.#core.status();
  }

  get hasOutput(): boolean {
    const { hardState, entries, snapshot } = this.#write;
    const writes = hardState !== null || entries.length > 0 || snapshot !== null;
    return writes || this.#free.length + this.#afterAppend.length + this.#reads.length > 0;
  }

  step(input: RaftInput): RaftOutput {
    const output = this.#core.step({ ...input, now: this.now });
    for (const message of output.messages) if (!this.#released.delete(message)) this.#free.push(this.#parcelOf(message));
    if (output.write !== null) this.#merge(output.write);
    if (output.apply !== null) this.#handOut(output.apply.to, output.apply.entries);
    this.#reads.push(...output.reads);
    this.view.compare(this.status);
    for (const { peer, from, to } of output.fetch) this.step({ fetched: [{ peer, from, entries: this.#driving.read(from, to) }] });
    return output;
  }

  /** @returns false if it came from nobody that the node knows. */
  receive(message: Message): boolean {
    this.#cause = message;
    this.#isFromStranger = false;
    this.step({ messages: [message] });
    this.#cause = null;
    return !this.#isFromStranger;
  }

  /** Something that the harness has to send in the core's place. */
  send(parcel: Parcel): void {
    this.#free.push(parcel);
  }

  /** Storage has done everything up to the write `sequence`. */
  reportDurable(sequence: number): void {
    if (sequence <= this.#durableSequence) return;
    this.#durableSequence = sequence;
    this.step({ durableSequence: sequence });
  }

  /** Everything up to the entry at `index` was applied. Reports no more at once than the core has given out. */
  applyThrough(index: Index): void {
    // A snapshot takes the place of it all.
    if (this.view.log.snapshot !== null) return;
    for (let { appliedIndex } = this.status; appliedIndex < index; ) {
      const to = Math.min(index, this.#handedOutIndex);
      if (to <= appliedIndex) throw new Error(`${index} is applied, but the core gave out ${this.#handedOutIndex}`);
      const applied = this.view.log.slice(appliedIndex + 1, to);
      const configurations = applied.filter(({ kind }) => kind === "configuration" || kind === "founding");
      this.step({ applied: { index: to, configurations } });
      appliedIndex = to;
    }
  }

  take(): Outbox {
    const outbox: Outbox = {
      free: this.#free,
      afterAppend: this.#afterAppend,
      write: this.#write,
      sequence: this.#lastSequence,
      reads: this.#reads,
    };
    this.#free = [];
    this.#afterAppend = [];
    this.#write = nothingToWrite;
    this.#reads = [];
    return outbox;
  }

  #merge({ sequence, hardState, snapshot, entries, releases }: LogWrite): void {
    this.#lastSequence = sequence;
    this.#write = mergeWrites(this.#write, { hardState, snapshot, entries });
    for (const index of this.#ownAppends) {
      this.#afterAppend.push(selfAppendResponse(this.view.id, this.view.term, index, sequence));
    }
    this.#ownAppends = [];
    for (const message of releases) this.#release(message, sequence);
  }

  #release(message: Message, sequence: number): void {
    if (message.to === this.view.id) {
      this.#afterAppend.push(selfVote(message, sequence));
      return;
    }
    this.#released.add(message);
    if (message.type === "RequestVote" && this.#driving.isLikeEtcd) this.#free.push(this.#parcelOf(message));
    else this.#afterAppend.push(this.#parcelOf(message));
  }

  #parcelOf(message: Message): Parcel {
    return parcelOf(this.#driving.isLikeEtcd && "commitTerm" in message ? { ...message, commitIndex: 0, commitTerm: 0 } : message);
  }

  #handOut(to: Index, entries: readonly Entry[] | null): void {
    const from = this.#handedOutIndex + 1;
    const known = this.view.log.slice(from, to);
    if (entries?.some((entry, at) => entry !== known[at]))
      throw new Error(`the core applies other entries than its log has in ${from} to ${to}`);
    this.#handedOutIndex = to;
  }

  /** The state machine holds the snapshot of `index`. */
  restored(index: Index): void {
    this.#handedOutIndex = index;
    this.step({ restoredIndex: index });
  }

  #onTrace(event: TraceEvent): void {
    for (const line of logLinesOf(event, this.view, this.#cause)) this.#driving.log(line);
    this.view.observe(event);
    if (event.type === "append" && this.view.role === "leader") this.#ownAppends.push(this.view.log.lastIndex);
    if (event.type === "drop" && event.reason === "unknownSender") this.#isFromStranger = true;
  }
}
