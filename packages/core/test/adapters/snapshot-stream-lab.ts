import type { Connection, Stream, Transport } from "@octopii/interfaces";
import type { InstallSnapshot } from "@octopii/raft";
import { createManualTime, createMemoryNetwork, createMemoryTransport, type ManualTime } from "@octopii/testing";
import { type ReceiveSnapshot, SnapshotStreams, snapshotStreamDefaults } from "../../src/adapters/snapshot-streams.js";
import { metadataOf, noting } from "./snapshot-lab.js";

/** What a stream may hold back: bytes that were sent and not read, and bytes that were written and not sent. */
export const windowBytes: number = 128 * 1024;
export const sendBufferBytes: number = 96 * 1024;

export function messageFrom(from: number, index = 100): InstallSnapshot {
  return { type: "InstallSnapshot", group: 0, from, to: 2, term: 3, snapshot: metadataOf(index) };
}

/** Chunks, and what became of their iteration. */
export class Source implements AsyncIterable<Uint8Array> {
  readonly #chunks: () => AsyncGenerator<Uint8Array, void, void> | Generator<Uint8Array, void, void>;
  pulledBytes = 0;
  returned = 0;
  finished = false;

  constructor(chunks: () => AsyncGenerator<Uint8Array, void, void> | Generator<Uint8Array, void, void>) {
    this.#chunks = chunks;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, void> {
    const chunks = this.#chunks();
    return {
      next: async () => {
        const next = await chunks.next();
        if (next.done === true) this.finished = true;
        else this.pulledBytes += next.value.length;
        return next;
      },
      return: async () => {
        this.returned += 1;
        return { done: true, value: undefined };
      },
    };
  }
}

/** `count` chunks of `bytes` each. */
export function chunksOf(count: number, bytes: number): Source {
  const chunk = new Uint8Array(bytes).fill(7);
  return new Source(function* () {
    for (let i = 0; i < count; i++) yield chunk;
  });
}

/** Node 2, which takes snapshots, and those who send it some, over a network in memory and in time that stands still between steps. */
export class StreamLab {
  readonly time: ManualTime = createManualTime();
  readonly warnings: string[] = [];
  readonly streams: SnapshotStreams = new SnapshotStreams(snapshotStreamDefaults, noting(this.warnings));
  /** Node 2's ends of the connections, in the order in which they came. */
  readonly accepted: Connection[] = [];
  receive: ReceiveSnapshot = async () => undefined;
  /** Takes the streams in place of {@link SnapshotStreams.acceptSnapshot}. */
  onStream: ((stream: Stream) => void) | null = null;
  readonly #network = createMemoryNetwork(this.time.scheduler, this.time.clock);
  #address = "";

  static async open(): Promise<StreamLab> {
    const lab = new StreamLab();
    const listener = await lab.#transport(2).listen({
      address: "localhost:0",
      onConnection: (connection) => {
        lab.accepted.push(connection);
        connection.onStream = (stream) => {
          if (lab.onStream !== null) return lab.onStream(stream);
          lab.streams.acceptSnapshot(stream, connection, (...snapshot) => lab.receive(...snapshot));
        };
      },
    });
    lab.#address = listener.address;
    return lab;
  }

  /** A connection of node `id` to node 2. */
  connect(id: number | null = 1): Promise<Connection> {
    return this.settle(this.#transport(id).connect(this.#address));
  }

  /** Lets everything happen that can, until `work` settles. */
  async settle<Value>(work: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    work.then(settled, settled);
    for (let quiet = 0; !isSettled; ) {
      const before = this.time.pending;
      await this.step();
      // Timers of the connections always pend; what makes no turn for so long hangs.
      quiet = this.time.pending === before ? quiet + 1 : 0;
      if (quiet > 2_000) throw new Error("Nothing happens any more.");
    }
    return work;
  }

  /** Lets everything happen that can without the time going on. */
  async rest(): Promise<void> {
    for (let i = 0; i < 60; i++) await this.step();
  }

  async step(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.time.advance(0);
  }

  #transport(nodeId: number | null): Transport {
    const identity = { name: `node-${nodeId ?? "client"}`, cluster: "test", nodeId };
    return createMemoryTransport(this.#network, { identity, streamWindowBytes: windowBytes, sendBufferBytes });
  }
}
