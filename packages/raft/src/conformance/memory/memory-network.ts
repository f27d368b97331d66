import type { NodeId, Scheduler } from "@octopii/interfaces";
import { systemScheduler } from "@octopii/system";
import type { InstallSnapshot, Message } from "../../messages.js";
import { orAborted, untilAborted } from "../../node/or-aborted.js";
import type { PeerNetwork, PeerReceiver } from "../../ports.js";
import type { GroupId } from "../../types.js";

/** Options of {@link createMemoryNetwork}. */
export interface MemoryNetworkOptions {
  /** Default: the system's. */
  readonly scheduler?: Scheduler;
  /** How long a message is on its way. Default 0: it arrives with the next turn. */
  readonly latencyMs?: number;
}

/** Connects replicas of one process. Links can be cut; in between, messages arrive in order, none lost or repeated. */
export interface MemoryNetwork {
  /** The network as node `id` sees it. */
  connect(id: NodeId): PeerNetwork;
  /** Nothing passes between the two until {@link heal}: messages are lost, and snapshots on their way break. */
  cut(a: NodeId, b: NodeId): void;
  /** Nothing passes between the node and anybody until {@link heal}. */
  isolate(id: NodeId): void;
  /** All links work again. What was lost stays so. */
  heal(): void;
}

/** A snapshot on its way. */
interface SnapshotStream {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly broken: AbortController;
}

class Hub implements MemoryNetwork {
  readonly #scheduler: Scheduler;
  readonly #latencyMs: number;
  readonly #receivers = new Map<NodeId, Map<GroupId, PeerReceiver>>();
  readonly #cut = new Set<string>();
  readonly #isolated = new Set<NodeId>();
  readonly #streams = new Set<SnapshotStream>();

  constructor({ scheduler = systemScheduler, latencyMs = 0 }: MemoryNetworkOptions) {
    this.#scheduler = scheduler;
    this.#latencyMs = latencyMs;
  }

  connect(id: NodeId): PeerNetwork {
    return {
      send: (to, messages) => this.#send(id, to, messages),
      sendSnapshot: (to, message, chunks, signal) => this.#sendSnapshot(id, to, message, chunks, signal),
      attach: (group, receiver) => this.#attach(id, group, receiver),
    };
  }

  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(linkOf(a, b));
    this.#breakStreams();
  }

  isolate(id: NodeId): void {
    this.#isolated.add(id);
    this.#breakStreams();
  }

  heal(): void {
    this.#cut.clear();
    this.#isolated.clear();
  }

  #attach(id: NodeId, group: GroupId, receiver: PeerReceiver): () => void {
    const groups = this.#receivers.get(id) ?? new Map<GroupId, PeerReceiver>();
    this.#receivers.set(id, groups.set(group, receiver));
    return () => {
      // Unless its successor has taken the place.
      if (groups.get(group) === receiver) groups.delete(group);
    };
  }

  #send(from: NodeId, to: NodeId, messages: readonly Message[]): void {
    this.#scheduler.setTimer(this.#latencyMs, () => {
      for (const [group, receiver] of this.#receivers.get(to) ?? []) {
        const ours = messages.filter((message) => message.group === group);
        if (ours.length > 0 && this.#isUp(from, to)) receiver.receive(from, ours);
      }
    });
  }

  async #sendSnapshot(
    from: NodeId,
    to: NodeId,
    message: InstallSnapshot,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const stream: SnapshotStream = { from, to, broken: new AbortController() };
    const abort = (): void => stream.broken.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#streams.add(stream);
    try {
      await orAborted(this.#delay(), stream.broken.signal);
      const receiver = this.#receivers.get(to)?.get(message.group);
      if (receiver === undefined || !this.#isUp(from, to)) throw new Error(`Node ${to} cannot be reached now.`);
      // The receiver pulls, so the sender is held back by it.
      const received = receiver.receiveSnapshot(from, message, untilAborted(chunks, stream.broken.signal));
      await orAborted(received, stream.broken.signal);
    } finally {
      this.#streams.delete(stream);
      // A source that hangs is let go, whoever gave up.
      stream.broken.abort(new Error("The transfer is over."));
      signal.removeEventListener("abort", abort);
    }
  }

  #breakStreams(): void {
    for (const { from, to, broken } of this.#streams) {
      if (!this.#isUp(from, to)) broken.abort(new Error(`The connection between nodes ${from} and ${to} broke.`));
    }
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.setTimer(this.#latencyMs, resolve);
    });
  }

  #isUp(from: NodeId, to: NodeId): boolean {
    return !this.#cut.has(linkOf(from, to)) && !this.#isolated.has(from) && !this.#isolated.has(to);
  }
}

const linkOf = (a: NodeId, b: NodeId): string => `${Math.min(a, b)}-${Math.max(a, b)}`;

/** Makes a network within one process. */
export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  return new Hub(options);
}
