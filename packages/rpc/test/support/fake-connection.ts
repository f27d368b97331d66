import type { Connection, ConnectionClose, ConnectionStats, PeerIdentity, Stream, StreamClose } from "@octopii/interfaces";
import type { ManualTime } from "./manual-time.js";

export interface FakeOptions {
  /** Bytes that the peer has not read before `write` gives false. Default: 1 MiB. */
  readonly windowBytes?: number;
  /** Cuts what is written into pieces of this size. Default: as written. */
  readonly chunkBytes?: number;
}

/** Two ends of a connection that delivers in order, one event at a time, never from inside a call. */
export function createConnectionPair(time: ManualTime, options: FakeOptions = {}): readonly [FakeConnection, FakeConnection] {
  const left = new FakeConnection(time, options, { name: "right", cluster: "test", nodeId: 2 });
  const right = new FakeConnection(time, options, { name: "left", cluster: "test", nodeId: 1 });
  left.other = right;
  right.other = left;
  return [left, right];
}

export class FakeConnection implements Connection {
  readonly peer: PeerIdentity;
  readonly remoteAddress = "fake:1";
  readonly closed: Promise<ConnectionClose>;
  onStream: ((stream: Stream) => void) | null = null;
  other: FakeConnection | null = null;
  readonly streams: FakeStream[] = [];
  readonly #time: ManualTime;
  readonly #options: FakeOptions;
  #resolveClosed: (close: ConnectionClose) => void = () => undefined;
  #open = true;

  constructor(time: ManualTime, options: FakeOptions, peer: PeerIdentity) {
    this.#time = time;
    this.#options = options;
    this.peer = peer;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  openStream(protocol: string): FakeStream {
    if (!this.#open) throw new Error("The connection is closed.");
    const near = new FakeStream(this.#time, this.#options, protocol);
    const far = new FakeStream(this.#time, this.#options, protocol);
    near.other = far;
    far.other = near;
    this.streams.push(near);
    this.other?.streams.push(far);
    this.#time.deliver(() => {
      const { other } = this;
      if (other?.onStream) other.onStream(far);
      else {
        far.reset(99);
        far.stop(99);
      }
    });
    return near;
  }

  close(code: number, reason: string): void {
    this.#over({ by: "local", code, reason });
    this.#time.deliver(() => this.other?.lose({ by: "remote", code, reason }));
  }

  lose(close: ConnectionClose): void {
    this.#over(close);
  }

  stats(): ConnectionStats {
    return { bytesSent: 0, bytesReceived: 0, roundTripMs: null, openStreams: this.streams.length };
  }

  #over(close: ConnectionClose): void {
    if (!this.#open) return;
    this.#open = false;
    for (const stream of this.streams) stream.cut({ by: "connection", code: close.code });
    this.#resolveClosed(close);
  }
}

export class FakeStream implements Stream {
  readonly protocol: string;
  onDrain: (() => void) | null = null;
  resetCode: number | null = null;
  onReadable: (() => void) | null = null;
  onClose: ((close: StreamClose) => void) | null = null;
  other: FakeStream | null = null;
  /** Every buffer that was written, for tests that count writes. */
  readonly written: Uint8Array[] = [];
  readonly #time: ManualTime;
  readonly #options: FakeOptions;
  readonly #inbox: Uint8Array[] = [];
  #unread = 0;
  #wantsDrain = false;
  #finArrived = false;
  #readOver = false;
  #writeOver = false;
  #error: StreamClose["error"] = null;
  #closed = false;

  constructor(time: ManualTime, options: FakeOptions, protocol: string) {
    this.#time = time;
    this.#options = options;
    this.protocol = protocol;
  }

  get ended(): boolean {
    return this.#finArrived && this.#inbox.length === 0;
  }

  get closeError(): StreamClose["error"] {
    return this.#error;
  }

  get over(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writeOver) throw new Error("The stream takes no more bytes.");
    this.written.push(bytes);
    const size = this.#options.chunkBytes ?? Math.max(1, bytes.length);
    for (let offset = 0; offset < bytes.length; offset += size) {
      const chunk = bytes.slice(offset, offset + size);
      this.#unread += chunk.length;
      this.#time.deliver(() => this.other?.receive(chunk));
    }
    this.#wantsDrain = this.#unread > (this.#options.windowBytes ?? 1_048_576);
    return !this.#wantsDrain;
  }

  read(): Uint8Array | null {
    const chunk = this.#inbox.shift();
    if (chunk === undefined) return null;
    this.other?.taken(chunk.length);
    if (this.ended) this.#endReading();
    return chunk;
  }

  end(): void {
    if (this.#writeOver) return;
    this.#writeOver = true;
    this.#time.deliver(() => this.other?.receiveFin());
    this.#closeIfOver();
  }

  reset(code: number): void {
    if (this.#writeOver) return;
    this.#writeOver = true;
    this.#error ??= { by: "local", code };
    this.#time.deliver(() => this.other?.receiveReset(code));
    this.#closeIfOver();
  }

  stop(code: number): void {
    if (this.#readOver) return;
    this.#error ??= { by: "local", code };
    this.#endReading();
    this.#time.deliver(() => this.other?.endWritingBy({ by: "stopped", code }));
  }

  cut(error: StreamClose["error"]): void {
    this.#error ??= error;
    this.#writeOver = true;
    this.#endReading();
  }

  receive(chunk: Uint8Array): void {
    if (this.#readOver) return;
    this.#inbox.push(chunk);
    this.onReadable?.();
  }

  receiveFin(): void {
    if (this.#readOver) return;
    this.#finArrived = true;
    if (this.ended) this.#endReading();
    this.onReadable?.();
  }

  receiveReset(code: number): void {
    if (this.#readOver) return;
    this.resetCode = code;
    this.#error ??= { by: "reset", code };
    this.#endReading();
    this.onReadable?.();
  }

  endWritingBy(error: StreamClose["error"]): void {
    if (this.#writeOver) return;
    this.#error ??= error;
    this.#writeOver = true;
    this.#closeIfOver();
  }

  taken(bytes: number): void {
    this.#unread -= bytes;
    if (!this.#wantsDrain || this.#unread > 0) return;
    this.#wantsDrain = false;
    this.#time.deliver(() => this.onDrain?.());
  }

  #endReading(): void {
    this.#readOver = true;
    if (!this.#finArrived) this.#inbox.length = 0;
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#closed || !this.#readOver || !this.#writeOver) return;
    this.#closed = true;
    this.#time.deliver(() => this.onClose?.({ error: this.#error }));
  }
}
