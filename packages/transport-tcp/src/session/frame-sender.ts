import type { TlsSocket } from "../ports.js";
import { frameHeaderBytes, frameTypes, writeHeader } from "../wire/frame.js";
import type { TcpStream } from "./tcp-stream.js";

/** With less room than this in a buffer, the rest goes into the next one. */
const leastDataBytes = 256;

/** What a connection has to send: small frames that are ready, and streams with bytes, each in its turn. */
export class FrameSender {
  bytesSent = 0;
  /** Bytes of small frames that wait. */
  controlBytes = 0;
  readonly #socket: TlsSocket;
  readonly #maxFrameBytes: number;
  readonly #onSent: (stream: TcpStream, ended: boolean) => void;
  #control: Uint8Array[] = [];
  readonly #ready = new Set<TcpStream>();
  #peerFrameBytes = 0;
  /** Bytes of data frames that were sent, and how many the peer allows in total. */
  #dataSent = 0;
  #dataLimit = 0;

  /** @param onSent - bytes, or the end, of a stream were put into a frame. */
  constructor(socket: TlsSocket, maxFrameBytes: number, onSent: (stream: TcpStream, ended: boolean) => void) {
    this.#socket = socket;
    this.#maxFrameBytes = maxFrameBytes;
    this.#onSent = onSent;
  }

  /** The peer has said how it wants to be treated: from now on data may leave. */
  open(peerFrameBytes: number, dataLimit: number): void {
    this.#peerFrameBytes = peerFrameBytes;
    this.#dataLimit = dataLimit;
  }

  /** Queues a small frame; it leaves before any data. */
  push(frame: Uint8Array): void {
    this.#control.push(frame);
    this.controlBytes += frame.length;
  }

  sendable(stream: TcpStream): void {
    if (stream.id >= 0) this.#ready.add(stream);
  }

  grow(dataLimit: number): void {
    this.#dataLimit = Math.max(this.#dataLimit, dataLimit);
  }

  /** Forgets all streams. */
  clear(): void {
    this.#ready.clear();
  }

  /** Fills buffers of the socket until there is nothing to send, or no buffer. Calls no owner. @returns whether all small frames left. */
  flush(): boolean {
    while (this.#control.length > 0 || this.#hasData()) {
      const buffer = this.#socket.take();
      if (buffer === null) return this.#control.length === 0;
      const length = this.#fillData(buffer, this.#fillControl(buffer));
      if (length === 0) {
        this.#socket.giveBack(buffer);
        break;
      }
      this.bytesSent += length;
      this.#socket.send(buffer, length);
    }
    return this.#control.length === 0;
  }

  #hasData(): boolean {
    return this.#ready.size > 0 && this.#peerFrameBytes > 0;
  }

  #fillControl(buffer: Uint8Array): number {
    if (this.#control.length === 0) return 0;
    let at = 0;
    let taken = 0;
    for (const frame of this.#control) {
      if (at + frame.length > buffer.length) break;
      buffer.set(frame, at);
      at += frame.length;
      taken += 1;
    }
    this.#control = taken === this.#control.length ? [] : this.#control.slice(taken);
    this.controlBytes -= at;
    return at;
  }

  #fillData(buffer: Uint8Array, start: number): number {
    if (this.#control.length > 0 || !this.#hasData()) return start;
    let at = start;
    let blocked: TcpStream[] | null = null;
    for (const stream of this.#ready) {
      const room = buffer.length - at - frameHeaderBytes;
      if (room < leastDataBytes) break;
      this.#ready.delete(stream);
      const allowed = Math.min(stream.queue.bytes, stream.sendLimit - stream.sent, this.#maxFrameBytes, this.#peerFrameBytes);
      const length = Math.min(allowed, this.#dataLimit - this.#dataSent, room);
      if (length > 0) at = this.#data(buffer, at, stream, length);
      const ends = stream.queue.bytes === 0 && stream.isEnding && buffer.length - at >= frameHeaderBytes;
      if (ends) {
        writeHeader(buffer, at, frameTypes.end, 0, stream.id);
        at += frameHeaderBytes;
      }
      // Whom its own credit holds back comes again with more of it; whom the connection's holds back is tried at the next flush.
      const hasMore = stream.queue.bytes > 0 ? stream.sendLimit > stream.sent : stream.isEnding && !ends;
      if (hasMore && length === 0 && stream.queue.bytes > 0) {
        blocked ??= [];
        blocked.push(stream);
      } else if (hasMore) this.#ready.add(stream);
      this.#onSent(stream, ends);
    }
    if (blocked !== null) for (const stream of blocked) this.#ready.add(stream);
    return at;
  }

  #data(buffer: Uint8Array, at: number, stream: TcpStream, length: number): number {
    writeHeader(buffer, at, frameTypes.data, length, stream.id);
    stream.queue.moveInto(buffer, at + frameHeaderBytes, length);
    stream.sent += length;
    this.#dataSent += length;
    return at + frameHeaderBytes + length;
  }
}
