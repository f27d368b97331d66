import type { NodeId } from "@octopii/interfaces";
import {
  type Configuration,
  emptyConfiguration,
  type FetchRequest,
  type Message,
  RaftCore,
  type RaftCoreOptions,
  type RaftOutput,
  type RaftStatus,
  type ReadRequest,
  type TraceEvent,
} from "../../src/index.js";
import { Inbox } from "../../src/node/inbox.js";
import { Disk, type StoredSnapshot } from "./disk.js";
import { SimulatedMachine } from "./machine.js";
import type { Judge } from "./oracle.js";
import type { Seeded } from "./seeded.js";
import { promise, Violation } from "./violation.js";

/** What a replica hands to its cluster. */
export interface ReplicaHost {
  readonly oracle: Judge;
  /** Global time in ticks of a perfect clock. */
  readonly time: number;
  /** @param data - what an `InstallSnapshot` carries; null if it is gone. */
  send(message: Message, data: StoredSnapshot | null): void;
  isOnQuorum(configuration: Configuration, index: number): boolean;
  event(id: NodeId, event: TraceEvent): void;
  /** Something worth counting happened. */
  count(what: string): void;
}

interface PendingRead {
  /** Everything that was committed, anywhere, when the read was asked for. */
  readonly floor: number;
  readonly lease: boolean;
}

/** One member in a process that can die: the core, and around it what the driver does, one thing at a time. */
export class SimulatedReplica {
  readonly id: NodeId;
  readonly disk: Disk;
  core: RaftCore | null = null;
  inbox: Inbox = new Inbox(1000);
  status: RaftStatus;
  readonly #host: ReplicaHost;
  readonly #founding: Configuration;
  readonly #options: RaftCoreOptions;
  readonly #random: Seeded;
  /** Ticks of the own clock that pass in one of the perfect one. */
  readonly #clockRate: number;
  #nextTickAt = 0;
  #machine: SimulatedMachine;
  #fetches: FetchRequest[] = [];
  #proposals: Uint8Array[] = [];
  #reads: ReadRequest[] = [];
  readonly #pendingReads = new Map<number, PendingRead>();
  #nextReadId = 1;

  constructor(
    id: NodeId,
    founding: Configuration,
    parts: { host: ReplicaHost; options: RaftCoreOptions; random: Seeded; clockRate: number; isDiskHonest: boolean },
  ) {
    this.id = id;
    this.#founding = founding.voters.includes(id) || founding.learners.includes(id) ? founding : emptyConfiguration;
    this.#host = parts.host;
    this.#options = parts.options;
    this.#random = parts.random;
    this.#clockRate = parts.clockRate;
    this.disk = new Disk(parts.isDiskHonest);
    this.#machine = new SimulatedMachine(id, this.disk, parts.host.oracle, null);
    this.status = this.start();
  }

  /** The own clock, in ticks. */
  get now(): number {
    return this.#host.time * this.#clockRate + this.id * 7.3;
  }

  get isBusy(): boolean {
    return this.core !== null && (this.disk.pending > 0 || this.#fetches.length > 0 || this.#machine.isBusy);
  }

  start(): RaftStatus {
    const { disk } = this;
    const stored = disk.usableSnapshot();
    const { hardState, durable } = disk;
    promise(durable.compactedIndex === 0 || stored !== null, () => {
      return `node ${this.id} restarts: its log begins after ${durable.compactedIndex}, and no snapshot holds what was before`;
    });
    promise(
      hardState.commitIndex <= durable.lastIndex,
      () => `node ${this.id} lost entries up to its commit index ${hardState.commitIndex}`,
    );
    const appliedIndex = stored?.metadata.index ?? 0;
    this.inbox = new Inbox(1000);
    this.#machine = new SimulatedMachine(this.id, disk, this.#host.oracle, stored);
    this.#fetches = [];
    this.#proposals = [];
    this.#reads = [];
    this.#pendingReads.clear();
    const log = {
      compactedIndex: durable.compactedIndex,
      lastIndex: durable.lastIndex,
      terms: durable.terms(),
      commitIndex: Math.max(hardState.commitIndex, appliedIndex),
      appliedIndex,
    };
    const configuration = stored?.metadata.configuration ?? this.#founding;
    const snapshot = stored?.metadata ?? null;
    const begin = { id: this.id, group: 0, hardState, configuration, snapshot, log };
    this.core = new RaftCore(begin, this.#options, this.#random.fork(`start ${this.#nextReadId}`), (event) => this.#traced(event));
    this.#nextTickAt = this.now + 1;
    this.status = this.core.status();
    return this.status;
  }

  /** @param survivors - how many of the writes under way reach the disk all the same. */
  crash(survivors: number): void {
    this.core = null;
    this.disk.crash(Math.min(survivors, this.disk.pending));
  }

  #traced(event: TraceEvent): void {
    if (event.type === "configuration") this.#host.oracle.configured(this.id, event.index, event.configuration);
    if (event.type === "truncate")
      promise(this.core === null || this.core.leaderId !== this.id, () => `leader ${this.id} cuts its own log`);
    this.#host.event(this.id, event);
  }

  /** Gives the core all that has gathered. */
  step(): void {
    const { core, inbox } = this;
    if (core === null) return;
    const { compactTo } = inbox;
    const input = inbox.take(this.now, this.#proposals, this.#reads, []);
    this.#proposals = [];
    this.#reads = [];
    const before = this.status;
    const output = this.#stepCore(core, input);
    this.#write(output);
    this.status = core.status();
    this.#judge(before, this.status);
    for (const message of output.messages) this.#send(message);
    for (const { id, index } of output.reads) this.#readable(id, index);
    this.#fetches.push(...output.fetch);
    if (output.apply !== null) this.#machine.give(output.apply);
    if (compactTo !== undefined) this.#compact(compactTo);
  }

  #stepCore(core: RaftCore, input: Parameters<RaftCore["step"]>[0]): RaftOutput {
    try {
      return core.step(input);
    } catch (error) {
      throw error instanceof Violation ? error : new Violation(`node ${this.id} threw: ${String(error)}`);
    }
  }

  #write({ write }: RaftOutput): void {
    if (write === null) return;
    const { disk } = this;
    const first = write.entries[0];
    if (first !== undefined) {
      const { commitIndex } = this.status;
      promise(first.index > commitIndex, () => `node ${this.id} replaces the committed entry ${first.index}`);
    }
    const durable = disk.push(write);
    this.#host.oracle.written(this.id, disk.view, write.entries);
    if (durable !== null) this.inbox.durableSequence = durable;
  }

  #judge(before: RaftStatus, after: RaftStatus): void {
    const { oracle } = this.#host;
    promise(after.currentTerm >= before.currentTerm, () => `node ${this.id} went back to term ${after.currentTerm}`);
    promise(after.commitIndex >= before.commitIndex, () => `node ${this.id} takes its commit index back to ${after.commitIndex}`);
    const isNewLeader = after.role === "leader" && (before.role !== "leader" || before.currentTerm !== after.currentTerm);
    if (isNewLeader) oracle.elected(this.id, after, this.disk, this.disk.view);
    if (after.commitIndex === before.commitIndex) return;
    const leaderTerm = before.role === "leader" ? before.currentTerm : after.role === "leader" ? after.currentTerm : 0;
    const move = { before: before.commitIndex, now: after.commitIndex, leaderTerm };
    oracle.commits(this.id, move, this.disk.view, (index) => {
      return [before, after].some(({ configuration }) => this.#host.isOnQuorum(configuration, index));
    });
  }

  #send(message: Message): void {
    this.#host.oracle.sent(message, this.disk, this.status.role === "candidate");
    const data = message.type === "InstallSnapshot" ? (this.disk.snapshots.get(message.snapshot.index) ?? null) : null;
    this.#host.send(message, data);
  }

  #readable(id: number, index: number | null): void {
    const read = this.#pendingReads.get(id);
    this.#pendingReads.delete(id);
    if (read === undefined) return;
    this.#host.count(index === null ? "read refused" : read.lease ? "read by lease" : "read by quorum");
    if (index === null) return;
    promise(index >= read.floor, () => {
      return `stale read: node ${this.id} may read at ${index}, but ${read.floor} was committed when the ${read.lease ? "lease " : ""}read came`;
    });
  }

  /** As the driver does. */
  #compact(index: number): void {
    const { compactedIndex, snapshotIndex, appliedIndex } = this.status;
    if (appliedIndex < compactedIndex) return;
    if (compactedIndex >= index) this.disk.compact(compactedIndex, this.#random.chance(0.5));
    this.disk.tidySnapshots(snapshotIndex);
  }

  receive(message: Message): void {
    this.inbox.add(message);
  }

  /** A tick, if the clock says so. */
  tick(): void {
    if (this.core === null || this.now < this.#nextTickAt) return;
    this.inbox.ticks++;
    this.#nextTickAt = this.now + 1;
    this.step();
  }

  propose(commands: readonly Uint8Array[]): void {
    this.#proposals.push(...commands);
  }

  read(lease: boolean): void {
    const id = this.#nextReadId++;
    this.#pendingReads.set(id, { floor: this.#host.oracle.committedIndex, lease });
    this.#reads.push({ id, lease });
  }

  /** The oldest write under way reaches the disk. */
  completeWrite(): void {
    const done = this.core === null ? null : this.disk.complete();
    if (done === null) return;
    if (done.installed !== null) this.#machine.installed(done.installed);
    this.inbox.durableSequence = done.sequence;
  }

  /** The state machine finishes the oldest thing that it was given. */
  work(): void {
    if (this.core !== null) this.#machine.work(this.inbox);
  }

  /** Storage answers the oldest wish to read entries for a follower. */
  completeFetch(): void {
    const request = this.#fetches.shift();
    if (request === undefined) return;
    const { peer, from, to, maxBytes } = request;
    let bytes = 0;
    const entries = this.disk.view.slice(from, to).filter(({ index, data }) => {
      bytes += data.length;
      return index === from || bytes <= maxBytes;
    });
    this.inbox.fetched.push({ peer, from, entries });
  }

  /** @param tail - how many entries before the snapshot the log is to keep. */
  takeSnapshot(tail: number): void {
    if (this.core !== null) this.#machine.take(this.core.describeSnapshot(), tail);
  }

  finishSnapshot(): void {
    if (this.core !== null) this.#machine.finishSnapshot(this.inbox);
  }

  /** @returns whether the snapshot was taken, as its sender is told. */
  receiveSnapshot(message: Message & { type: "InstallSnapshot" }, data: StoredSnapshot | null): boolean {
    if (this.core === null || data === null || message.term < this.status.currentTerm) return false;
    if (message.snapshot.index > this.status.commitIndex) this.disk.snapshots.set(message.snapshot.index, data);
    this.inbox.add(message);
    return true;
  }
}
