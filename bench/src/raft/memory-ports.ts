import type { NodeId } from "@octopii/interfaces";
import type {
  Entry,
  GroupId,
  HardState,
  InstallSnapshot,
  LogStorage,
  Message,
  PeerNetwork,
  PeerReceiver,
  SnapshotMetadata,
  SnapshotStorage,
  SnapshotWriter,
  StateMachine,
  StoredLog,
} from "@octopii/raft";

/** A log in memory that is durable at once: what is measured is Raft, not a disk. */
export class MemoryLog implements LogStorage {
  #entries: Entry[] = [];
  #base = 0;

  load(): Promise<StoredLog> {
    return Promise.resolve({ hardState: null, compactedIndex: 0, lastIndex: 0, terms: [{ firstIndex: 0, term: 0 }] });
  }

  append(_group: GroupId, _hardState: HardState | null, entries: readonly Entry[]): undefined {
    const [first] = entries;
    if (first === undefined) return undefined;
    const { length } = this.#entries;
    const kept = first.index - this.#base - 1;
    if (kept < length) this.#entries.length = kept;
    for (const entry of entries) this.#entries.push(entry);
    return undefined;
  }

  read(_group: GroupId, from: number, to: number): Promise<readonly Entry[]> {
    return Promise.resolve(from <= this.#base ? [] : this.#entries.slice(from - this.#base - 1, to - this.#base));
  }

  compact(_group: GroupId, index: number): Promise<void> {
    this.#entries.splice(0, index - this.#base);
    this.#base = index;
    return done;
  }

  install(_group: GroupId, _hardState: HardState | null, snapshot: SnapshotMetadata): Promise<void> {
    this.#entries = [];
    this.#base = snapshot.index;
    return done;
  }
}

const done: Promise<void> = Promise.resolve();

/** Takes snapshots and forgets them: the state of an empty state machine is empty. */
export class NoSnapshots implements SnapshotStorage {
  list(): Promise<readonly SnapshotMetadata[]> {
    return Promise.resolve([]);
  }

  create(): Promise<SnapshotWriter> {
    return Promise.resolve({ write: () => done, commit: () => done, abort: () => done });
  }

  // biome-ignore lint/correctness/useYield: the snapshot of nothing has no chunks.
  async *read(): AsyncGenerator<Uint8Array, void, void> {
    return;
  }

  removeBelow(): Promise<void> {
    return done;
  }
}

/** A state machine without a state. */
export const emptyStateMachine: StateMachine<undefined> = {
  apply: (commands) => new Array<undefined>(commands.length),
  snapshot: () => new NoSnapshots().read(),
  restore: () => done,
};

/** Hands messages over within the process, without copying or encoding them: whoever gets them takes them in its next turn. */
export class MemoryHub {
  readonly #receivers = new Map<NodeId, PeerReceiver>();

  networkOf(id: NodeId): PeerNetwork {
    return {
      send: (to, messages) => this.#deliver(id, to, messages),
      sendSnapshot: (to, message, chunks) => this.#deliverSnapshot(id, to, message, chunks),
      attach: (_group, receiver) => {
        this.#receivers.set(id, receiver);
        return () => this.#receivers.delete(id);
      },
    };
  }

  #deliver(from: NodeId, to: NodeId, messages: readonly Message[]): void {
    this.#receivers.get(to)?.receive(from, messages);
  }

  async #deliverSnapshot(from: NodeId, to: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#receivers.get(to)?.receiveSnapshot(from, message, chunks);
  }
}
