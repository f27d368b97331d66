import type { Connection, Logger, NodeId, Stream } from "@octopii/interfaces";
import type { InstallSnapshot } from "@octopii/raft";
import { FrameSource } from "./frame-source.js";
import { interrupted } from "./snapshot-error.js";
import { encodeAnswer, frameBytesMax, SnapshotDecoder, snapshotProtocol } from "./snapshot-frames.js";
import { SnapshotSender } from "./snapshot-sender.js";

export { snapshotProtocol };

/** Limits of {@link SnapshotStreams}. */
export interface SnapshotStreamLimits {
  /** Snapshots that come in from one peer at once; others are refused. */
  readonly receivingPerPeerMax: number;
}

/** One: a leader sends a follower of its group one at a time, and so do we. */
export const snapshotStreamDefaults: SnapshotStreamLimits = { receivingPerPeerMax: 1 };

/** Takes a snapshot: {@link PeerReceiver.receiveSnapshot} of its group. */
export type ReceiveSnapshot = (from: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Carries each snapshot on a stream of its own, `snapshotProtocol`, at the pace of its receiver: on either side no more is in memory than the
 * stream's window and a frame. What arrives is checked, whole, before the last `next` of the receiver's iteration says that it was the last.
 */
export class SnapshotStreams {
  readonly #limits: SnapshotStreamLimits;
  readonly #logger: Logger;
  readonly #receiving = new Map<NodeId, number>();

  constructor(limits: SnapshotStreamLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  /**
   * Sends a snapshot; resolves when the peer has taken it. If that fails, the stream is reset and the iteration of `chunks` ended.
   * @param chunks - of any length; they belong to the stream from then on. Pulled one at a time, when the stream has room.
   * @throws {SnapshotError} `SNAPSHOT_REFUSED` with the peer's sentence; `SNAPSHOT_INTERRUPTED` if the stream broke. What `chunks` threw, the
   * reason of `signal`, or what the connection throws if it cannot open a stream.
   */
  async sendSnapshot(
    connection: Connection,
    message: InstallSnapshot,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const sender = new SnapshotSender(connection.openStream(snapshotProtocol), connection.peer.name);
    const aborted = (): void => sender.giveUp(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    try {
      await sender.send(message, chunks);
    } finally {
      signal.removeEventListener("abort", aborted);
      sender.close();
    }
  }

  /**
   * Takes over a stream that a peer opened for `snapshotProtocol`. Never throws; everything that goes wrong is logged, and told to the peer.
   * @param receive - called once the message has come and was found sound. Its `chunks` can be iterated once; the iteration throws when the
   * stream breaks or holds what it should not. It may settle at any time: the sender is told at once, a wait for chunks ends, and the rest is
   * not read.
   */
  acceptSnapshot(stream: Stream, connection: Connection, receive: ReceiveSnapshot): void {
    const { nodeId, name } = connection.peer;
    if (nodeId === null) return this.#answer(stream, name, "only a member may send one.");
    const receiving = this.#receiving.get(nodeId) ?? 0;
    if (receiving >= this.#limits.receivingPerPeerMax) return this.#answer(stream, name, "another one from the same node is on its way.");
    this.#receiving.set(nodeId, receiving + 1);
    void this.#receive(stream, nodeId, name, receive).then((refusal) => {
      this.#forget(nodeId);
      this.#answer(stream, name, refusal);
    });
  }

  /** @returns why the snapshot is refused; null if it was taken. Never rejects. */
  async #receive(stream: Stream, from: NodeId, peer: string, receive: ReceiveSnapshot): Promise<string | null> {
    const source = new FrameSource(stream, frameBytesMax);
    stream.onClose = () => source.closed(interrupted("The stream broke before the snapshot's end."));
    try {
      const decoder = new SnapshotDecoder();
      const message = decoder.message(await nextFrame(source), from);
      await receive(from, message, incoming(source, decoder));
      return null;
    } catch (error) {
      this.#logger.warn({ peer, error }, "A snapshot that a peer sent was not taken.");
      return error instanceof Error ? error.message : "it could not be taken.";
    } finally {
      stream.onClose = null;
      // Whoever still waits for a chunk waits in vain.
      source.fail(interrupted("Nobody reads this snapshot any more."));
    }
  }

  #answer(stream: Stream, peer: string, refusal: string | null): void {
    try {
      for (const chunk of encodeAnswer(refusal)) stream.write(chunk);
    } catch (error) {
      this.#logger.debug({ peer, error }, "A peer did not wait for the answer to its snapshot.");
    }
    stream.onReadable = null;
    stream.end();
    stream.stop(0);
  }

  #forget(peer: NodeId): void {
    const left = (this.#receiving.get(peer) ?? 1) - 1;
    if (left === 0) this.#receiving.delete(peer);
    else this.#receiving.set(peer, left);
  }
}

async function* incoming(source: FrameSource, decoder: SnapshotDecoder): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const data = decoder.data(await nextFrame(source));
    if (data === null) break;
    yield data;
  }
  if ((await source.next()) !== null) throw interrupted("The snapshot goes on after its end.");
}

async function nextFrame(source: FrameSource): Promise<Uint8Array> {
  const frame = await source.next();
  if (frame === null) throw interrupted("The stream ended before the snapshot did.");
  return frame;
}
