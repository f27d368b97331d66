import {
  createNode,
  type KeyValueStore,
  keyValueStore,
  type Member,
  type Node,
  type NodeEvent,
  type NodeOptions,
  type NodeStatus,
} from "@octopii/core";
import type { SeededRandom, SimulatedProcess, World } from "@octopii/testing";

/** The virtual length of a tick: short, so that many elections fit into a run. */
const tickMs = 20;
const clusterName = "simulated";

/** Where a member's files are on its simulated disk. */
const directory = "/data";

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

/** One member of a simulated cluster: a machine with a disk and a clock, and the node that runs on it at the moment. */
export class SimulatedMember {
  readonly id: number;
  readonly host: string;
  /** Nobody starts it again: it was removed from the cluster, and its machine switched off. */
  retired = false;
  readonly #world: World;
  readonly #setup: MemberSetup;
  readonly #observer: MemberObserver;
  #process: SimulatedProcess;
  #node: Node | null = null;
  #disturbedAt = 0;
  #store: KeyValueStore = keyValueStore();

  constructor(id: number, world: World, setup: MemberSetup, observer: MemberObserver) {
    this.id = id;
    this.host = hostOf(id);
    this.#world = world;
    this.#setup = setup;
    this.#observer = observer;
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

  get store(): KeyValueStore {
    return this.#store;
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

  /** Closes the node as an operator would, then ends its process. */
  leave(): void {
    const { node } = this;
    const process = this.#process;
    this.disturb();
    if (node === null) return process.kill();
    void node.close().then(
      () => process.kill(),
      (error: unknown) => this.#observer.closeFailed(this.id, error),
    );
  }

  /** Starts a node in a fresh process, on what the disk holds. */
  start(): void {
    this.disturb();
    if (this.#process.state === "dead") this.#process = this.#process.restart();
    const { clock, scheduler, random, fileSystem, transport } = this.#process;
    this.#store = keyValueStore();
    const options = { tickMs, requestTimeoutMs, snapshotStallMs: requestTimeoutMs, ...this.#setup };
    const node = createNode(
      { id: this.id, cluster: clusterName, directory, ...options },
      {
        stateMachine: this.#store,
        clock,
        scheduler,
        random,
        fileSystem,
        transport,
        onEvent: (event) => this.#observer.event(this.id, event),
      },
    );
    this.#node = node;
    const process = this.#process;
    node.start().then(
      () => this.#observer.started(this.id, node.status()),
      (error: unknown) => {
        // What a dead process would have said, nobody hears.
        if (process.state !== "dead") this.#observer.startFailed(this.id, error);
      },
    );
    this.#world.note(this.host, "member:start", this.#process.incarnation);
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
