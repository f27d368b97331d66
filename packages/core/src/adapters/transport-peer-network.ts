import type { Connection, Logger, NodeId, Stream } from "@octopii/interfaces";
import {
  decodeMessages,
  encodeMessages,
  type GroupId,
  type InstallSnapshot,
  type Message,
  type PeerNetwork,
  type PeerReceiver,
} from "@octopii/raft";
import { FrameReader, framed } from "../peers/frame-reader.js";
import { FrameWriter } from "../peers/frame-writer.js";
import { SnapshotStreams, snapshotStreamDefaults } from "./snapshot-streams.js";

/** Names the streams that carry Raft's messages. */
export const raftProtocol = "octopii/raft/1";

/** Reset codes of a Raft stream. */
const malformedFrame = 1;
const notAMember = 2;

/** Limits of a {@link TransportPeerNetwork}. */
export interface PeerNetworkLimits {
  /** The longest frame that is accepted; a longer one resets the stream. */
  readonly frameBytesMax: number;
  /** Bytes that wait for a slow peer; what comes beyond is lost, as Raft allows. */
  readonly queuedBytesMax: number;
}

/** The two streams to a peer; they live and die together. */
class PeerStreams {
  readonly connection: Connection;
  readonly control: FrameWriter;
  readonly entries: FrameWriter;
  readonly #streams: readonly [Stream, Stream];

  /** @param onOver - called when either stream has ended, whoever ended it. */
  constructor(connection: Connection, queuedBytesMax: number, onOver: (streams: PeerStreams) => void) {
    this.connection = connection;
    const open = (): Stream => connection.openStream(raftProtocol, { unidirectional: true });
    this.#streams = [open(), open()];
    for (const stream of this.#streams) stream.onClose = () => onOver(this);
    this.control = new FrameWriter(this.#streams[0], queuedBytesMax);
    this.entries = new FrameWriter(this.#streams[1], queuedBytesMax);
  }

  /** Gives both up, so that a fresh pair can take their place. */
  abandon(): void {
    for (const stream of this.#streams) {
      stream.onClose = null;
      stream.reset(0);
    }
  }
}

/**
 * Carries Raft's messages on two streams to each peer: one for whatever carries data, which must not overtake each other, and one for all the
 * rest, so that a heartbeat never waits behind a long append. Each snapshot has a stream of its own.
 */
export class TransportPeerNetwork implements PeerNetwork {
  readonly #connectionTo: (peer: NodeId) => Connection | null;
  readonly #limits: PeerNetworkLimits;
  readonly #logger: Logger;
  readonly #receivers = new Map<GroupId, PeerReceiver>();
  readonly #streams = new Map<NodeId, PeerStreams>();
  readonly #snapshots: SnapshotStreams;

  /** @param connectionTo - the live connection to a peer, or null while there is none; it is dialed then. */
  constructor(connectionTo: (peer: NodeId) => Connection | null, limits: PeerNetworkLimits, logger: Logger) {
    this.#connectionTo = connectionTo;
    this.#limits = limits;
    this.#logger = logger;
    this.#snapshots = new SnapshotStreams(snapshotStreamDefaults, logger);
  }

  attach(group: GroupId, receiver: PeerReceiver): () => void {
    this.#receivers.set(group, receiver);
    return () => this.#receivers.delete(group);
  }

  send(to: NodeId, messages: readonly Message[]): void {
    const connection = this.#connectionTo(to);
    if (connection === null) return this.#lost(to);
    try {
      const streams = this.#streamsOf(to, connection);
      const entries = messages.filter(isOrdered);
      const control = entries.length === 0 ? messages : messages.filter((message) => !isOrdered(message));
      const delivered = this.#write(streams.control, control) && this.#write(streams.entries, entries);
      if (!delivered) this.#lost(to);
    } catch (error) {
      // The connection or stream went away under us: the same as a message lost on the way.
      this.#logger.debug({ peer: to, error }, "Messages to a peer were lost.");
      this.#forget(to);
      this.#lost(to);
    }
  }

  async sendSnapshot(to: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const connection = this.#connectionTo(to);
    if (connection === null) throw new Error(`Node ${to} cannot be reached now.`);
    await this.#snapshots.sendSnapshot(connection, message, chunks, signal);
  }

  /** Takes over a stream that a peer opened for `snapshotProtocol`. */
  acceptSnapshot(stream: Stream, connection: Connection): void {
    this.#snapshots.acceptSnapshot(stream, connection, async (from, message, chunks) => {
      const receiver = this.#receivers.get(message.group);
      if (receiver === undefined) throw new Error(`This node is not in group ${message.group}.`);
      await receiver.receiveSnapshot(from, message, chunks);
    });
  }

  /** The connection to `peer` is gone: what was on its way is probably lost. */
  disconnected(peer: NodeId): void {
    this.#forget(peer);
    this.#lost(peer);
  }

  /** Takes over a stream that a peer opened for {@link raftProtocol}. */
  accept(stream: Stream, connection: Connection): void {
    const { nodeId, name } = connection.peer;
    if (nodeId === null) return stream.stop(notAMember);
    const reader = new FrameReader(this.#limits.frameBytesMax);
    const refuse = (why: string): void => {
      this.#logger.warn({ peer: name, why }, "A peer sent Raft messages that make no sense; its stream was stopped.");
      stream.onReadable = null;
      stream.stop(malformedFrame);
    };
    stream.onReadable = () => {
      for (let chunk = stream.read(); chunk !== null && stream.onReadable !== null; chunk = stream.read()) {
        const readable = reader.push(chunk, (frame) => {
          // What follows nonsense is nonsense.
          if (stream.onReadable === null) return;
          const messages = decodeMessages(frame);
          if (typeof messages === "string") refuse(messages);
          else this.#deliver(nodeId, messages);
        });
        if (!readable) refuse(`A frame is longer than ${this.#limits.frameBytesMax} bytes.`);
      }
      if (stream.ended) stream.end();
    };
  }

  #deliver(from: NodeId, messages: readonly Message[]): void {
    const group = messages[0]?.group;
    if (group === undefined) return;
    if (messages.every((message) => message.group === group)) {
      this.#receivers.get(group)?.receive(from, messages);
    } else {
      for (const message of messages) this.#receivers.get(message.group)?.receive(from, [message]);
    }
  }

  #streamsOf(to: NodeId, connection: Connection): PeerStreams {
    const known = this.#streams.get(to);
    if (known?.connection === connection) return known;
    this.#forget(to);
    const streams = new PeerStreams(connection, this.#limits.queuedBytesMax, (over) => {
      if (this.#streams.get(to) !== over) return;
      // What it still carried is probably lost.
      this.#forget(to);
      this.#lost(to);
    });
    this.#streams.set(to, streams);
    return streams;
  }

  #forget(peer: NodeId): void {
    this.#streams.get(peer)?.abandon();
    this.#streams.delete(peer);
  }

  /** Writes as few frames as their limit allows. @returns whether all of them found room. */
  #write(writer: FrameWriter, messages: readonly Message[]): boolean {
    let batch: Message[] = [];
    let bytes = 0;
    let delivered = true;
    for (const message of messages) {
      const size = sizeOf(message);
      if (batch.length > 0 && bytes + size > this.#limits.frameBytesMax) {
        delivered = writer.write(framed(encodeMessages(batch))) && delivered;
        batch = [];
        bytes = 0;
      }
      batch.push(message);
      bytes += size;
    }
    return batch.length === 0 ? delivered : writer.write(framed(encodeMessages(batch))) && delivered;
  }

  #lost(peer: NodeId): void {
    for (const receiver of this.#receivers.values()) receiver.unreachable(peer);
  }
}

/**
 * Appends must not overtake each other, nor the word of where a forwarded proposal stands be overtaken by the append that commits it:
 * the proposer could not tell its entry apart any more.
 */
function isOrdered({ type }: Message): boolean {
  return type === "AppendEntries" || type === "ForwardProposals" || type === "ForwardProposalsResponse";
}

/** A bound on a message's encoded size. */
function sizeOf(message: Message): number {
  let bytes = 128;
  if (message.type === "AppendEntries") for (const { data } of message.entries) bytes += 16 + data.length;
  else if (message.type === "ForwardProposals") for (const command of message.commands) bytes += 4 + command.length;
  return bytes;
}
