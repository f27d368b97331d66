import type { Stream, StreamClose } from "@octopii/interfaces";
import { checkApplicationCode } from "../codes.js";
import { QuicTransportError } from "../errors.js";
import { cutMark, encodePreamble, endMark } from "../wire/preamble.js";
import { SendQueue } from "./send-queue.js";

/** What a stream asks of its connection. None of these calls the stream's owner before they return. */
export interface StreamHost {
  readonly sendBufferBytes: number;
  readonly maxSendBufferBytes: number;
  /** The stream has bytes, or its end, to hand to the engine. */
  sendable(stream: QuicStream): void;
  /** The stream's owner gave a direction up; the engine and the peer are to hear of it. */
  cut(stream: QuicStream, direction: "send" | "receive", code: number): void;
  /** The next bytes of the stream; null if there are none now. It also reports ends, to the stream's `receive…` methods. */
  receive(stream: QuicStream): Uint8Array | null;
  /** Both directions are over for the owner. */
  finished(stream: QuicStream): void;
  /** Nothing may be left of the stream. */
  settle(stream: QuicStream): void;
  /** A callback was set for which something has already happened. */
  recheck(stream: QuicStream): void;
  /** Runs an owner's callback; what it throws ends the process, but not this connection's turn. */
  call(callback: () => void): void;
}

type StreamError = NonNullable<StreamClose["error"]>;
const endMarkBytes = Uint8Array.of(endMark);
const cutMarkBytes = Uint8Array.of(cutMark);

/** One stream: the owner's view of it, and what the connection tells it. */
export class QuicStream implements Stream {
  /** The QUIC stream id; -1 while the stream waits for credit. */
  id = -1;
  readonly queue: SendQueue = new SendQueue();
  /** `write` gave false, and `onDrain` is due. */
  wantsDrain = false;
  /** All bytes of the peer's direction, its mark included, were taken from the engine. */
  engineReceiveOver: boolean;
  /** All bytes of our direction, its mark included, were given to the engine. */
  engineSendOver: boolean;
  /** Bytes of a preamble that is not complete. */
  partialPreamble: Uint8Array | null = null;
  readonly #host: StreamHost;
  #protocol: string;
  #send: "open" | "ending" | "over";
  #receiveOver: boolean;
  #ended = false;
  #resetCode: number | null = null;
  #pending: Uint8Array | null = null;
  #pendingEnds = false;
  #armed = true;
  #missedReadable = false;
  #error: StreamError | null = null;
  /** Why our own direction was cut short. */
  #sendError: StreamError | null = null;
  #finished = false;
  #missedClose = false;
  #onReadable: (() => void) | null = null;
  #onClose: ((close: StreamClose) => void) | null = null;
  onDrain: (() => void) | null = null;

  constructor(host: StreamHost, protocol: string, directions: { readonly send: boolean; readonly receive: boolean }) {
    this.#host = host;
    this.#protocol = protocol;
    this.#send = directions.send ? "open" : "over";
    this.#receiveOver = !directions.receive;
    this.engineReceiveOver = !directions.receive;
    this.engineSendOver = !directions.send;
  }

  /** A stream that we open; its first bytes are its preamble. @throws RangeError for a bad protocol name. */
  static opening(host: StreamHost, protocol: string, unidirectional: boolean): QuicStream {
    const stream = new QuicStream(host, protocol, { send: true, receive: !unidirectional });
    stream.queue.push(encodePreamble(protocol));
    return stream;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get resetCode(): number | null {
    return this.#resetCode;
  }

  /** The queue holds all that there will ever be, with the mark at its end. */
  get sendsLast(): boolean {
    return this.#send !== "open";
  }

  /** The owner reads no more, but the peer has not ended its direction: its bytes are thrown away. */
  get discarding(): boolean {
    return this.#receiveOver && !this.engineReceiveOver;
  }

  /** Both directions are over for the owner. */
  get isOver(): boolean {
    return this.#finished;
  }

  get onReadable(): (() => void) | null {
    return this.#onReadable;
  }

  set onReadable(callback: (() => void) | null) {
    this.#onReadable = callback;
    if (callback !== null && this.#missedReadable) this.#host.recheck(this);
  }

  get onClose(): ((close: StreamClose) => void) | null {
    return this.#onClose;
  }

  set onClose(callback: ((close: StreamClose) => void) | null) {
    this.#onClose = callback;
    if (callback !== null && this.#missedClose) this.#host.recheck(this);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#send !== "open") throw this.#sendOverError();
    const { queue } = this;
    if (queue.bytes > this.#host.maxSendBufferBytes) {
      const message = `The stream holds ${queue.bytes} unsent bytes; after write() gives false, wait for onDrain.`;
      throw new QuicTransportError("OCTOPII_QUIC_BUFFER_FULL", message);
    }
    if (bytes.length > 0) {
      queue.push(bytes);
      this.#host.sendable(this);
    }
    if (queue.bytes < this.#host.sendBufferBytes) return true;
    this.wantsDrain = true;
    return false;
  }

  read(): Uint8Array | null {
    const pending = this.#pending;
    if (pending !== null) {
      this.#pending = null;
      if (this.#pendingEnds) this.receiveEnded();
      return pending;
    }
    const bytes = this.#receiveOver ? null : this.#host.receive(this);
    if (bytes === null) {
      this.#armed = true;
      this.#missedReadable = false;
    }
    return bytes;
  }

  end(): void {
    if (this.#send !== "open") return;
    this.#send = "ending";
    this.queue.push(endMarkBytes);
    this.#host.sendable(this);
  }

  reset(code: number): void {
    checkApplicationCode(code);
    this.giveUpSending(code);
  }

  stop(code: number): void {
    checkApplicationCode(code);
    this.giveUpReading(code);
  }

  /** {@link reset} with any code. */
  giveUpSending(code: number): void {
    if (this.#send === "over") return;
    this.#host.cut(this, "send", code);
    this.#cutSending({ by: "local", code });
  }

  /** {@link stop} with any code. */
  giveUpReading(code: number): void {
    if (this.#receiveOver) return;
    this.#host.cut(this, "receive", code);
    this.#endReceiving({ by: "local", code });
  }

  /** The preamble of a stream from the peer was read; `rest` came with it, and `ends` says that nothing follows. */
  accept(protocol: string, rest: Uint8Array | null, ends: boolean): void {
    this.#protocol = protocol;
    this.partialPreamble = null;
    this.#pending = rest;
    this.#pendingEnds = ends;
    if (!ends) return;
    this.engineReceiveOver = true;
    if (rest === null) this.#reachEnd();
  }

  /** The engine has taken the last byte, which is the mark. */
  sendFlushed(): void {
    this.engineSendOver = true;
    if (this.#send === "ending") this.#endSending(null);
    this.#host.settle(this);
  }

  /** The peer does not want our bytes. */
  sendStopped(code: number): void {
    if (this.#send !== "over") this.#cutSending({ by: "stopped", code });
  }

  /** The peer's direction came to its ordinary end, and {@link StreamHost.receive} is about to give its last bytes. */
  receiveEnded(): void {
    this.engineReceiveOver = true;
    this.#reachEnd();
    this.#host.settle(this);
  }

  /** The peer's direction came to its end because the peer gave up, or nobody here reads it. The code comes, or came, separately. */
  receiveCut(): void {
    this.engineReceiveOver = true;
    this.#host.settle(this);
  }

  /** The peer gave its direction up. What has not been read is thrown away. */
  receiveReset(code: number): void {
    if (!this.#receiveOver) {
      this.#resetCode = code;
      // Also whoever has not read what came before: there is nothing more to wait for.
      this.#armed = true;
      this.#missedReadable = true;
      this.#endReceiving({ by: "reset", code });
      this.#host.recheck(this);
    }
    this.#host.settle(this);
  }

  /** It was reset before it had an id: the peer will never know of it, nor answer. */
  neverOpened(code: number): void {
    this.engineReceiveOver = true;
    this.engineSendOver = true;
    this.queue.clear();
    if (!this.#receiveOver) this.#endReceiving({ by: "local", code });
  }

  /** The connection is gone. */
  connectionClosed(code: number): void {
    this.engineReceiveOver = true;
    this.engineSendOver = true;
    this.queue.clear();
    const error: StreamError = { by: "connection", code };
    if (this.#send !== "over") this.#endSending(error);
    if (!this.#receiveOver) this.#endReceiving(error);
  }

  /** Tells the owner that there is something to read or that the peer's direction is over, unless it knows already. */
  readableEvent(): void {
    if (!this.#armed || (this.#receiveOver && !this.#ended && this.#resetCode === null)) return;
    const callback = this.#onReadable;
    this.#missedReadable = callback === null;
    if (callback === null) return;
    this.#armed = false;
    this.#host.call(callback);
  }

  /** Bytes or an end are here that the owner has not seen. */
  get hasNews(): boolean {
    return this.#pending !== null || this.#ended;
  }

  drainEvent(): void {
    const callback = this.onDrain;
    if (callback !== null) this.#host.call(callback);
  }

  closeEvent(): void {
    const callback = this.#onClose;
    this.#missedClose = callback === null;
    if (callback !== null) this.#host.call(() => callback({ error: this.#error }));
  }

  /** Calls what was missed for want of a callback. */
  recheckEvents(): void {
    if (this.#missedReadable) this.readableEvent();
    if (this.#missedClose && this.#onClose !== null) this.closeEvent();
  }

  #reachEnd(): void {
    this.#ended = true;
    this.#endReceiving(null);
  }

  #cutSending(error: StreamError): void {
    this.queue.clear();
    this.queue.push(cutMarkBytes);
    this.#endSending(error);
    this.#host.sendable(this);
  }

  #endSending(error: StreamError | null): void {
    this.#send = "over";
    this.#sendError = error;
    this.#checkFinished(error);
  }

  #endReceiving(error: StreamError | null): void {
    this.#receiveOver = true;
    this.#pending = null;
    this.#checkFinished(error);
  }

  #checkFinished(error: StreamError | null): void {
    this.#error ??= error;
    if (this.#finished || this.#send !== "over" || !this.#receiveOver) return;
    this.#finished = true;
    this.#host.finished(this);
  }

  #sendOverError(): QuicTransportError {
    const by = this.#sendError?.by ?? "local";
    const why =
      by === "stopped"
        ? "the peer gave up reading it"
        : by === "connection"
          ? "its connection is closed"
          : "it was ended or reset, or can only be read";
    const message = `The stream '${this.#protocol}' takes no more bytes: ${why}.`;
    return new QuicTransportError("OCTOPII_QUIC_STREAM_CLOSED", message, { details: { error: this.#sendError } });
  }
}
