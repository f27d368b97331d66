import type { NodeId } from "@octopii/interfaces";
import type { ChangeResult, FetchRequest, LogWrite, ProposalResult, RaftInput, ReadReady } from "../core/input-output.js";
import type { RaftCore } from "../core/raft-core.js";
import { isWellFormed } from "../core/well-formed.js";
import type { ForwardProposals, ForwardProposalsResponse, InstallSnapshot, Message } from "../messages.js";
import type { DropReason } from "../trace.js";
import type { Entry, GroupId, Index, SnapshotMetadata } from "../types.js";
import type { Applier } from "./applier.js";
import type { Inbox } from "./inbox.js";
import type { CompletePorts } from "./node-ports.js";
import { Outbox } from "./outbox.js";
import type { Snapshots } from "./snapshots.js";
import { WriteQueue } from "./write-queue.js";

/** How often the core is stepped again within a turn for what was done at once; then others get theirs. */
const stepsPerTurnMax = 16;
const nothing: readonly never[] = [];

/** What the driver asks of, and tells, the node that it drives. */
export interface DriverHost {
  /** The input of the next turn. */
  takeInput(): RaftInput;
  proposed(result: ProposalResult): void;
  changed(result: ChangeResult): void;
  read(ready: ReadReady): void;
  /** @returns why it was not taken; null where it was, or was answered. */
  takeForwarded(message: ForwardProposals): DropReason | null;
  forwardAnswered(message: ForwardProposalsResponse): void;
  /** What was applied so far has taken effect, and nothing more is being applied at this moment. */
  atRest(): void;
  /** A turn is over. */
  turned(): void;
  /** Nothing may be promised from here on. */
  failed(error: unknown): void;
}

/**
 * Steps the core, once per turn of the event loop, and carries out what it asks for: one write to storage, one batch per peer to the network,
 * one range to the state machine. The only caller of the core, so nobody reads a term across an `await`.
 */
export class Driver<Result> {
  readonly #core: RaftCore;
  readonly #group: GroupId;
  readonly #id: NodeId;
  readonly #ports: CompletePorts<Result>;
  readonly #inbox: Inbox;
  readonly #host: DriverHost;
  readonly #applier: Applier<Result>;
  readonly #snapshots: Snapshots | null;
  readonly #writes: WriteQueue;
  readonly #outbox = new Outbox();
  readonly #sendBatch: (peer: NodeId, messages: readonly Message[]) => void;
  #turnPending = false;
  /** One for all turns. */
  readonly #onTurn = (): void => {
    this.#turnPending = false;
    if (!this.#stopped) this.#turn();
  };
  #inTurn = false;
  /** What was done within this turn is worth another step in it. */
  #goesOn = false;
  #stopped = false;

  constructor(parts: {
    core: RaftCore;
    id: NodeId;
    group: GroupId;
    ports: CompletePorts<Result>;
    inbox: Inbox;
    host: DriverHost;
    applier: Applier<Result>;
    snapshots: Snapshots | null;
  }) {
    this.#core = parts.core;
    this.#id = parts.id;
    this.#group = parts.group;
    this.#ports = parts.ports;
    const { network } = parts.ports;
    this.#sendBatch = (peer, messages) => network.send(peer, messages);
    this.#inbox = parts.inbox;
    this.#host = parts.host;
    this.#applier = parts.applier;
    this.#snapshots = parts.snapshots;
    this.#writes = new WriteQueue(parts.ports.storage, parts.group, {
      durable: (sequence) => {
        this.#inbox.durableSequence = sequence;
        this.completed(false);
      },
      installed: (snapshot) => this.#restore(snapshot),
      failed: (error) => this.#host.failed(error),
    });
  }

  /**
   * Something that this node does itself is done. Within a turn, the turn goes on with it if something is known to follow; otherwise that it is
   * done goes with the next turn's input.
   */
  completed(somethingFollows: boolean): void {
    if (!this.#inTurn) this.wake();
    else if (somethingFollows) this.#goesOn = true;
  }

  /** Makes sure that a turn comes. */
  wake(): void {
    if (this.#turnPending || this.#stopped) return;
    this.#turnPending = true;
    this.#ports.scheduler.nextTurn(this.#onTurn);
  }

  /** Takes messages that came in. @param dropped - told of those that have no effect here, and of what is no message at all. */
  receive(from: NodeId, messages: readonly Message[], dropped: (message: Message | null, reason: DropReason) => void): void {
    for (const message of messages) {
      if (typeof message !== "object" || message === null) dropped(null, "malformed");
      else if (message.from !== from) dropped(message, "unknownSender");
      else {
        const reason = this.#take(message);
        if (reason !== null) dropped(message, reason);
      }
    }
    this.wake();
  }

  /** @returns why it had no effect; null if it had one, or the core is to judge it. */
  #take(message: Message): DropReason | null {
    switch (message.type) {
      case "ForwardProposals":
        return this.#misfitOf(message) ?? this.#host.takeForwarded(message);
      case "ForwardProposalsResponse": {
        const misfit = this.#misfitOf(message);
        if (misfit === null) this.#host.forwardAnswered(message);
        return misfit;
      }
      case "InstallSnapshot":
        // The data of a snapshot comes by another way, and its message with it.
        return "unexpected";
      default:
        return this.#inbox.add(message) ? null : "inboxFull";
    }
  }

  #misfitOf(message: Message): DropReason | null {
    if (message.group !== this.#group || message.to !== this.#id) return "notForUs";
    return isWellFormed(message) ? null : "malformed";
  }

  /** A snapshot comes in: its data is stored first, and then the core gets to know. */
  async receiveSnapshot(from: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { currentTerm, commitIndex } = this.#core.status();
    const isOurs = message.type === "InstallSnapshot" && message.from === from && this.#misfitOf(message) === null;
    if (!isOurs || message.term < currentTerm || this.#stopped) throw new Error("The snapshot is not for this node, or out of date.");
    // What we hold already needs no data; the core answers with how far we are.
    if (message.snapshot.index > commitIndex) {
      // Noticed later, it would have replaced a log that is sound.
      if (this.#snapshots === null || this.#ports.stateMachine.restore === undefined) {
        throw new Error("This node has nowhere to keep snapshots, or a state machine that cannot restore one.");
      }
      await this.#snapshots.receive(message, chunks);
    }
    if (this.#stopped || !this.#inbox.add(message)) throw new Error("The node cannot take the snapshot now.");
    this.wake();
  }

  /** Stops at once. What storage has begun is its own to finish. */
  stop(): void {
    this.#stopped = true;
  }

  /** Stores what no write has carried yet. */
  settle(): Promise<void> {
    return this.#writes.settle();
  }

  /** Resolves when all that the core wanted written so far is on stable storage. @returns nothing if it is already. */
  flush(): Promise<void> | undefined {
    return this.#writes.flush();
  }

  #turn(): void {
    this.#inTurn = true;
    try {
      this.#step(this.#host.takeInput());
      // A write that needs no flush, and a synchronous state machine, are done at once: what follows from that goes with the same turn.
      for (let again = 0; again < stepsPerTurnMax && this.#goesOn && !this.#stopped; again++) {
        this.#goesOn = false;
        this.#step(this.#inbox.take(undefined, nothing, nothing, nothing));
      }
      this.#outbox.sendAll(this.#sendBatch);
      this.#host.turned();
    } catch (error) {
      this.#host.failed(error);
    }
    this.#inTurn = false;
    if (this.#goesOn) this.wake();
    this.#goesOn = false;
  }

  #step(input: RaftInput): void {
    const output = this.#core.step(input);
    // The write first, so that the disk works while the messages are on the network.
    if (output.write !== null) this.#write(output.write);
    // Most of this is empty most of the time: asking is cheaper than an iterator.
    if (output.messages.length > 0) for (const message of output.messages) this.#gather(message);
    if (output.proposed !== null) this.#host.proposed(output.proposed);
    if (output.changed !== null) this.#host.changed(output.changed);
    if (output.reads.length > 0) for (const ready of output.reads) this.#host.read(ready);
    if (output.fetch.length > 0) for (const request of output.fetch) this.#fetch(request);
    if (input.compactTo !== undefined) this.#compact(input.compactTo);
    if (this.#applier.isIdle) this.#host.atRest();
    if (output.apply !== null) this.#applier.start(output.apply);
    if (output.commitLingers) this.wake();
  }

  #write(write: LogWrite): void {
    if (write.snapshot !== null) this.#applier.supersede();
    this.#writes.push(write);
    if (write.awaited && this.#inbox.durableSequence === write.sequence) this.#goesOn = true;
  }

  /** A message of the driver's own; it goes with those of the turn. */
  post(message: Message): void {
    this.#gather(message);
  }

  #gather(message: Message): void {
    if (message.type === "InstallSnapshot") return this.#snapshots?.send(message);
    this.#outbox.add(message);
  }

  #fetch({ peer, from, to, maxBytes }: FetchRequest): void {
    this.#ports.storage.read(this.#group, from, to, maxBytes).then(
      (entries: readonly Entry[]) => {
        this.#inbox.fetched.push({ peer, from, entries });
        this.wake();
      },
      (error: unknown) => this.#host.failed(error),
    );
  }

  #restore(snapshot: SnapshotMetadata): void {
    if (this.#snapshots === null || this.#ports.snapshots === undefined) return;
    this.#snapshots.installed(snapshot.index);
    this.#applier.restore(snapshot, this.#ports.snapshots.read(this.#group, snapshot.index));
  }

  #compact(index: Index): void {
    const failed = (error: unknown): void => this.#host.failed(error);
    const { compactedIndex, snapshotIndex, appliedIndex } = this.#core.status();
    // The leader's snapshot is being installed. If a crash takes that back, the log is as it was, and needs the snapshots that it had.
    if (appliedIndex < compactedIndex) return;
    if (index > 0) this.#ports.storage.compact(this.#group, compactedIndex).catch(failed);
    this.#snapshots?.removeBelow(snapshotIndex).catch(failed);
  }
}
