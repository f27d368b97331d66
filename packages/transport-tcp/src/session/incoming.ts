import { encodeConnectionLimit, encodePong, encodeStreamLimit, type Hello } from "../wire/frame.js";
import type { FrameHandler } from "../wire/frame-reader.js";
import type { FrameSender } from "./frame-sender.js";
import type { Liveness } from "./liveness.js";
import type { StreamTable } from "./stream-table.js";
import type { TcpStream } from "./tcp-stream.js";

/** What {@link Incoming} tells its connection. */
export interface IncomingHost {
  /** The peer's hello, which is its first frame: it has accepted us. */
  greeted(hello: Hello): void;
  /** A stream that the peer opened, entered into the table. */
  createIncoming(id: number, protocol: string): TcpStream;
  settle(stream: TcpStream): void;
  /** The peer may take more now. */
  creditGrew(): void;
  closedByPeer(code: number, reason: string): void;
  /** It is not closing, nor closed. */
  readonly takesFrames: boolean;
}

/** Checks each frame of the peer against what it may do, and gives it to whom it is for. */
export class Incoming implements FrameHandler {
  bytesReceived = 0;
  readonly #host: IncomingHost;
  readonly #table: StreamTable;
  readonly #sender: FrameSender;
  readonly #liveness: Liveness;
  readonly #window: number;
  readonly #maxFrameBytes: number;
  #hello: Hello | null = null;
  /** Bytes of data frames: that came, that were read, and that may come. */
  #received = 0;
  #read = 0;
  #limit: number;

  constructor(
    host: IncomingHost,
    parts: { readonly table: StreamTable; readonly sender: FrameSender; readonly liveness: Liveness },
    limits: { readonly connectionWindowBytes: number; readonly maxFrameBytes: number },
  ) {
    this.#host = host;
    this.#table = parts.table;
    this.#sender = parts.sender;
    this.#liveness = parts.liveness;
    this.#window = limits.connectionWindowBytes;
    this.#limit = limits.connectionWindowBytes;
    this.#maxFrameBytes = limits.maxFrameBytes;
  }

  get isOver(): boolean {
    return !this.#host.takesFrames;
  }

  /** How many bytes of a stream we may send before the peer says more. */
  get peerStreamWindow(): number {
    return this.#hello?.streamWindowBytes ?? 0;
  }

  /** The owner read bytes of a stream, or they were thrown away. */
  consumed(stream: TcpStream, bytes: number): void {
    if (stream.isReading && !stream.wireReceiveOver) {
      const limit = stream.received.nextLimit();
      if (limit !== null) this.#sender.push(encodeStreamLimit(stream.id, limit));
    }
    this.#consume(bytes);
  }

  #consume(bytes: number): void {
    this.#read += bytes;
    if ((this.#limit - this.#read) * 2 > this.#window) return;
    this.#limit = this.#read + this.#window;
    this.#sender.push(encodeConnectionLimit(this.#limit));
  }

  hello(hello: Hello): string | null {
    if (this.#hello !== null) return "a second hello came";
    this.#hello = hello;
    this.#host.greeted(hello);
    return null;
  }

  open(id: number, protocol: string): string | null {
    if (this.#hello === null) return noHello;
    if (!this.#table.mayOpen(id)) return `stream ${id} was opened out of turn or beyond the credit`;
    this.#host.createIncoming(id, protocol);
    return null;
  }

  dataBegins(id: number, length: number): string | null {
    const stream = this.#receiving(id);
    if (stream === null) return `bytes came for stream ${id}, which takes none`;
    if (length > this.#maxFrameBytes) return `a data frame declares ${length} bytes, and ${this.#maxFrameBytes} are allowed`;
    if (!stream.received.allows(length)) return `stream ${id} got more bytes than its credit`;
    if (this.#received + length > this.#limit) return "the streams got more bytes than the connection's credit";
    stream.received.expect(length);
    this.#received += length;
    return null;
  }

  data(id: number, bytes: Uint8Array): void {
    const stream = this.#table.get(id);
    if (stream?.isReading === true) stream.receiveData(bytes);
    else this.#consume(bytes.length);
  }

  end(id: number): string | null {
    const stream = this.#receiving(id);
    if (stream === null) return `stream ${id} ended twice, or never began`;
    stream.receiveEnd();
    this.#host.settle(stream);
    return null;
  }

  reset(id: number, code: number): string | null {
    const stream = this.#receiving(id);
    if (stream === null) return `stream ${id} was reset after its end, or never began`;
    stream.receiveReset(code);
    this.#host.settle(stream);
    return null;
  }

  /** What is about our own sending may come after we forgot the stream. */
  stop(id: number, code: number): string | null {
    if (!this.#table.wasOpened(id)) return unknownStream(id);
    this.#table.get(id)?.receiveStop(code);
    return null;
  }

  streamLimit(id: number, limit: number): string | null {
    if (!this.#table.wasOpened(id)) return unknownStream(id);
    const stream = this.#table.get(id);
    if (stream === undefined || limit <= stream.sendLimit) return null;
    stream.sendLimit = limit;
    if (stream.wireSendOver) return null;
    this.#sender.sendable(stream);
    this.#host.creditGrew();
    return null;
  }

  connectionLimit(limit: number): string | null {
    if (this.#hello === null) return noHello;
    this.#sender.grow(limit);
    this.#host.creditGrew();
    return null;
  }

  streamCount(bidirectional: number, unidirectional: number): string | null {
    if (this.#hello === null) return noHello;
    this.#table.addCredit(bidirectional, unidirectional);
    this.#host.creditGrew();
    return null;
  }

  ping(token: Uint8Array): string | null {
    if (this.#hello === null) return noHello;
    this.#sender.push(encodePong(token));
    this.#host.creditGrew();
    return null;
  }

  pong(token: Uint8Array): string | null {
    this.#liveness.answered(token);
    return null;
  }

  close(code: number, reason: string): string | null {
    this.#host.closedByPeer(code, reason);
    return null;
  }

  /** The stream whose peer's direction is still open on the wire. */
  #receiving(id: number): TcpStream | null {
    const stream = this.#table.get(id);
    return stream === undefined || stream.wireReceiveOver ? null : stream;
  }
}

const noHello = "the peer's first frame is no hello";
const unknownStream = (id: number): string => `a frame is about stream ${id}, which nobody has opened`;
