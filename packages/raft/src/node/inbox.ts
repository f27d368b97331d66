import type { NodeId } from "@octopii/interfaces";
import type { Applied, ChangeRequest, FetchedEntries, RaftInput, ReadRequest, SnapshotReport } from "../core/input-output.js";
import type { Message } from "../messages.js";
import type { Entry, Index, SnapshotMetadata } from "../types.js";

/** Everything that happened since the last turn, ready to become one input of the core. */
export class Inbox {
  readonly #messagesMax: number;
  durableSequence: number | undefined;
  restoredIndex: Index | undefined;
  snapshot: SnapshotMetadata | undefined;
  /** 0 where no entries may go, but older snapshots. */
  compactTo: Index | undefined;
  transferTo: NodeId | undefined;
  change: ChangeRequest | undefined;
  campaign = false;
  forgetLeader = false;
  ticks = 0;
  fetched: FetchedEntries[] = [];
  unreachable: NodeId[] = [];
  snapshotReports: SnapshotReport[] = [];
  #messages: Message[] = [];
  #applied: Applied | undefined;

  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax;
  }

  /** What the state machine has applied and the core does not know of yet; 0 for nothing. */
  get appliedIndex(): Index {
    return this.#applied?.index ?? 0;
  }

  /** @returns false if too much waits already; the message is lost then, as Raft allows. */
  add(message: Message): boolean {
    if (this.#messages.length >= this.#messagesMax) return false;
    this.#messages.push(message);
    return true;
  }

  /** The state machine has applied all entries up to `index`. */
  applied(index: Index, configurations: readonly Entry[]): void {
    const before = this.#applied?.configurations ?? [];
    this.#applied = { index, configurations: before.length === 0 ? configurations : [...before, ...configurations] };
  }

  /** Takes it all. @param now - the clock, in ticks; undefined within a turn. */
  take(
    now: number | undefined,
    proposals: readonly Uint8Array[],
    reads: readonly ReadRequest[],
    abandonedReads: readonly number[],
  ): RaftInput {
    // Always the same shape, and no spreads: this is made once per turn, and turns are many.
    const input: RaftInput = {
      now,
      durableSequence: this.durableSequence,
      restoredIndex: this.restoredIndex,
      applied: this.#applied,
      snapshot: this.snapshot,
      compactTo: this.compactTo,
      fetched: orNone(this.fetched),
      messages: orNone(this.#messages),
      ticks: this.ticks,
      unreachable: orNone(this.unreachable),
      snapshotReports: orNone(this.snapshotReports),
      campaign: this.campaign,
      forgetLeader: this.forgetLeader,
      transferTo: this.transferTo,
      proposals: orNone(proposals),
      change: this.change,
      abandonedReads: orNone(abandonedReads),
      reads: orNone(reads),
    };
    this.#clear();
    return input;
  }

  #clear(): void {
    this.durableSequence = undefined;
    this.restoredIndex = undefined;
    this.#applied = undefined;
    this.snapshot = undefined;
    this.compactTo = undefined;
    this.transferTo = undefined;
    this.change = undefined;
    this.campaign = false;
    this.forgetLeader = false;
    this.ticks = 0;
    if (this.fetched.length > 0) this.fetched = [];
    if (this.unreachable.length > 0) this.unreachable = [];
    if (this.snapshotReports.length > 0) this.snapshotReports = [];
    if (this.#messages.length > 0) this.#messages = [];
  }
}

function orNone<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
