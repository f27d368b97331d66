import type { Clock, Logger, NodeId, Random, Scheduler, Timer } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import type { FetchedEntries, FetchRequest, RaftInput, RaftOutput, RaftStatus } from "../core/input-output.js";
import { RaftCore } from "../core/raft-core.js";
import { RaftError } from "../errors.js";
import type { LogStart } from "../log/raft-log.js";
import type { Message } from "../messages.js";
import { resolveRaftCoreOptions } from "../options.js";
import type { LogStorage, PeerNetwork, StateMachine, StoredLog } from "../ports.js";
import type { TraceEvent } from "../trace.js";
import type { Entry, GroupId, Index } from "../types.js";
import { Applier } from "./applier.js";
import { type RaftNodeConfig, type RaftNodeOptions, resolveRaftNodeOptions } from "./node-options.js";
import { Proposals } from "./proposals.js";
import { Reads } from "./reads.js";
import { Waiter, type WaitOptions } from "./waiter.js";
import { WriteQueue } from "./write-queue.js";

/** The distance between the first read ids of two processes: more reads than one will ever ask. */
const readIdsPerProcess = 2 ** 20;

/** The world around a {@link RaftNode}. */
export interface RaftNodePorts<Result> {
  readonly storage: LogStorage;
  readonly network: PeerNetwork;
  readonly stateMachine: StateMachine<Result>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger?: Logger;
}

/** Who a {@link RaftNode} is. */
export interface RaftNodeIdentity {
  readonly id: NodeId;
  /** Default 0. */
  readonly group?: GroupId;
  /** The members at the time the group was founded. All replicas must be given the same. */
  readonly configuration: Configuration;
}

/** What a node tells its owner. Called synchronously; must not throw. */
export type RaftNodeEvent =
  | TraceEvent
  | { readonly type: "applied"; readonly entry: Entry }
  | { readonly type: "stopped"; readonly error: unknown };

/** Reads the group back from storage and starts to take part in it. */
export async function openRaftNode<Result>(
  identity: RaftNodeIdentity,
  ports: RaftNodePorts<Result>,
  options: RaftNodeOptions = {},
  onEvent: ((event: RaftNodeEvent) => void) | null = null,
): Promise<RaftNode<Result>> {
  const stored = await ports.storage.load(identity.group ?? 0);
  return new RaftNode(identity, stored, ports, options, onEvent);
}

/**
 * One replica in its process: it drives a {@link RaftCore} over the ports. Everything that arrives within a turn of the event loop
 * becomes one input; of its output, one write goes to storage while one batch per peer goes to the network.
 */
export class RaftNode<Result> {
  readonly #core: RaftCore;
  readonly #config: RaftNodeConfig;
  readonly #ports: RaftNodePorts<Result>;
  readonly #group: GroupId;
  readonly #onEvent: ((event: RaftNodeEvent) => void) | null;
  readonly #writes: WriteQueue;
  readonly #applier: Applier<Result>;
  readonly #proposals = new Proposals<Result>();
  readonly #reads: Reads;
  readonly #detach: () => void;

  #inbox: Message[] = [];
  #fetched: FetchedEntries[] = [];
  #unreachable: NodeId[] = [];
  #ticks = 0;
  #durableSequence: number | undefined;
  #appliedIndex: Index | undefined;
  #campaign = false;
  #transferTo: NodeId | undefined;

  #turnPending = false;
  #tickTimer: Timer | null = null;
  #stoppedBy: unknown = null;
  #stopped = false;

  constructor(
    identity: RaftNodeIdentity,
    stored: StoredLog,
    ports: RaftNodePorts<Result>,
    options: RaftNodeOptions,
    onEvent: ((event: RaftNodeEvent) => void) | null,
  ) {
    this.#config = resolveRaftNodeOptions(options);
    this.#ports = ports;
    this.#group = identity.group ?? 0;
    this.#onEvent = onEvent;
    const coreConfig = resolveRaftCoreOptions(options);
    this.#reads = new Reads(coreConfig.electionTicks * this.#config.tickMs, ports.random.fork("read-ids").uint32() * readIdsPerProcess);
    const hardState = stored.hardState ?? { currentTerm: 0, votedFor: 0, commitIndex: 0 };
    const start = { id: identity.id, group: this.#group, hardState, configuration: identity.configuration, log: logStart(stored) };
    this.#core = new RaftCore(start, options, ports.random.fork("raft-core"), (event) => this.#traced(event));
    const onDurable = (sequence: number): void => {
      this.#durableSequence = sequence;
      this.#wake();
    };
    this.#writes = new WriteQueue(ports.storage, this.#group, onDurable, (error) => this.#fail(error));
    this.#applier = new Applier(ports.stateMachine, ports.storage, this.#group, coreConfig.applyBytesMax, {
      applied: (entry, result) => {
        if (this.#onEvent !== null) this.#onEvent({ type: "applied", entry });
        this.#proposals.applied(entry, result);
      },
      finished: (index) => {
        this.#appliedIndex = index;
        this.#reads.appliedTo(index);
        this.#wake();
      },
      failed: (error) => this.#fail(error),
    });
    this.#detach = ports.network.attach(this.#group, {
      receive: (from, messages) => this.#receive(from, messages),
      unreachable: (peer) => {
        this.#unreachable.push(peer);
        this.#wake();
      },
    });
    this.#scheduleTick();
    this.#wake();
  }

  /**
   * Appends a command to the replicated log; resolves with the state machine's result once it is committed and applied here.
   * Only the leader takes proposals.
   * @param command - belongs to the log from now on: do not change it.
   * @throws {RaftError} each code of `RaftErrorCode`; `outcome` tells whether the command may have been committed all the same.
   */
  propose(command: Uint8Array, options: WaitOptions = {}): Promise<Result> {
    return this.#wait<Result>(options, (waiter) => {
      if (this.#proposals.queuedCount >= this.#config.queuedProposalsMax) return waiter.reject(busy("proposals"));
      this.#proposals.enqueue(command, waiter);
    });
  }

  /**
   * Waits until this replica's state machine has applied all that was committed when the call was made, anywhere in the group:
   * reading the state then is linearizable. Works on leaders and followers. Source: thesis §6.4.
   * @returns the read index.
   */
  readIndex(options: WaitOptions = {}): Promise<Index> {
    return this.#wait<Index>(options, (waiter) => {
      if (this.#reads.count >= this.#config.queuedProposalsMax) return waiter.reject(busy("reads"));
      this.#reads.enqueue(waiter, this.#ports.clock.now());
    });
  }

  /** Campaigns at once, by pre-vote if so configured. Does nothing on a leader or a non-voter. */
  campaign(): void {
    this.#campaign = true;
    this.#wake();
  }

  /** As leader, brings `target` up to date and tells it to campaign. Given up after an election timeout. */
  transferLeadership(target: NodeId): void {
    this.#transferTo = target;
    this.#wake();
  }

  /** Who leads, as far as this replica knows; 0 when unknown. */
  get leaderId(): NodeId {
    return this.#core.leaderId;
  }

  /** A replica's own view of its group. */
  status(): RaftStatus {
    return this.#core.status();
  }

  /** Why the node stopped by itself, or null. */
  get stoppedBy(): unknown {
    return this.#stoppedBy;
  }

  /**
   * Leaves quietly: settles every pending call, waits for the state machine, and stores the commit index. Writes under way are the
   * storage's to finish. Repeatable; never rejects.
   */
  async close(): Promise<void> {
    const wasRunning = !this.#stopped;
    this.#stop(null);
    await this.#applier.stop();
    if (!wasRunning) return;
    await this.#writes.settle().catch((error: unknown) => {
      // It would have spared the next start some waiting, no more.
      this.#ports.logger?.warn({ error }, "The commit index could not be stored.");
    });
  }

  #wait<Value>(options: WaitOptions, begin: (waiter: Waiter<Value>) => void): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#stopped) return reject(stoppedError(this.#stoppedBy, "failed"));
      if (options.signal?.aborted === true) return reject(options.signal.reason);
      const deadline = this.#ports.clock.now() + (options.timeoutMs ?? this.#config.requestTimeoutMs);
      begin(new Waiter<Value>(deadline, options.signal, resolve, reject));
      this.#wake();
    });
  }

  #receive(from: NodeId, messages: readonly Message[]): void {
    for (const message of messages) {
      if (this.#inbox.length >= this.#config.inboxMessagesMax) break;
      if (message.from === from) this.#inbox.push(message);
      else this.#traced({ type: "drop", message: message.type, from, reason: "unknownSender" });
    }
    this.#wake();
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#ports.scheduler.setTimer(this.#config.tickMs, () => {
      this.#ticks++;
      const now = this.#ports.clock.now();
      this.#proposals.expire(now);
      this.#reads.expire(now);
      this.#scheduleTick();
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#turnPending || this.#stopped) return;
    this.#turnPending = true;
    this.#ports.scheduler.nextTurn(() => {
      this.#turnPending = false;
      if (!this.#stopped) this.#turn();
    });
  }

  #turn(): void {
    try {
      this.#perform(this.#core.step(this.#takeInput()));
    } catch (error) {
      this.#fail(error);
    }
  }

  #takeInput(): RaftInput {
    const input: RaftInput = {
      ...(this.#durableSequence === undefined ? {} : { durableSequence: this.#durableSequence }),
      ...(this.#appliedIndex === undefined ? {} : { appliedIndex: this.#appliedIndex }),
      ...(this.#proposals.queuedCount === 0 ? {} : { proposals: this.#proposals.submit() }),
      ...(this.#reads.hasQueued ? { reads: this.#reads.takeQueued() } : {}),
      ...(this.#transferTo === undefined ? {} : { transferTo: this.#transferTo }),
      abandonedReads: this.#reads.takeAbandoned(),
      fetched: this.#fetched,
      messages: this.#inbox,
      ticks: this.#ticks,
      unreachable: this.#unreachable,
      campaign: this.#campaign,
    };
    this.#durableSequence = undefined;
    this.#appliedIndex = undefined;
    this.#transferTo = undefined;
    this.#fetched = [];
    this.#inbox = [];
    this.#ticks = 0;
    this.#unreachable = [];
    this.#campaign = false;
    return input;
  }

  #perform(output: RaftOutput): void {
    // The write first, so that the disk works while the messages are on the network.
    if (output.write !== null) this.#writes.push(output.write);
    this.#send(output.messages);
    const { leaderId, appliedIndex } = this.#core;
    if (output.proposed !== null) this.#proposals.judged(output.proposed, leaderId);
    for (const read of output.reads) this.#reads.ready(read, appliedIndex, leaderId);
    for (const request of output.fetch) this.#fetch(request);
    if (output.apply !== null) this.#applier.start(output.apply);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const byPeer = new Map<NodeId, Message[]>();
    for (const message of messages) {
      const batch = byPeer.get(message.to);
      if (batch === undefined) byPeer.set(message.to, [message]);
      else batch.push(message);
    }
    for (const [peer, batch] of byPeer) this.#ports.network.send(peer, batch);
  }

  #fetch(request: FetchRequest): void {
    const { peer, from, to, maxBytes } = request;
    this.#ports.storage.read(this.#group, from, to, maxBytes).then(
      (entries) => {
        this.#fetched.push({ peer, from, entries });
        this.#wake();
      },
      (error) => this.#fail(error),
    );
  }

  #traced(event: TraceEvent): void {
    this.#onEvent?.(event);
    if (event.type === "role") {
      this.#ports.logger?.info({ role: event.role, term: event.term, leaderId: event.leaderId }, "The role changed.");
    } else if (event.type === "drop") {
      this.#ports.logger?.debug({ message: event.message, from: event.from, reason: event.reason }, "A message was dropped.");
    }
  }

  /** Storage, state machine or core failed: promise nothing from here on. */
  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#ports.logger?.error({ error }, "The node stops: what it holds can no longer be trusted to grow.");
    this.#stop(error);
    this.#onEvent?.({ type: "stopped", error });
  }

  #stop(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stoppedBy = error;
    this.#detach();
    this.#tickTimer?.cancel();
    this.#proposals.rejectAll((outcome) => stoppedError(error, outcome));
    this.#reads.rejectAll(stoppedError(error, "failed"));
  }
}

function logStart(stored: StoredLog): LogStart {
  // A hard state can know of a commit beyond what this disk holds only if the disk lost something.
  const commitIndex = stored.hardState?.commitIndex ?? 0;
  if (commitIndex > stored.lastIndex) {
    const message = `The log ends at ${stored.lastIndex}, but entry ${commitIndex} was committed: acknowledged entries are missing from this disk.`;
    throw new RaftError("OCTOPII_RAFT_STOPPED", message, { outcome: "failed", details: { commitIndex, lastIndex: stored.lastIndex } });
  }
  const { compactedIndex, lastIndex, terms } = stored;
  return { compactedIndex, lastIndex, terms, commitIndex: Math.max(commitIndex, compactedIndex), appliedIndex: compactedIndex };
}

function busy(what: string): RaftError {
  return new RaftError("OCTOPII_RAFT_BUSY", `Too many ${what} are waiting; try again later.`, { outcome: "failed" });
}

function stoppedError(cause: unknown, outcome: "failed" | "unknown"): RaftError {
  const why = cause === null ? "The node was closed." : "The node has stopped because of an error; see the cause.";
  return new RaftError("OCTOPII_RAFT_STOPPED", why, { outcome, cause: cause ?? undefined });
}
