import type { NodeId, Timer } from "@octopii/interfaces";
import type { Configuration, ConfigurationChange, MemberChangeType } from "../configuration/index.js";
import { isNodeId } from "../configuration/validate.js";
import type { RaftStatus } from "../core/input-output.js";
import { RaftCore } from "../core/raft-core.js";
import { RaftError } from "../errors.js";
import { createRaftMetrics, type RaftMetrics } from "../observability/metrics.js";
import { type RaftCoreConfig, resolveRaftCoreOptions } from "../options.js";
import type { TraceEvent } from "../trace.js";
import type { GroupId, Index, SnapshotMetadata } from "../types.js";
import { Applier } from "./applier.js";
import { Callers, type CallersHost } from "./callers.js";
import { Driver, type DriverHost } from "./driver.js";
import { Inbox } from "./inbox.js";
import { logEvent } from "./log-event.js";
import { type RaftNodeConfig, type RaftNodeOptions, resolveRaftNodeOptions } from "./node-options.js";
import { type CompletePorts, completePorts, type RaftNodeEvent, type RaftNodeIdentity, type RaftNodePorts } from "./node-ports.js";
import { type NodeStart, readStart } from "./open.js";
import { busy, entryTooLarge, isChange, misuseOf, notAChange, notANodeId, notBytes, notLeader, stoppedError } from "./refusals.js";
import { SnapshotCalls } from "./snapshot-calls.js";
import { Snapshots } from "./snapshots.js";
import { Waiter, type WaitOptions } from "./waiter.js";

/** How a read may be confirmed. */
export interface ReadOptions extends WaitOptions {
  /** A leader's lease will do, where leases are in use. Default false: a quorum confirms. */
  readonly lease?: boolean;
}

/** How a change of the membership is judged. */
export interface ChangeOptions extends WaitOptions {
  /** Propose it although the voters that remain have not been heard of lately. Default false. */
  readonly force?: boolean;
}

/** Reads the group back from storage and starts to take part in it. @throws {RaftError} `STORAGE_INCONSISTENT`, or what storage throws. */
export async function openRaftNode<Result>(
  identity: RaftNodeIdentity,
  ports: RaftNodePorts<Result>,
  options: RaftNodeOptions = {},
  onEvent: ((event: RaftNodeEvent) => void) | null = null,
): Promise<RaftNode<Result>> {
  return new RaftNode(identity.id, await readStart(identity, ports), completePorts(ports), options, onEvent);
}

/**
 * One replica in its process: a {@link RaftCore}, driven over the ports. Everything that arrives within a turn of the event loop
 * becomes one input; of its output, one write goes to storage while one batch per peer goes to the network.
 */
export class RaftNode<Result> {
  readonly #core: RaftCore;
  readonly #id: NodeId;
  readonly #config: RaftNodeConfig;
  readonly #coreConfig: RaftCoreConfig;
  readonly #ports: CompletePorts<Result>;
  readonly #onEvent: ((event: RaftNodeEvent) => void) | null;
  readonly #metrics: RaftMetrics | null;
  readonly #inbox: Inbox;
  readonly #driver: Driver<Result>;
  readonly #applier: Applier<Result>;
  readonly #snapshots: Snapshots | null;
  readonly #callers: Callers<Result>;
  readonly #detach: () => void;
  readonly #snapshotCalls: SnapshotCalls;
  #tickTimer: Timer | null = null;
  #stopped = false;
  #stoppedBy: unknown = null;
  #closing: Promise<void> | null = null;

  constructor(
    id: NodeId,
    start: NodeStart,
    ports: CompletePorts<Result>,
    options: RaftNodeOptions,
    onEvent: ((event: RaftNodeEvent) => void) | null,
  ) {
    this.#id = id;
    this.#ports = ports;
    this.#onEvent = onEvent;
    this.#config = resolveRaftNodeOptions(options);
    this.#coreConfig = resolveRaftCoreOptions(options);
    const { group } = start;
    this.#metrics = ports.metrics === undefined ? null : createRaftMetrics(ports.metrics, { node: `${id}`, group: `${group}` });
    this.#inbox = new Inbox(this.#config.inboxMessagesMax);
    this.#callers = this.#createCallers(group);
    this.#core = new RaftCore({ id, ...start }, options, ports.random.fork("raft-core"), (event) => this.#traced(event));
    this.#callers.restored(start.log.appliedIndex);
    this.#snapshots = this.#createSnapshots(group, start.snapshot?.index ?? 0);
    this.#snapshotCalls = new SnapshotCalls(this.#snapshots, ports.logger);
    this.#applier = this.#createApplier(group);
    this.#driver = this.#createDriver(group);
    this.#detach = this.#attach(group);
    this.#metrics?.sample(this.status());
    this.#scheduleTick();
    this.#driver.wake();
  }

  /**
   * Appends a command to the replicated log; resolves with the result of this node's own state machine once the command is committed and
   * applied here. A follower passes it on to the leader.
   * @param command - belongs to the log from now on: do not change it.
   * @throws {RaftError} `NOT_LEADER` while nobody leads, `BUSY`, `TRANSFERRING`, `ENTRY_TOO_LARGE`, `LEADERSHIP_LOST`, `TIMEOUT`, `STOPPED`;
   * `outcome` tells whether the command may have been committed all the same. A `TypeError` or `RangeError` for what the types forbid.
   */
  propose(command: Uint8Array, options: WaitOptions = byDefault): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const waiter = this.#waiter(options, resolve, reject);
      if (waiter === null) return;
      const { entryBytesMax } = this.#coreConfig;
      if (!(command instanceof Uint8Array)) return waiter.reject(notBytes(command));
      if (command.length > entryBytesMax) return waiter.reject(entryTooLarge(command.length, entryBytesMax));
      const { proposals, forwarding } = this.#callers;
      if (proposals.queuedCount + forwarding.count >= this.#config.queuedProposalsMax) return waiter.reject(busy("proposals"));
      proposals.enqueue(command, waiter);
      this.#driver.wake();
    });
  }

  /**
   * Waits until this replica's state machine has applied all that was committed when the call was made, anywhere in the group:
   * reading the state then is linearizable. Works on leaders and followers. Source: thesis §6.4.
   * @returns the read index.
   */
  readIndex(options: ReadOptions = {}): Promise<Index> {
    return this.#wait<Index>(options, (waiter) => {
      if (this.#callers.reads.count >= this.#config.queuedProposalsMax) return waiter.reject(busy("reads"));
      this.#callers.reads.enqueue(waiter, this.#ports.clock.now(), options.lease ?? false);
    });
  }

  /**
   * Changes the membership; resolves with the configuration once it is in effect here. A joint configuration that is left by itself has been
   * left then; one of an `explicit` transition stays. Only the leader takes changes, one after the other. Source: RULE 6 of the design.
   * @throws {RaftError} `CHANGE_REFUSED`, and as {@link propose}.
   */
  changeMembership(change: ConfigurationChange, options: ChangeOptions = {}): Promise<Configuration> {
    return this.#wait<Configuration>(options, (waiter) => {
      if (!isChange(change)) return waiter.reject(notAChange());
      this.#callers.changes.enqueue({ change, mustKeepQuorum: options.force !== true }, waiter);
    });
  }

  /** Adds a member without a vote, or takes a voter's vote away. @param context - the application's, such as its address. */
  addLearner(id: NodeId, options: ChangeOptions & { readonly context?: Uint8Array } = {}): Promise<Configuration> {
    return this.changeMembership(single("addLearner", id, options.context), options);
  }

  /**
   * Gives a member a vote: adds it as a learner if it is none yet, waits until it has caught up, and promotes it.
   * @throws {RaftError} `CATCH_UP_FAILED`, and as {@link changeMembership}. It stays a learner then.
   */
  async addVoter(id: NodeId, options: ChangeOptions & { readonly context?: Uint8Array } = {}): Promise<Configuration> {
    const left = this.#timeLeft(options);
    // One that votes already is proposed all the same: its context may be news, and our own view may be of yesterday.
    if (!this.#core.status().configuration.voters.includes(id)) await this.#addCaughtUp(id, left);
    return this.changeMembership(single("addVoter", id, options.context), left());
  }

  /** Takes a member out. A leader that removes itself steps down once that is in effect. */
  removeMember(id: NodeId, options: ChangeOptions = {}): Promise<Configuration> {
    return this.changeMembership(single("removeNode", id), options);
  }

  /**
   * Puts a new member in the place of an old one, in one change: the newcomer learns first, and takes over the vote when it has caught up, so
   * that the group never has fewer voters than before.
   * @throws {RaftError} `CHANGE_REFUSED` unless the old one votes and the new one does not, and as {@link changeMembership}.
   */
  async replaceMember(
    oldId: NodeId,
    newId: NodeId,
    options: ChangeOptions & { readonly context?: Uint8Array } = {},
  ): Promise<Configuration> {
    if (oldId === newId) throw new RangeError(`Node ${oldId} cannot take its own place; give the newcomer another id.`);
    const left = this.#timeLeft(options);
    const { voters } = this.#core.status().configuration;
    if (this.#core.leaderId === this.#id && (!voters.includes(oldId) || voters.includes(newId))) {
      const fact = voters.includes(newId) ? `node ${newId} votes already` : `node ${oldId} does not vote`;
      const message = `Node ${newId} cannot take the place of node ${oldId}: ${fact}. Add or remove members one by one instead.`;
      throw new RaftError("OCTOPII_RAFT_CHANGE_REFUSED", message, { outcome: "failed" });
    }
    await this.#addCaughtUp(newId, left);
    const { context } = options;
    const newcomer = { type: "addVoter", nodeId: newId, ...(context !== undefined && { context }) } as const;
    return this.changeMembership({ transition: "auto", changes: [newcomer, { type: "removeNode", nodeId: oldId }] }, left());
  }

  /**
   * As leader, brings `target` up to date and has it elected; resolves when it leads. Proposals are refused meanwhile.
   * @throws {RaftError} `TRANSFER_FAILED` after an election timeout, or at once if `target` cannot lead; an election timeout after this node
   * has stepped down, with the outcome unknown, if nobody is known to lead; `NOT_LEADER`.
   */
  transferLeadership(target: NodeId, options: WaitOptions = {}): Promise<void> {
    return this.#wait<void>(options, (waiter) => {
      if (!isNodeId(target)) return waiter.reject(notANodeId(target));
      if (this.#core.leaderId !== this.#id) return waiter.reject(notLeader(this.#core.leaderId));
      const { transferTo } = this.#inbox;
      if (transferTo !== undefined && transferTo !== target) this.#callers.transfers.replaced(transferTo);
      this.#callers.transfers.add(target, waiter);
      this.#inbox.transferTo = target;
    });
  }

  /**
   * Takes a snapshot of the state machine as it is now, whatever the policy says, and compacts the log behind it. While one is being taken
   * already, it is that one which is waited for.
   * @throws {RaftError} `SNAPSHOT_FAILED`, `TIMEOUT`, `STOPPED`; by the latter two it may come to be all the same.
   */
  snapshot(options: WaitOptions = {}): Promise<SnapshotMetadata> {
    return this.#wait<SnapshotMetadata>(options, (waiter) => this.#snapshotCalls.add(waiter));
  }

  /** Campaigns at once, by pre-vote if so configured. Does nothing on a leader or a non-voter. */
  campaign(): void {
    this.#inbox.campaign = true;
    this.#driver.wake();
  }

  /** As a follower, forgets the leader, so that it helps to elect another without waiting. Does nothing where leases are in use. */
  forgetLeader(): void {
    this.#inbox.forgetLeader = true;
    this.#driver.wake();
  }

  /**
   * Resolves as soon as this replica knows of a leader, with its id; at once if it does already.
   * @throws {RaftError} `TIMEOUT`, `STOPPED`, `BUSY`
   */
  waitForLeader(options: WaitOptions = {}): Promise<NodeId> {
    return this.#wait<NodeId>(options, (waiter) => {
      const { leaderId } = this.#core;
      if (leaderId === 0) this.#callers.leaderWaits.add(waiter);
      else waiter.resolve(leaderId);
    });
  }

  /** Who leads, as far as this replica knows; 0 when unknown. */
  get leaderId(): NodeId {
    return this.#core.leaderId;
  }

  /** A replica's own view of its group; of one that was closed or has stopped, its last. */
  status(): RaftStatus {
    const status = this.#core.status();
    // What the state machine has just done goes to the core with its next step.
    const appliedIndex = Math.max(status.appliedIndex, this.#inbox.appliedIndex);
    return { ...status, appliedIndex };
  }

  /** Why the node stopped by itself, or null. */
  get stoppedBy(): unknown {
    return this.#stoppedBy;
  }

  /**
   * Leaves quietly: settles every pending call, waits for the state machine, and stores the commit index. Writes under way are the
   * storage's to finish. Repeatable; never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const wasRunning = !this.#stopped;
    this.#stop(null);
    await this.#applier.stop();
    await this.#snapshots?.stop();
    if (!wasRunning) return;
    await this.#driver.settle().catch((error: unknown) => {
      // It would have spared the next start some waiting, no more.
      this.#ports.logger?.warn({ error }, "The commit index could not be stored.");
    });
  }

  /** A learner that is close behind. @param left - the options, with what is left of the call's time. */
  async #addCaughtUp(id: NodeId, left: () => ChangeOptions & { readonly context?: Uint8Array }): Promise<void> {
    const { configuration } = this.#core.status();
    const isMember = configuration.learners.includes(id) || configuration.voters.includes(id);
    if (!isMember) await this.addLearner(id, left());
    await this.#wait<void>(left(), (waiter) => {
      const { leaderId } = this.#core;
      if (leaderId !== this.#id) return waiter.reject(notLeader(leaderId));
      this.#callers.catchUp.add(id, waiter, this.#core.status().lastIndex, this.#ports.clock.now());
    });
  }

  /** For calls of several steps: all of them together end by one deadline. */
  #timeLeft<Options extends WaitOptions>(options: Options): () => Options {
    const misuse = misuseOf(options);
    if (misuse !== null) throw misuse;
    const { clock } = this.#ports;
    const deadline = clock.now() + (options.timeoutMs ?? this.#config.requestTimeoutMs);
    return () => ({ ...options, timeoutMs: Math.max(0, deadline - clock.now()) });
  }

  #wait<Value>(options: WaitOptions, begin: (waiter: Waiter<Value>) => void): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      const waiter = this.#waiter(options, resolve, reject);
      if (waiter === null) return;
      if (this.#callers.controlCount + this.#snapshotCalls.count >= this.#config.queuedProposalsMax) return waiter.reject(busy("calls"));
      begin(waiter);
      this.#driver.wake();
    });
  }

  /** Null if the call was rejected already. */
  #waiter<Value>(options: WaitOptions, resolve: (value: Value) => void, reject: (error: unknown) => void): Waiter<Value> | null {
    if (this.#stopped) reject(stoppedError(this.#stoppedBy, "failed"));
    else if (options.signal?.aborted === true) reject(options.signal.reason);
    else if (options.timeoutMs !== undefined && misuseOf(options) !== null) reject(misuseOf(options));
    else
      return new Waiter<Value>(
        this.#ports.clock.now() + (options.timeoutMs ?? this.#config.requestTimeoutMs),
        options.signal,
        resolve,
        reject,
      );
    return null;
  }

  #createCallers(group: GroupId): Callers<Result> {
    const host: CallersHost = {
      id: this.#id,
      group,
      leaderId: () => this.#core.leaderId,
      currentTerm: () => this.#core.currentTerm,
      knows: (id) => this.#core.knows(id),
      send: (message) => this.#driver.post(message),
    };
    const config = { ...this.#coreConfig, ...this.#config };
    return new Callers<Result>(host, config, this.#ports.random.fork("process-id").uint32());
  }

  /** In ticks, for leases alone. */
  #now(): number | undefined {
    return this.#coreConfig.leaseReads ? this.#ports.clock.now() / this.#config.tickMs : undefined;
  }

  #createDriver(group: GroupId): Driver<Result> {
    const callers = this.#callers;
    const host: DriverHost = {
      takeInput: () => callers.takeInput(this.#inbox, this.#now()),
      proposed: (result) => callers.proposed(result),
      changed: (result) => callers.changed(result),
      read: (ready) => callers.read(ready, this.#core.appliedIndex),
      takeForwarded: (message) => callers.takeForwarded(message),
      forwardAnswered: (message) => callers.forwardAnswered(message),
      atRest: () => this.#snapshotCalls.beginIfWanted(() => this.#core.describeSnapshot()),
      turned: () => {
        if (callers.catchUp.count > 0) callers.catchUp.check(this.#core.status(), this.#ports.clock.now());
      },
      failed: (error) => this.#fail(error),
    };
    return new Driver({
      core: this.#core,
      id: this.#id,
      group,
      ports: this.#ports,
      inbox: this.#inbox,
      host,
      applier: this.#applier,
      snapshots: this.#snapshots,
    });
  }

  #createApplier(group: GroupId): Applier<Result> {
    const { stateMachine, storage } = this.#ports;
    return new Applier(stateMachine, storage, group, this.#coreConfig.applyBytesMax, {
      secureCommit: () => this.#driver.flush(),
      applied: (entries, results) => {
        if (this.#isWatched) this.#tell({ type: "applied", entries });
        if (this.#snapshots?.isDueAfter(entries) === true) this.#snapshotCalls.due();
        this.#callers.applied(entries, results);
      },
      finished: ({ to, hasNext }, configurations) => {
        this.#inbox.applied(to, configurations);
        this.#callers.finished(to, configurations);
        this.#driver.completed(hasNext || configurations.length > 0);
      },
      restored: (snapshot) => {
        this.#inbox.restoredIndex = snapshot.index;
        this.#callers.restored(snapshot.index);
        // What it has replaced can go.
        this.#inbox.compactTo ??= 0;
        this.#tell({ type: "restored", snapshot });
        this.#driver.wake();
      },
      failed: (error) => this.#fail(error),
    });
  }

  #createSnapshots(group: GroupId, lastIndex: Index): Snapshots | null {
    const { snapshots: storage, stateMachine, network, clock, scheduler, logger } = this.#ports;
    if (storage === undefined) return null;
    return new Snapshots({ group, storage, stateMachine, network, clock, scheduler, logger }, this.#config, lastIndex, {
      taken: (snapshot, compactTo) => {
        this.#inbox.snapshot = snapshot;
        // Older snapshots can go, even where no entries can.
        this.#inbox.compactTo = compactTo;
        this.#driver.wake();
      },
      reported: (report) => {
        this.#inbox.snapshotReports.push(report);
        this.#driver.wake();
      },
      wanted: () => {
        this.#snapshotCalls.due();
        this.#driver.wake();
      },
    });
  }

  #attach(group: GroupId): () => void {
    return this.#ports.network.attach(group, {
      receive: (from, messages) => {
        this.#driver.receive(from, messages, (message, reason) => {
          if (message === null) this.#tell({ type: "noMessage", from });
          else this.#traced({ type: "drop", message, reason });
        });
      },
      receiveSnapshot: (from, message, chunks) => this.#driver.receiveSnapshot(from, message, chunks),
      unreachable: (peer) => {
        this.#inbox.unreachable.push(peer);
        this.#callers.forwarding.unreachable(peer);
        this.#driver.wake();
      },
    });
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#ports.scheduler.setTimer(this.#config.tickMs, () => {
      this.#inbox.ticks++;
      const now = this.#ports.clock.now();
      this.#callers.expire(now);
      this.#snapshotCalls.expire(now);
      this.#metrics?.sample(this.status());
      this.#scheduleTick();
      this.#driver.wake();
    });
  }

  get #isWatched(): boolean {
    return this.#onEvent !== null || this.#metrics !== null;
  }

  #tell(event: RaftNodeEvent): void {
    this.#onEvent?.(event);
    this.#metrics?.observe(event);
  }

  #traced(event: TraceEvent): void {
    this.#tell(event);
    this.#callers.observe(event);
    if (event.type === "role" && event.role !== "leader") this.#snapshots?.steppedDown();
    if (this.#ports.logger !== undefined) logEvent(this.#ports.logger, event);
  }

  /** Storage, state machine or core failed: promise nothing from here on. */
  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#ports.logger?.error({ error }, "The node stops: what it holds can no longer be trusted to grow.");
    this.#stop(error);
    this.#tell({ type: "stopped", error });
  }

  #stop(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stoppedBy = error;
    this.#driver.stop();
    this.#detach();
    this.#tickTimer?.cancel();
    void this.#snapshots?.stop();
    this.#callers.rejectAll((outcome) => stoppedError(error, outcome));
    this.#snapshotCalls.rejectAll((outcome) => stoppedError(error, outcome));
  }
}

/** One for all calls: most say nothing, and there are many. */
const byDefault: WaitOptions = {};

function single(type: MemberChangeType, nodeId: NodeId, context?: Uint8Array): ConfigurationChange {
  return { transition: "auto", changes: [{ type, nodeId, ...(context !== undefined && { context }) }] };
}
