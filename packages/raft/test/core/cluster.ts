import type {
  ChangeResult,
  Configuration,
  ConfigurationChange,
  MemberChange,
  Message,
  RaftCoreOptions,
  RaftInput,
} from "../../src/index.js";
import { group, TestReplica } from "./replica.js";

export { bytes, group, TestReplica, texts } from "./replica.js";

/** A few replicas and a network in between that delivers everything, unless told otherwise. */
export class TestCluster {
  readonly replicas: Map<number, TestReplica> = new Map();
  /** Answers whether a message gets through. A snapshot that does not is reported as failed. */
  filter: (message: Message) => boolean = () => true;
  /** Who is down: nothing reaches it, and no time passes for it. */
  readonly down: Set<number> = new Set();
  readonly #options: RaftCoreOptions;

  /** @param members - how many founders, all of them voters, or who they are. */
  constructor(members: number | Configuration, options: RaftCoreOptions = {}) {
    this.#options = options;
    const configuration = typeof members === "number" ? group(Array.from({ length: members }, (_, i) => i + 1)) : members;
    for (const id of new Set([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners]))
      this.replicas.set(id, new TestReplica(id, { configuration, options }));
  }

  at(id: number): TestReplica {
    const replica = this.replicas.get(id);
    if (replica === undefined) throw new Error(`no replica ${id}`);
    return replica;
  }

  /** Starts a node that knows of no group yet. */
  join(id: number): TestReplica {
    const replica = new TestReplica(id, { configuration: group([]), options: this.#options });
    this.replicas.set(id, replica);
    return replica;
  }

  /** The leader of the latest term. */
  get leader(): TestReplica {
    const leaders = [...this.replicas.values()].filter(({ id, status }) => status.role === "leader" && !this.down.has(id));
    const [leader] = leaders.sort((a, b) => b.status.currentTerm - a.status.currentTerm);
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }

  cut(...ids: number[]): void {
    this.filter = ({ from, to }) => ids.includes(from) === ids.includes(to);
  }

  heal(): void {
    this.filter = () => true;
  }

  /** A crash. */
  stop(id: number): void {
    this.down.add(id);
  }

  /** The end of a crash, or a crash and a restart in one. */
  restart(id: number): void {
    this.down.delete(id);
    this.at(id).restart();
  }

  /** Gives one replica an input, then lets disks and network run until nothing is left to do. */
  run(id: number, input: RaftInput): void {
    this.settle(this.at(id).step(input));
  }

  /** Has the replica propose a change of the membership, and lets it run its course. */
  change(id: number, change: ConfigurationChange, mustKeepQuorum = false): ChangeResult {
    this.run(id, { change: { change, mustKeepQuorum } });
    const { changed } = this.at(id);
    if (changed === null) throw new Error(`replica ${id} did not judge the change`);
    return changed;
  }

  settle(messages: readonly Message[]): void {
    let pending = [...messages];
    for (let round = 0; ; round++) {
      if (round > 1000) throw new Error("the cluster does not come to rest");
      const alive = [...this.replicas.values()].filter(({ id }) => !this.down.has(id));
      for (const replica of alive) pending.push(...replica.flush());
      if (pending.length === 0 && alive.every(({ writes }) => writes.length === 0)) return;
      const batch = pending;
      pending = batch.flatMap((message) => this.#deliver(message));
    }
  }

  #deliver(message: Message): Message[] {
    const to = this.replicas.get(message.to);
    const arrives = to !== undefined && !this.down.has(message.to) && this.filter(message);
    if (message.type === "InstallSnapshot") return this.#deliverSnapshot(message, arrives);
    return arrives ? to.receive(message) : [];
  }

  /** The data goes ahead of the message, and the sender learns what became of it. */
  #deliverSnapshot(message: Message & { type: "InstallSnapshot" }, arrives: boolean): Message[] {
    const from = this.at(message.from);
    const report = from.step({ snapshotReports: [{ peer: message.to, delivered: arrives }] });
    if (!arrives) return report;
    const to = this.at(message.to);
    const stored = from.disk.snapshotAt(message.snapshot.index);
    if (stored === undefined) throw new Error(`replica ${message.from} sent a snapshot that it does not have`);
    if (to.disk.snapshotAt(message.snapshot.index) === undefined) to.disk.snapshots.push(stored);
    return [...report, ...to.receive(message)];
  }

  /** Time passes for all at once. */
  tick(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const replica of this.replicas.values()) replica.now++;
      for (const id of this.replicas.keys()) if (!this.down.has(id)) this.run(id, { ticks: 1 });
    }
  }

  elect(id: number): TestReplica {
    this.run(id, { campaign: true });
    return this.at(id);
  }
}

/** A change in one step, or, by `implicit` and `explicit`, through a joint configuration. */
export const change = (steps: string, transition: ConfigurationChange["transition"] = "auto"): ConfigurationChange => ({
  transition,
  changes: steps.split(" ").map(memberChange),
});

const types: Readonly<Record<string, MemberChange["type"]>> = { v: "addVoter", l: "addLearner", r: "removeNode", u: "updateNode" };

/** `v4` adds voter 4, `l4` a learner; `r4` removes it, `u4` updates it. */
function memberChange(step: string): MemberChange {
  const type = types[step[0] ?? ""];
  if (type === undefined) throw new Error(`no step: ${step}`);
  return { type, nodeId: Number(step.slice(1)) };
}
