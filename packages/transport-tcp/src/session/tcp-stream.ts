import type { Stream, StreamClose } from "@octopii/interfaces";
import { checkApplicationCode } from "../codes.js";
import { TcpTransportError } from "../errors.js";
import { ReceiveQueue } from "./receive-queue.js";
import { SendQueue } from "./send-queue.js";

/** What a stream asks of its connection. None of these calls the stream's owner before they return. */
export interface StreamHost {
  readonly sendBufferBytes: number;
  readonly maxSendBufferBytes: number;
  readonly streamWindowBytes: number;
  /** The stream has bytes, or its end, to send. */
  sendable(stream: TcpStream): void;
  /** The stream has something to tell its owner. */
  note(stream: TcpStream): void;
  /** Our direction was given up: the peer is to see a reset. */
  sendReset(stream: TcpStream, code: number): void;
  /** The peer's direction was given up: the peer is to see a stop. */
  sendStop(stream: TcpStream, code: number): void;
  /** The owner read bytes, or they were thrown away: the peer may get more credit. */
  consumed(stream: TcpStream, bytes: number): void;
  /** Both directions are over for the owner. */
  finished(stream: TcpStream): void;
  /** Runs an owner's callback; what it throws ends the process, but not this connection's turn. */
  call(callback: () => void): void;
}

type StreamError = NonNullable<StreamClose["error"]>;

/** One stream: the owner's view of it, and what the connection tells it. Calls leave notes; `tell` calls the owner back. */
export class TcpStream implements Stream {
  /** -1 while the stream waits for credit. */
  id = -1;
  readonly protocol: string;
  readonly queue: SendQueue = new SendQueue();
  readonly received: ReceiveQueue;
  /** Bytes that were sent, and how many the peer allows in total. */
  sent = 0;
  sendLimit = 0;
  /** The connection has it in its list of streams with something to tell. */
  noted = false;
  /** The code of a stop that waits until the stream has an id; -1 for none. */
  stopDue = -1;
  /** On the wire each direction is over: its end or reset was sent, or has come. */
  wireSendOver: boolean;
  wireReceiveOver: boolean;
  readonly #host: StreamHost;
  #send: "open" | "ending" | "over";
  #receive: "open" | "ending" | "over";
  #ended = false;
  #resetCode: number | null = null;
  #wantsDrain = false;
  #error: StreamError | null = null;
  /** Why our own direction was cut short. */
  #sendError: StreamError | null = null;
  #finished = false;
  #offer: ((stream: TcpStream) => void) | null = null;
  #readableDue = false;
  #drainDue = false;
  #closeDue = false;
  /** The last `read` gave null, or none was made yet: the owner waits for `onReadable`. */
  #armed = true;
  #onReadable: (() => void) | null = null;
  #onClose: ((close: StreamClose) => void) | null = null;
  onDrain: (() => void) | null = null;

  constructor(host: StreamHost, protocol: string, directions: { readonly send: boolean; readonly receive: boolean }) {
    this.#host = host;
    this.protocol = protocol;
    this.#send = directions.send ? "open" : "over";
    this.#receive = directions.receive ? "open" : "over";
    this.wireSendOver = !directions.send;
    this.wireReceiveOver = !directions.receive;
    this.received = new ReceiveQueue(host.streamWindowBytes);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get resetCode(): number | null {
    return this.#resetCode;
  }

  /** Both directions are over for the owner. */
  get isOver(): boolean {
    return this.#finished;
  }

  /** Its end follows the queued bytes. */
  get isEnding(): boolean {
    return this.#send === "ending";
  }

  /** The owner still wants what the peer sends. */
  get isReading(): boolean {
    return this.#receive === "open";
  }

  get onReadable(): (() => void) | null {
    return this.#onReadable;
  }

  set onReadable(callback: (() => void) | null) {
    this.#onReadable = callback;
    if (callback !== null && this.#readableDue) this.#host.note(this);
  }

  get onClose(): ((close: StreamClose) => void) | null {
    return this.#onClose;
  }

  set onClose(callback: ((close: StreamClose) => void) | null) {
    this.#onClose = callback;
    if (callback !== null && this.#closeDue) this.#host.note(this);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#send !== "open") throw this.#sendOverError();
    const { queue } = this;
    if (queue.bytes > this.#host.maxSendBufferBytes) {
      const message = `The stream holds ${queue.bytes} unsent bytes; after write() gives false, wait for onDrain.`;
      throw new TcpTransportError("OCTOPII_TCP_BUFFER_FULL", message);
    }
    if (bytes.length > 0) {
      queue.push(bytes);
      this.#host.sendable(this);
    }
    if (queue.bytes < this.#host.sendBufferBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  read(): Uint8Array | null {
    if (this.#receive === "over") return null;
    const bytes = this.received.shift();
    if (bytes === null) {
      this.#armed = true;
      this.#readableDue = false;
      return null;
    }
    this.#host.consumed(this, bytes.length);
    if (this.#receive === "ending" && this.received.isEmpty) this.#reachEnd();
    return bytes;
  }

  end(): void {
    if (this.#send !== "open") return;
    this.#send = "ending";
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
    this.#cutSending({ by: "local", code });
    this.#host.sendReset(this, code);
  }

  /** {@link stop} with any code. */
  giveUpReading(code: number): void {
    if (this.#receive === "over") return;
    this.#cutReceiving({ by: "local", code });
    this.#host.sendStop(this, code);
  }

  // What the connection tells it.

  /** It is the peer's, and its owner is to be found. */
  offer(offer: (stream: TcpStream) => void): void {
    this.#offer = offer;
    this.#host.note(this);
  }

  receiveData(bytes: Uint8Array): void {
    this.received.push(bytes);
    this.#readable();
  }

  receiveEnd(): void {
    this.wireReceiveOver = true;
    if (this.#receive !== "open") return;
    this.#receive = "ending";
    if (!this.received.isEmpty) return;
    this.#reachEnd();
    this.#readable();
  }

  receiveReset(code: number): void {
    this.wireReceiveOver = true;
    if (this.#receive === "over") return;
    this.#resetCode = code;
    // Also whoever has not read what came before: there is nothing more to wait for.
    this.#armed = true;
    this.#readable();
    this.#cutReceiving({ by: "reset", code });
  }

  receiveStop(code: number): void {
    if (this.#send === "over") return;
    this.#cutSending({ by: "stopped", code });
    this.#host.sendReset(this, code);
    if (this.#wantsDrain) this.#drain();
  }

  /** Bytes left the queue. */
  took(): void {
    if (this.#wantsDrain && this.queue.bytes <= this.#host.sendBufferBytes / 2) this.#drain();
  }

  /** The end is on its way. */
  endSent(): void {
    this.wireSendOver = true;
    this.#send = "over";
    this.#checkFinished(null);
  }

  /** It was reset before it had an id: the peer will never know of it, nor answer. */
  neverOpened(code: number): void {
    this.wireReceiveOver = true;
    this.wireSendOver = true;
    if (this.#receive !== "over") this.#cutReceiving({ by: "local", code });
  }

  /** The connection is gone. */
  lose(code: number): void {
    this.wireReceiveOver = true;
    this.wireSendOver = true;
    const error: StreamError = { by: "connection", code };
    if (this.#send !== "over") this.#cutSending(error);
    if (this.#receive !== "over") this.#cutReceiving(error);
  }

  /** Calls the owner for all that has happened. */
  tell(): void {
    const offer = this.#offer;
    this.#offer = null;
    offer?.(this);
    this.#tellReadable();
    if (this.#drainDue) {
      this.#drainDue = false;
      const { onDrain } = this;
      if (onDrain !== null) this.#host.call(onDrain);
    }
    const onClose = this.#onClose;
    if (!this.#closeDue || onClose === null) return;
    this.#closeDue = false;
    this.#host.call(() => onClose({ error: this.#error }));
  }

  #tellReadable(): void {
    const onReadable = this.#onReadable;
    if (!this.#readableDue || onReadable === null) return;
    if (this.#receive === "over" && !this.#ended && this.#resetCode === null) return;
    this.#readableDue = false;
    this.#armed = false;
    this.#host.call(onReadable);
  }

  #readable(): void {
    if (!this.#armed) return;
    this.#readableDue = true;
    this.#host.note(this);
  }

  #drain(): void {
    this.#wantsDrain = false;
    this.#drainDue = true;
    this.#host.note(this);
  }

  #reachEnd(): void {
    this.#ended = true;
    this.#receive = "over";
    this.#checkFinished(null);
  }

  #cutSending(error: StreamError): void {
    this.#sendError = error;
    this.queue.clear();
    this.#send = "over";
    this.#checkFinished(error);
  }

  #cutReceiving(error: StreamError): void {
    this.#receive = "over";
    const dropped = this.received.clear();
    if (dropped > 0) this.#host.consumed(this, dropped);
    this.#checkFinished(error);
  }

  #checkFinished(error: StreamError | null): void {
    this.#error ??= error;
    if (this.#finished || this.#send !== "over" || this.#receive !== "over") return;
    this.#finished = true;
    this.#closeDue = true;
    this.#host.finished(this);
    this.#host.note(this);
  }

  #sendOverError(): TcpTransportError {
    const by = this.#sendError?.by ?? "local";
    const why =
      by === "stopped"
        ? "the peer gave up reading it"
        : by === "connection"
          ? "its connection is closed"
          : "it was ended or reset, or can only be read";
    const message = `The stream '${this.protocol}' takes no more bytes: ${why}.`;
    return new TcpTransportError("OCTOPII_TCP_STREAM_CLOSED", message, { details: { error: this.#sendError } });
  }
}
