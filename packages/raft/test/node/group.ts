import { createManualTime, createRandom, type ManualTime } from "@octopii/testing";
import {
  createMemoryKeyValue,
  createMemoryLogStorage,
  createMemoryNetwork,
  createMemorySnapshotStorage,
  encodeKeyValueCommand,
  type MemoryKeyValue,
  type MemoryLogStorage,
  type MemoryNetwork,
  type MemorySnapshotStorage,
} from "../../src/conformance/index.js";
import {
  type Configuration,
  emptyConfiguration,
  type Message,
  openRaftNode,
  type PeerNetwork,
  type RaftNode,
  type RaftNodeEvent,
  type RaftNodeOptions,
} from "../../src/index.js";
import type { CompletePorts } from "../../src/node/node-ports.js";

type Ports = CompletePorts<string | null>;

/** Changes some of a member's ports. */
export type ChangePorts = (ports: Ports) => Partial<Ports>;

/** Lets every promise job that is due run, however many there are. */
export const drain = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const votersOf = (...voters: number[]): Configuration => ({ ...emptyConfiguration, voters });

/** A command that sets a key. */
export const set = (key: string, value = key): Uint8Array => encodeKeyValueCommand({ key, value });

/** What a call comes to: its value, or the error. Handled from the first moment. */
export const outcomeOf = <Value>(call: Promise<Value>): Promise<unknown> => call.catch((error: unknown) => error);

/** One replica, its process and its disk. */
export class Member {
  readonly id: number;
  readonly time: ManualTime;
  readonly events: RaftNodeEvent[] = [];
  /** Batches that were handed to the network, oldest first. */
  readonly sent: { to: number; messages: readonly Message[] }[] = [];
  log: MemoryLogStorage;
  snapshots: MemorySnapshotStorage = createMemorySnapshotStorage();
  machine: MemoryKeyValue = createMemoryKeyValue();
  /** Messages for which this gives false are lost on their way out. */
  mayPass: (message: Message) => boolean = () => true;
  readonly #hub: MemoryNetwork;
  #node: RaftNode<string | null> | null = null;
  #starts = 0;

  constructor(id: number, time: ManualTime, hub: MemoryNetwork, writeMs: number) {
    this.id = id;
    this.time = time;
    this.#hub = hub;
    this.log = createMemoryLogStorage(writeMs === 0 ? {} : { scheduler: time.scheduler, writeMs });
  }

  get node(): RaftNode<string | null> {
    if (this.#node === null) throw new Error(`node ${this.id} is not open`);
    return this.#node;
  }

  get isOpen(): boolean {
    return this.#node !== null;
  }

  get isLeader(): boolean {
    return this.#node !== null && this.#node.stoppedBy === null && this.#node.status().role === "leader";
  }

  async open(configuration: Configuration, options: RaftNodeOptions, change: ChangePorts): Promise<void> {
    const ports: Ports = {
      storage: this.log,
      snapshots: this.snapshots,
      network: this.#network(),
      stateMachine: this.machine,
      clock: this.time.clock,
      scheduler: this.time.scheduler,
      random: createRandom(`node ${this.id}, start ${++this.#starts}`),
    };
    const all = { ...ports, ...change(ports) };
    this.#node = await openRaftNode({ id: this.id, configuration }, all, options, (event) => this.events.push(event));
  }

  /** The process is gone, and with it what was not on stable storage. */
  async crash(): Promise<void> {
    const { node } = this;
    this.log = this.log.crash();
    this.snapshots = this.snapshots.crash();
    this.machine = createMemoryKeyValue();
    this.#node = null;
    // Nobody waits for its end: what it still asks of its disk never comes to one.
    void node.close();
    await drain();
  }

  /** The disk is gone too. */
  forgetDisk(): void {
    this.log = createMemoryLogStorage();
    this.snapshots = createMemorySnapshotStorage();
  }

  count(type: RaftNodeEvent["type"]): number {
    return this.events.filter((event) => event.type === type).length;
  }

  #network(): PeerNetwork {
    const network = this.#hub.connect(this.id);
    return {
      attach: (group, receiver) => network.attach(group, receiver),
      sendSnapshot: (...args) => network.sendSnapshot(...args),
      send: (to, messages) => {
        this.sent.push({ to, messages });
        const passing = messages.filter((message) => this.mayPass(message));
        if (passing.length > 0) network.send(to, passing);
      },
    };
  }
}

/** A peer that says what the test says. */
export class FakePeer {
  readonly id: number;
  readonly received: Message[] = [];
  readonly #network: PeerNetwork;

  constructor(id: number, hub: MemoryNetwork) {
    this.id = id;
    this.#network = hub.connect(id);
    this.#network.attach(0, {
      receive: (_from, messages) => void this.received.push(...messages),
      receiveSnapshot: async (_from, message) => void this.received.push(message),
      unreachable: () => undefined,
    });
  }

  say(...messages: Message[]): void {
    this.#network.send(messages[0]?.to ?? 0, messages);
  }

  /** What came of one type. */
  heard<Type extends Message["type"]>(type: Type): Extract<Message, { type: Type }>[] {
    return this.received.flatMap((message) => (message.type === type ? [message as Extract<Message, { type: Type }>] : []));
  }
}

/** How a {@link Group} is made. */
export interface GroupOptions {
  /** Founders and voters. Default: 1, 2 and 3. */
  readonly voters?: readonly number[];
  readonly options?: RaftNodeOptions;
  /** How long a write takes. Default 0: durable at once. */
  readonly writeMs?: number;
  /** Per member. */
  readonly ports?: (id: number, ports: Ports) => Partial<Ports>;
}

/** Whole replicas in one process, in simulated time. A tick is 10 ms, and an election follows 100 to 200 ms of silence. */
export class Group {
  readonly time: ManualTime = createManualTime();
  readonly hub: MemoryNetwork = createMemoryNetwork({ scheduler: this.time.scheduler });
  readonly members = new Map<number, Member>();
  readonly #how: GroupOptions;
  readonly #founders: Configuration;

  constructor(how: GroupOptions) {
    this.#how = how;
    this.#founders = votersOf(...(how.voters ?? [1, 2, 3]));
  }

  static async open(how: GroupOptions = {}): Promise<Group> {
    const group = new Group(how);
    for (const id of group.#founders.voters) await group.start(id);
    return group;
  }

  member(id: number): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  /** Starts a founder, one that was away, or somebody new. */
  async start(id: number, options: RaftNodeOptions = {}, ports: ChangePorts = () => ({})): Promise<Member> {
    const member = this.members.get(id) ?? new Member(id, this.time, this.hub, this.#how.writeMs ?? 0);
    this.members.set(id, member);
    const configuration = this.#founders.voters.includes(id) ? this.#founders : emptyConfiguration;
    const change: ChangePorts = (all) => ({ ...this.#how.ports?.(id, all), ...ports(all) });
    await member.open(configuration, { tickMs: 10, requestTimeoutMs: 1_000, ...this.#how.options, ...options }, change);
    return member;
  }

  /** Lets milliseconds pass, promises included. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed++) {
      this.time.advance(1);
      await drain();
    }
  }

  /** Lets time pass until `condition` holds. */
  async until(condition: () => boolean, withinMs = 2_000): Promise<void> {
    for (let passed = 0; passed < withinMs && !condition(); passed++) await this.pass(1);
    if (condition()) return;
    throw new Error(`it did not come to that within ${withinMs} ms: ${condition}`);
  }

  /** Lets time pass until the call has come to its end. */
  async settled<Value>(call: Promise<Value>, withinMs = 2_000): Promise<Value> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    call.then(settle, settle);
    await this.until(() => isSettled, withinMs);
    return call;
  }

  /** Has member `id` elected, and waits until it has applied the entry that begins its term. */
  async elect(id = 1): Promise<Member> {
    const member = this.member(id);
    await this.until(() => {
      if (!member.isLeader && this.time.clock.now() % 20 === 0) member.node.campaign();
      return member.isLeader && member.node.status().appliedIndex === member.node.status().lastIndex;
    });
    await this.until(() =>
      [...this.members.values()].every((one) => this.isAway(one) || one.node.stoppedBy !== null || one.node.leaderId === id),
    );
    return member;
  }

  /** Proposes so many commands at once, and waits for all. */
  async write(member: Member, count: number, prefix = "key"): Promise<void> {
    await this.settled(Promise.all(Array.from({ length: count }, (_, at) => member.node.propose(set(`${prefix} ${at}`)))));
  }

  /** Closes everybody. Fails if that leaves a timer behind. */
  async close(): Promise<void> {
    const open = [...this.members.values()].filter((member) => !this.isAway(member));
    const closing = Promise.all(open.map((member) => member.node.close()));
    await this.settled(closing);
    await this.pass(20);
    if (this.time.pending > 0) throw new Error(`${this.time.pending} timers or turns are left behind`);
  }

  /** Crashed, and not started again. */
  isAway(member: Member): boolean {
    return !member.isOpen;
  }
}
