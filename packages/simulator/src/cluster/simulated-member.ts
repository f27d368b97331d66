import { createNode, type KeyValueStore, keyValueStore, type Member, type Node, type NodeEvent } from "@octopii/core";
import type { SimulatedProcess, World } from "@octopii/testing";
import type { ClusterPlan } from "./plan.js";

/** The virtual length of a tick: short, so that many elections fit into a run. */
const tickMs = 20;
const clusterName = "simulated";

/** Where a member's files are on its simulated disk. */
const directory = "/data";

/** Told what a member's node says, and when it cannot start. */
export interface MemberObserver {
  event(id: number, event: NodeEvent): void;
  startFailed(id: number, error: unknown): void;
  closeFailed(id: number, error: unknown): void;
}

/** One member of a simulated cluster: a machine with a disk, and the node that runs on it at the moment. */
export class SimulatedMember {
  readonly id: number;
  readonly host: string;
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #plan: ClusterPlan;
  readonly #observer: MemberObserver;
  #process: SimulatedProcess;
  #node: Node | null = null;
  #disturbedAt = 0;
  #store: KeyValueStore = keyValueStore();

  constructor(id: number, world: World, members: readonly Member[], plan: ClusterPlan, observer: MemberObserver) {
    this.id = id;
    this.host = hostOf(id);
    this.#world = world;
    this.#members = members;
    this.#plan = plan;
    this.#observer = observer;
    this.#process = world.process(this.host, { identity: { name: this.host, cluster: clusterName, nodeId: id } });
  }

  get process(): SimulatedProcess {
    return this.#process;
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
    const { logSegmentBytes, cacheBytesMax, appendBytesMax, inflightCountMax, preVote } = this.#plan;
    const tuning = { tickMs, requestTimeoutMs: 3_000, logSegmentBytes, cacheBytesMax, appendBytesMax, inflightCountMax, preVote };
    const node = createNode(
      { id: this.id, cluster: clusterName, directory, members: this.#members, ...tuning },
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
    node.start().catch((error: unknown) => {
      // What a dead process would have said, nobody hears.
      if (process.state !== "dead") this.#observer.startFailed(this.id, error);
    });
    this.#world.note(this.host, "member:start", this.#process.incarnation);
  }
}

/** The name of a member's machine. */
function hostOf(id: number): string {
  return `n${id}`;
}

/** The founding members of a cluster of `count`. */
export function foundingMembers(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, address: `${hostOf(i + 1)}:7000` }));
}
