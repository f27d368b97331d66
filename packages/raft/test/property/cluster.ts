import type { NodeId } from "@octopii/interfaces";
import {
  type Configuration,
  type ConfigurationChange,
  jointVoteResult,
  type Message,
  membersOf,
  type RaftCoreOptions,
  type TraceEvent,
} from "../../src/index.js";
import type { StoredSnapshot } from "./disk.js";
import { type Judge, Oracle } from "./oracle.js";
import { type ReplicaHost, SimulatedReplica } from "./replica.js";
import { Seeded } from "./seeded.js";
import { Violation } from "./violation.js";

/** What a cluster is made of; follows from a seed. */
export interface ClusterSetup {
  readonly seed: number;
  /** The founders, who all vote. */
  readonly voters: number;
  /** All ids, founders first: the others wait to be added. */
  readonly nodes: number;
  readonly options: RaftCoreOptions;
  /** Each node's ticks per tick of a perfect clock. */
  readonly clockRates: readonly number[];
  /** Default true; otherwise disks lose in a crash what they have acknowledged. */
  readonly isDiskHonest?: boolean;
}

/** Who else looks on. */
export interface ClusterWatchers {
  readonly createOracle?: (founding: Configuration) => Judge;
  readonly onEvent?: ((id: NodeId, event: TraceEvent) => void) | undefined;
}

/** On its way: a message, or the word to a leader of what became of its snapshot. */
interface Parcel {
  readonly message: Message;
  readonly data: StoredSnapshot | null;
  readonly report: boolean | null;
}

/** Nodes, and a network that holds everything until it is told what to do with it. */
export class SimulatedCluster implements ReplicaHost {
  readonly oracle: Judge;
  readonly replicas: readonly SimulatedReplica[];
  readonly random: Seeded;
  time = 0;
  parcels: Parcel[] = [];
  /** One side of a partition. */
  cut: ReadonlySet<NodeId> = new Set();
  /** How often each kind of trace event, and of read, came. */
  readonly seen = new Map<string, number>();
  #lastCommand = 0;
  readonly #onEvent: ClusterWatchers["onEvent"];

  constructor(
    { seed, voters, nodes, options, clockRates, isDiskHonest = true }: ClusterSetup,
    { createOracle = (founding) => new Oracle(founding), onEvent }: ClusterWatchers = {},
  ) {
    this.random = new Seeded(seed);
    const ids = Array.from({ length: nodes }, (_, at) => at + 1);
    const founding = { voters: ids.slice(0, voters), votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    this.oracle = createOracle(founding);
    this.#onEvent = onEvent;
    this.replicas = ids.map((id) => {
      const parts = { host: this, options, random: this.random.fork(`node ${id}`), clockRate: clockRates[id - 1] ?? 1, isDiskHonest };
      return new SimulatedReplica(id, founding, parts);
    });
  }

  at(id: NodeId): SimulatedReplica {
    return this.replicas[id - 1] as SimulatedReplica;
  }

  event(id: NodeId, event: TraceEvent): void {
    this.#onEvent?.(id, event);
    this.count(event.type === "drop" ? `drop ${event.reason}` : event.type === "snapshot" ? `snapshot ${event.phase}` : event.type);
  }

  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  isOnQuorum({ voters, votersOutgoing }: Configuration, index: number): boolean {
    const { term } = this.oracle.committed[index] ?? { term: -1 };
    return jointVoteResult(voters, votersOutgoing, (id) => this.at(id).disk.durable.holds(index, term)) === "won";
  }

  send(message: Message, data: StoredSnapshot | null): void {
    if (message.to < 1 || message.to > this.replicas.length) throw new Violation(`a message to nobody: ${message.to}`);
    if (this.parcels.length < 500) this.parcels.push({ message, data, report: null });
  }

  /** Delivers the parcel at a place, without a step. */
  deliver(at: number): SimulatedReplica | null {
    const [parcel] = this.parcels.splice(at, 1);
    if (parcel === undefined) return null;
    const { message, data, report } = parcel;
    const isCut = this.cut.has(message.from) !== this.cut.has(message.to);
    if (report !== null) return this.#report(message, report);
    const receiver = this.at(message.to);
    if (message.type === "InstallSnapshot") {
      const isTaken = !isCut && receiver.receiveSnapshot(message, data);
      this.parcels.push({ message, data: null, report: isTaken });
      return isTaken ? receiver : null;
    }
    if (isCut || receiver.core === null) return null;
    receiver.receive(message);
    return receiver;
  }

  #report({ from, to }: Message, delivered: boolean): SimulatedReplica | null {
    const sender = this.at(from);
    if (sender.core === null) return null;
    sender.inbox.snapshotReports.push({ peer: to, delivered });
    return sender;
  }

  /** The network loses a parcel. A snapshot's sender gets to know. */
  lose(at: number): void {
    const parcel = this.parcels[at];
    if (parcel === undefined || parcel.report !== null) return;
    this.parcels.splice(at, 1);
    if (parcel.message.type === "InstallSnapshot") this.parcels.push({ ...parcel, report: false });
  }

  duplicate(at: number): void {
    const parcel = this.parcels[at];
    if (parcel !== undefined && parcel.report === null && parcel.message.type !== "InstallSnapshot") this.parcels.push(parcel);
  }

  advance(ticks: number, isStalled: (id: NodeId) => boolean): void {
    this.time += ticks;
    for (const replica of this.replicas) if (!isStalled(replica.id)) replica.tick();
  }

  /** A command that nobody else proposes. */
  command(): Uint8Array {
    const number = ++this.#lastCommand;
    return Uint8Array.of(number & 0xff, (number >> 8) & 0xff, number >> 16);
  }

  leaders(): SimulatedReplica[] {
    return this.replicas.filter(({ core, status }) => core !== null && status.role === "leader");
  }

  change(replica: SimulatedReplica, change: ConfigurationChange, mustKeepQuorum: boolean): void {
    replica.inbox.change = { change, mustKeepQuorum };
  }

  /** Everything that is under way comes to its end, in order; at most so many rounds. */
  settle(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      const isQuiet = this.parcels.length === 0 && !this.replicas.some(({ isBusy }) => isBusy);
      if (isQuiet) return;
      for (let left = this.parcels.length; left > 0; left--) this.deliver(0)?.step();
      for (const replica of this.replicas) {
        if (replica.core === null) continue;
        while (replica.disk.pending > 0) replica.completeWrite();
        replica.work();
        replica.completeFetch();
        replica.finishSnapshot();
        replica.step();
      }
    }
  }

  /** Everybody is back, nothing is lost any more: within so many ticks a leader commits, and all members apply it. */
  recover(ticks: number): void {
    this.cut = new Set();
    for (const replica of this.replicas) if (replica.core === null) replica.start();
    for (let part = 0; part < 3 * ticks; part++) {
      this.advance(1 / 3, () => false);
      this.settle(20);
      if (part % 9 === 8 && this.#isWorking()) return;
    }
    throw new Violation(`liveness: ${ticks} ticks after everything healed: ${this.describe()}`);
  }

  #isWorking(): boolean {
    const [leader, ...others] = this.leaders();
    if (leader === undefined || others.length > 0 || leader.status.transferTarget !== 0) return false;
    const before = this.oracle.committedIndex;
    leader.propose([this.command()]);
    leader.step();
    for (let round = 0; round < 3; round++) {
      this.settle(20);
      // A follower that was told of its last entries by heartbeats needs one more.
      this.advance(1, () => false);
    }
    this.settle(20);
    const { configuration, lastIndex } = leader.status;
    const isBehind = (id: NodeId): boolean => this.at(id).status.appliedIndex < lastIndex;
    return this.oracle.committedIndex > before && !membersOf(configuration).some(isBehind);
  }

  describe(): string {
    const lines = this.replicas.map(({ id, core, status }) => {
      const { role, currentTerm, leaderId, compactedIndex, lastIndex, durableIndex, commitIndex, appliedIndex, configuration } = status;
      const where = `log (${compactedIndex}, ${lastIndex}] durable ${durableIndex} committed ${commitIndex} applied ${appliedIndex}`;
      const followers = status.progress.map(
        (one) => `${one.id}:${one.state} ${one.matchIndex}/${one.nextIndex}${one.paused ? " paused" : ""}`,
      );
      const state = `${core === null ? "down, was " : ""}${role} of term ${currentTerm}, leader ${leaderId}, ${where}`;
      return `  node ${id}: ${state}, ${JSON.stringify(configuration)} ${followers.join(", ")}`;
    });
    return `\n${lines.join("\n")}`;
  }
}
