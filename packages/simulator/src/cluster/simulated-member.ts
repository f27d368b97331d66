import { createNode, type Member, type Node, type NodeEvent, type NodeOptions, type NodeStatus, type StateMachine } from "@octopii/core";
import type { FileSystem } from "@octopii/interfaces";
import type { SeededRandom, SimulatedProcess, World } from "@octopii/testing";

/** The virtual length of a tick: short, so that many elections fit into a run. */
const tickMs = 20;
const clusterName = "simulated";

/** Where a member's files are on its simulated disk. */
export const dataDirectory = "/data";

/** Where its log is. */
export const logDirectory: string = `${dataDirectory}/log`;

/** By when a node answers whoever did not say how long to wait. */
const requestTimeoutMs = 3_000;

/** Told what a member's node says, and when it cannot start. */
export interface MemberObserver {
  event(id: number, event: NodeEvent): void;
  /** The node is up; nothing has happened in it yet. */
  started(id: number, status: NodeStatus): void;
  startFailed(id: number, error: unknown): void;
  closeFailed(id: number, error: unknown): void;
}

/** How a member's node is set up. */
export type MemberSetup = Omit<NodeOptions, "id" | "cluster" | "directory">;

/** In what a node differs from the one that the member is meant to run, and whom it tells. */
interface NodeDifferences {
  readonly id?: number;
  readonly listenAddress?: string;
  readonly fileSystem?: FileSystem;
  readonly stateMachine?: StateMachine;
  readonly onEvent?: (event: NodeEvent) => void;
}

/** Why nobody may start a member's node: it left the cluster, its log is lost, or somebody is busy with its disk. */
export type OutOfService = "retired" | "damaged" | "held";

/** One member of a simulated cluster: a machine with a disk and a clock, and the node that runs on it at the moment. */
export class SimulatedMember {
  readonly id: number;
  readonly host: string;
  outOfService: OutOfService | null = null;
  /** Its node has stopped by itself, or could not start; its process is still there. */
  hasFailed = false;
  /** A node has come up on this disk: from then on its log must be there. */
  hasTakenPart = false;
  /** Disk faults that it has met, or may meet. */
  diskTrouble = 0;
  readonly #world: World;
  readonly #setup: MemberSetup;
  readonly #observer: MemberObserver;
  readonly #newStateMachine: () => StateMachine;
  #process: SimulatedProcess;
  #node: Node | null = null;
  #disturbedAt = 0;
  #flushesFailedAtBoot = 0;
  #stateMachine: StateMachine;
  /** A second machine that takes itself for this member; `#intruder` while it runs. */
  #twin: SimulatedProcess | null = null;
  #intruder: SimulatedProcess | null = null;

  constructor(id: number, world: World, setup: MemberSetup, newStateMachine: () => StateMachine, observer: MemberObserver) {
    this.id = id;
    this.host = hostOf(id);
    this.#world = world;
    this.#setup = setup;
    this.#observer = observer;
    this.#newStateMachine = newStateMachine;
    this.#stateMachine = newStateMachine();
    this.#process = world.process(this.host, { identity: { name: this.host, cluster: clusterName, nodeId: id } });
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  get address(): string {
    return addressOf(this.id);
  }

  /** The node, if its process lives; it may still be starting. */
  get node(): Node | null {
    return this.#process.state === "dead" ? null : this.#node;
  }

  get stateMachine(): StateMachine {
    return this.#stateMachine;
  }

  /** Whether there is a node that runs, or is on its way. */
  get isUp(): boolean {
    return this.node !== null && !this.hasFailed;
  }

  /** Whether the process has run without a crash, a pause or a restart since the virtual time `since`. */
  undisturbedSince(since: number): boolean {
    return this.#process.state === "running" && this.#disturbedAt < since;
  }

  /** Notes that something was done to the process. */
  disturb(): void {
    this.#disturbedAt = this.#world.now();
  }

  /** The machine's clock runs fast or slow from now on. */
  skew(random: SeededRandom, partsPerMillionMax: number): void {
    this.#process.setClockRate(random.between(-partsPerMillionMax, partsPerMillionMax));
  }

  /** The power fails. @param unsynced - what becomes of what was not synced. */
  crash(unsynced: "seed" | "lose" = "seed"): void {
    this.#end();
    this.#flushesFailedAtBoot = this.#process.disk.faults.struck.syncDirectory ?? 0;
    this.#process.crash({ unsynced });
  }

  /** The process dies; its machine lives on, unless it has to be booted anew. */
  kill(): void {
    if (this.#mustReboot) return this.crash();
    this.#end();
    this.#process.kill();
  }

  /**
   * Where the names of files could not be made durable, a journal has given up: until the machine is booted anew, what its files show is
   * not what its disk holds, and no process on it can tell.
   */
  get #mustReboot(): boolean {
    return (this.#process.disk.faults.struck.syncDirectory ?? 0) > this.#flushesFailedAtBoot;
  }

  /** Closes the node as an operator would, then ends its process. */
  leave(): void {
    const { node } = this;
    const process = this.#process;
    this.disturb();
    if (node === null) return this.kill();
    void node.close().then(
      () => {
        if (process === this.#process) this.kill();
      },
      (error: unknown) => this.#observer.closeFailed(this.id, error),
    );
  }

  /** Starts a node in a fresh process, on what the disk holds; unless it is out of service, or its process lives. */
  start(): void {
    if (this.outOfService !== null || (this.#node !== null && this.#process.state !== "dead")) return;
    this.disturb();
    if (this.#process.state === "dead") this.#process = this.#process.restart();
    this.hasFailed = false;
    this.#stateMachine = this.#newStateMachine();
    const onEvent = (event: NodeEvent): void => this.#observer.event(this.id, event);
    const node = this.#make(this.#process, { stateMachine: this.#stateMachine, onEvent });
    this.#node = node;
    const process = this.#process;
    node.start().then(
      () => {
        this.hasTakenPart = true;
        this.#observer.started(this.id, node.status());
      },
      (error: unknown) => {
        // What a dead process would have said, nobody hears.
        if (process.state !== "dead") this.#observer.startFailed(this.id, error);
      },
    );
    this.#world.note(this.host, "member:start", this.#process.incarnation);
  }

  /**
   * Tries to start a node that must be refused, on what the disk holds, while the member is out of service.
   * @param settled - told how it went, unless the process dies before. Null: it started.
   */
  tryStart(id: number, settled: (error: unknown) => void): void {
    if (this.#process.state === "dead") this.#process = this.#process.restart();
    this.#node = null;
    this.#watch(this.#make(this.#process, { id }), settled);
  }

  /** Starts a second node of this name, on another machine that has this one's disk mounted. As {@link tryStart}. */
  duplicate(settled: (error: unknown) => void): void {
    const identity = { name: this.host, cluster: clusterName, nodeId: this.id };
    const intruder = this.#twin?.restart() ?? this.#world.process(`${this.host}-twin`, { identity });
    this.#twin = intruder;
    this.#intruder = intruder;
    const files = intruder.mount(this.#process.disk);
    const finish = (error: unknown): void => {
      if (this.#intruder !== intruder) return;
      this.#endIntruder();
      settled(error);
    };
    const node = this.#make(intruder, { fileSystem: files, listenAddress: `${intruder.name}:7000` });
    this.#watch(node, finish);
  }

  #watch(node: Node, settled: (error: unknown) => void): void {
    node.start().then(
      () => settled(null),
      (error: unknown) => settled(error),
    );
  }

  #end(): void {
    this.disturb();
    this.#process.disk.silentFaults.clear();
    // Two nodes on one disk exclude each other while both live, and that is all that is promised.
    this.#endIntruder();
  }

  #endIntruder(): void {
    this.#intruder?.kill();
    this.#intruder = null;
  }

  #make(process: SimulatedProcess, differing: NodeDifferences): Node {
    const { id = this.id, stateMachine = this.#newStateMachine(), onEvent = () => undefined } = differing;
    const { clock, scheduler, random, transport } = process;
    const fileSystem = differing.fileSystem ?? process.fileSystem;
    const timing = { tickMs, requestTimeoutMs, snapshotStallMs: requestTimeoutMs };
    const members = this.#setup.members.map((member) => (member.id === this.id ? { ...member, id } : member));
    const listenAddress = differing.listenAddress ?? this.address;
    return createNode(
      { ...timing, ...this.#setup, members, listenAddress, id, cluster: clusterName, directory: dataDirectory },
      { stateMachine, clock, scheduler, random, fileSystem, transport, onEvent },
    );
  }
}

/** The name of a member's machine. */
function hostOf(id: number): string {
  return `n${id}`;
}

/** Where a member listens. */
export function addressOf(id: number): string {
  return `${hostOf(id)}:7000`;
}

/** The founding members of a cluster of `count`. */
export function foundingMembers(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, address: addressOf(i + 1) }));
}
