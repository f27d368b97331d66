import { createManualTime, createRandom } from "@octopii/testing";
import {
  type Configuration,
  type Entry,
  type HardState,
  type LogStorage,
  type Message,
  openRaftNode,
  type PeerReceiver,
  type RaftNode,
  type RaftNodeOptions,
  type SnapshotMetadata,
  type SnapshotStorage,
  type StateMachine,
} from "../../src/index.js";
import { LogImage } from "../property/log-image.js";

/** Something that waits until the test lets it go on. */
class Gate {
  #waiting: (() => void)[] = [];
  isOpen = true;

  async pass(): Promise<void> {
    if (!this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  open(): void {
    this.isOpen = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A log in memory. What is installed shows when the gate lets it. */
export class GatedLog implements LogStorage {
  readonly log = new LogImage();
  hardState: HardState | null = null;
  readonly installing = new Gate();

  async load(): Promise<Awaited<ReturnType<LogStorage["load"]>>> {
    const { compactedIndex, lastIndex } = this.log;
    return { hardState: this.hardState, compactedIndex, lastIndex, terms: this.log.terms() };
  }

  append(_group: number, hardState: HardState | null, entries: readonly Entry[]): Promise<void> {
    if (hardState !== null) this.hardState = hardState;
    this.log.write(entries);
    return Promise.resolve();
  }

  async read(_group: number, from: number, to: number, maxBytes: number): Promise<readonly Entry[]> {
    let bytes = 0;
    return this.log.slice(from, to).filter(({ index, data }) => {
      bytes += data.length;
      return index === from || bytes <= maxBytes;
    });
  }

  async compact(_group: number, index: number): Promise<void> {
    if (index <= this.log.lastIndex) this.log.compact(index);
  }

  async install(_group: number, hardState: HardState | null, snapshot: SnapshotMetadata): Promise<void> {
    await this.installing.pass();
    if (hardState !== null) this.hardState = hardState;
    this.log.install(snapshot);
  }
}

/** Snapshots in memory. */
export class GatedSnapshots implements SnapshotStorage {
  readonly stored = new Map<number, { metadata: SnapshotMetadata; data: Uint8Array[] }>();
  readonly creating = new Gate();

  async list(): Promise<SnapshotMetadata[]> {
    return [...this.stored.values()].map(({ metadata }) => metadata).sort((a, b) => a.index - b.index);
  }

  async create(_group: number, metadata: SnapshotMetadata): Promise<Awaited<ReturnType<SnapshotStorage["create"]>>> {
    await this.creating.pass();
    const data: Uint8Array[] = [];
    return {
      write: async (chunk) => void data.push(chunk.slice()),
      commit: async () => void this.stored.set(metadata.index, { metadata, data }),
      abort: () => Promise.resolve(),
    };
  }

  async *read(_group: number, index: number): AsyncIterable<Uint8Array> {
    const stored = this.stored.get(index);
    if (stored === undefined) throw new Error(`There is no snapshot ${index}.`);
    yield* stored.data;
  }

  async removeBelow(_group: number, index: number): Promise<void> {
    for (const at of this.stored.keys()) if (at < index) this.stored.delete(at);
  }
}

/** Counts what it applied; each batch may be held up. */
export class GatedMachine implements StateMachine<number> {
  count = 0;
  readonly applying = new Gate();

  async apply(commands: readonly Entry[]): Promise<number[]> {
    await this.applying.pass();
    return commands.map(() => ++this.count);
  }

  async *snapshot(): AsyncIterable<Uint8Array> {
    yield Uint8Array.of(this.count);
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) this.count = chunk[0] ?? 0;
  }
}

/** A node of a group of three, whose peers the test plays. */
export interface Lonely {
  readonly node: RaftNode<number>;
  readonly sent: Message[];
  readonly receiver: PeerReceiver;
  pass(milliseconds: number): Promise<void>;
}

export async function openLonely(
  parts: { log: GatedLog; snapshots: GatedSnapshots; machine: GatedMachine },
  options: RaftNodeOptions = {},
): Promise<Lonely> {
  const time = createManualTime();
  const sent: Message[] = [];
  const receivers: PeerReceiver[] = [];
  const network = {
    send: (_to: number, messages: readonly Message[]) => void sent.push(...messages),
    sendSnapshot: () => Promise.resolve(),
    attach: (_group: number, receiver: PeerReceiver) => {
      receivers.push(receiver);
      return () => undefined;
    },
  };
  const configuration: Configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const { clock, scheduler } = time;
  const ports = {
    storage: parts.log,
    snapshots: parts.snapshots,
    stateMachine: parts.machine,
    network,
    clock,
    scheduler,
    random: createRandom(1),
  };
  const node = await openRaftNode({ id: 1, configuration }, ports, { tickMs: 10, snapshotEntries: 0, snapshotBytes: 0, ...options });
  const [receiver] = receivers;
  if (receiver === undefined) throw new Error("the node did not attach");
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed++) {
      time.advance(1);
      for (let turn = 0; turn < 30; turn++) await Promise.resolve();
    }
  };
  return { node, sent, receiver, pass };
}

export const commandAt = (index: number, term = 1): Entry => ({ index, term, kind: "command", data: new Uint8Array(8) });

export const oneChunk = async function* (value: number): AsyncIterable<Uint8Array> {
  yield Uint8Array.of(value);
};
