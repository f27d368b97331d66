import type { Connection, ConnectionClose, PeerIdentity, Stream } from "@octopii/interfaces";

/** The bytes of a greeting, as `octopii/link/1` has them. */
export function greeting(kind: "hello" | "accept" | "yield", life: number, hellos: number): Uint8Array {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, ["hello", "accept", "yield"].indexOf(kind));
  view.setUint32(1, life);
  view.setUint32(5, hellos);
  return bytes;
}

/** The near end of a stream whose far end is the test. */
export class ScriptedStream implements Stream {
  readonly protocol = "octopii/link/1";
  readonly written: Uint8Array[] = [];
  /** The codes of resets and stops. */
  readonly cuts: string[] = [];
  ended = false;
  resetCode: number | null = null;
  onDrain: (() => void) | null = null;
  onReadable: (() => void) | null = null;
  onClose: Stream["onClose"] = null;
  readonly #incoming: Uint8Array[] = [];

  /** What the far end says; it ends its direction then, unless `isLast` is false. */
  say(bytes: Uint8Array, isLast = true): void {
    this.#incoming.push(bytes);
    queueMicrotask(() => {
      this.ended = isLast;
      this.onReadable?.();
    });
  }

  break(): void {
    this.onClose?.({ error: { by: "connection", code: 0 } });
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }

  read(): Uint8Array | null {
    return this.#incoming.shift() ?? null;
  }

  end(): void {
    this.cuts.push("end");
  }

  reset(code: number): void {
    this.cuts.push(`reset ${code}`);
  }

  stop(code: number): void {
    this.cuts.push(`stop ${code}`);
  }
}

/** A connection that a link has dialed to a peer; `answer` is what the peer says to a hello, null for silence. */
export class ScriptedConnection implements Connection {
  readonly peer: PeerIdentity;
  readonly remoteAddress = "10.0.0.2:7001";
  readonly streams: ScriptedStream[] = [];
  /** How our side closed it. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly closed: Promise<ConnectionClose>;
  onStream: Connection["onStream"] = null;
  readonly #answer: Uint8Array | null;
  #end: (close: ConnectionClose) => void = () => undefined;

  constructor(peer: PeerIdentity, answer: Uint8Array | null) {
    this.peer = peer;
    this.#answer = answer;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  openStream(): Stream {
    const stream = new ScriptedStream();
    this.streams.push(stream);
    if (this.#answer !== null) stream.say(this.#answer);
    return stream;
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.lose({ by: "local", code, reason });
  }

  lose(close: ConnectionClose): void {
    this.#end(close);
  }

  stats() {
    return { bytesSent: 0, bytesReceived: 0, roundTripMs: null, openStreams: 0 };
  }
}

export async function microtasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
