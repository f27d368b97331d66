import type { Stream, StreamClose } from "@octopii/interfaces";
import type { Endpoint } from "./endpoint.js";
import { FrameDecoder, type FrameProblem, type FrameSink } from "./frame-decoder.js";
import type { OutgoingFrame } from "./frame-encoder.js";
import { rpcStreamCodes } from "./frame-format.js";
import { FrameWriter, type FrameWriterOwner } from "./frame-writer.js";

/** Hears from a {@link FrameStream}. */
export interface FrameStreamOwner extends FrameSink {
  /** The peer will send nothing more. */
  onPeerEnded(): void;
  /** Everything queued has left. */
  onFlushed(): void;
  /** The stream is gone, for the reason given; called once, and nothing is called after it. */
  onLost(reason: string): void;
}

/** Options of {@link FrameStream}. */
export interface FrameStreamOptions {
  /**
   * Reading stops while this much waits to be written: so that a peer that sends requests and does not take the answers is slowed
   * down. Infinity for the side that reads answers; if both sides stopped, neither would go on.
   */
  readonly readWhileBelowBytes: number;
}

/** One stream of this protocol: bytes in, frames out, and the other way. */
export class FrameStream implements FrameWriterOwner {
  readonly #stream: Stream;
  readonly #endpoint: Endpoint;
  readonly #owner: FrameStreamOwner;
  readonly #decoder: FrameDecoder;
  readonly #writer: FrameWriter;
  readonly #readWhileBelowBytes: number;
  #open = true;
  #reading = false;
  #ending = false;
  #peerEnded = false;

  constructor(stream: Stream, endpoint: Endpoint, owner: FrameStreamOwner, options: FrameStreamOptions) {
    this.#stream = stream;
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#readWhileBelowBytes = options.readWhileBelowBytes;
    this.#decoder = new FrameDecoder(endpoint.config.maxFrameBytes, owner);
    this.#writer = new FrameWriter(stream, endpoint, this);
    endpoint.counters.openStreams += 1;
    stream.onReadable = () => this.read();
    stream.onDrain = () => this.#drained();
    stream.onClose = (close) => this.#lose(describeClose(close));
  }

  get open(): boolean {
    return this.#open;
  }

  /** How much waits to be written. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /** Whether nothing does. */
  get idle(): boolean {
    return this.#writer.queuedBytes === 0;
  }

  hasRoom(bytes: number): boolean {
    return this.#writer.hasRoom(bytes);
  }

  send(frame: OutgoingFrame): void {
    if (this.#open && !this.#ending) this.#writer.send(frame);
  }

  /** Writes what waits now, and not at the end of the turn. */
  flush(): void {
    this.#writer.flush();
  }

  /** Takes a frame back. @returns whether it will never be sent. */
  drop(frame: OutgoingFrame): boolean {
    return this.#writer.drop(frame);
  }

  /** Reads what is there. Needed once by hand, for bytes that came before the callbacks were set. */
  read(): void {
    if (this.#reading) return;
    this.#reading = true;
    while (this.#open && this.#writer.queuedBytes < this.#readWhileBelowBytes) {
      const bytes = this.#stream.read();
      if (bytes === null) break;
      this.#endpoint.counters.bytesReceived += bytes.length;
      const problem = this.#decoder.push(bytes);
      if (problem !== null) this.#malformed(problem);
    }
    this.#reading = false;
    if (this.#open && this.#stream.ended && !this.#peerEnded) this.#endOfInput();
    const { resetCode } = this.#stream;
    if (this.#open && resetCode !== null) this.abort(rpcStreamCodes.closed, describeClose({ error: { by: "reset", code: resetCode } }));
  }

  /** Ends our direction once everything queued has left. */
  end(): void {
    if (!this.#open || this.#ending) return;
    this.#ending = true;
    if (this.idle) this.#stream.end();
  }

  /** Ends our direction as {@link end} does, and asks the peer to send no more. */
  finish(): void {
    this.end();
    if (this.#open && !this.#peerEnded) attempt(() => this.#stream.stop(rpcStreamCodes.closed));
  }

  /** Gives both directions up at once. */
  abort(code: number, reason: string): void {
    if (!this.#open) return;
    this.#lose(reason);
    attempt(() => this.#stream.reset(code));
    attempt(() => this.#stream.stop(code));
  }

  onFlushed(): void {
    if (this.#ending) this.#stream.end();
    this.#owner.onFlushed();
    this.read();
  }

  onWriteFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.abort(rpcStreamCodes.closed, `The stream did not take bytes: ${reason}`);
  }

  #drained(): void {
    this.#writer.onDrain();
    this.read();
  }

  #endOfInput(): void {
    this.#peerEnded = true;
    if (this.#decoder.carriedBytes > 0) {
      this.#malformed({ code: rpcStreamCodes.malformedFrame, reason: "The stream ended within a frame." });
    } else this.#owner.onPeerEnded();
  }

  #malformed(problem: FrameProblem): void {
    this.#endpoint.counters.malformedStreams += 1;
    this.#endpoint.logger?.warn({ code: problem.code, protocol: this.#stream.protocol }, problem.reason);
    this.abort(problem.code, problem.reason);
  }

  #lose(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stream.onReadable = null;
    this.#stream.onDrain = null;
    this.#stream.onClose = null;
    this.#writer.close();
    this.#endpoint.counters.openStreams -= 1;
    this.#owner.onLost(reason);
    if (this.#endpoint.counters.openStreams === 0) this.#endpoint.deadlines.release();
  }
}

/** For giving up: a transport may refuse on a stream that is over already, and that is just as well. */
export function attempt(action: () => void): void {
  try {
    action();
  } catch {
    return;
  }
}

function describeClose(close: StreamClose): string {
  if (close.error === null) return "The stream has ended.";
  const { by, code } = close.error;
  if (by === "connection") return "The connection was closed.";
  if (by === "local") return "The stream was closed on this side.";
  return code === rpcStreamCodes.closed ? "The peer has closed." : `The peer gave the stream up with code ${code}.`;
}
