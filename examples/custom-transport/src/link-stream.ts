import type { Stream, StreamClose } from "@octopii/interfaces";
import { checkCode, frameBytesMax, kinds, later, uint32 } from "./frames.js";

/** Each direction of a stream has a credit of this many unread bytes. */
const windowBytes = 256 * 1024;
const sendBufferBytes = 256 * 1024;
const sendBufferBytesMax = 16 * 1024 * 1024;
/** What the opener of a stream that nobody takes sees. */
const refusedCode = 1;

/** What a stream needs of its connection. */
export interface StreamLink {
  send(kind: number, streamId: number, payload?: Uint8Array): void;
  /** Both directions of the stream are over. */
  forget(stream: LinkStream): void;
}

/** One stream: two directions, each open until it has ended, was given up, or the connection is gone. */
export class LinkStream implements Stream {
  readonly id: number;
  readonly protocol: string;
  onDrain: (() => void) | null = null;
  onReadable: (() => void) | null = null;
  onClose: ((close: StreamClose) => void) | null = null;
  readonly #link: StreamLink;
  #writes: boolean;
  #reads: boolean;
  #error: StreamClose["error"] = null;
  #writeError: StreamClose["error"] = null;
  /** Bytes that wait for credit. */
  #outbox: Uint8Array[] = [];
  #waitingBytes = 0;
  #credit = windowBytes;
  #ending = false;
  #owesDrain = false;
  #inbox: Uint8Array[] = [];
  #unreadBytes = 0;
  #uncreditedBytes = 0;
  #endCame = false;
  #resetCode: number | null = null;
  #readableQueued = false;

  constructor(link: StreamLink, id: number, protocol: string, { writes, reads }: { writes: boolean; reads: boolean }) {
    this.#link = link;
    this.id = id;
    this.protocol = protocol;
    this.#writes = writes;
    this.#reads = reads;
  }

  get ended(): boolean {
    return this.#endCame && this.#unreadBytes === 0;
  }

  get resetCode(): number | null {
    return this.#resetCode;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#writes || this.#ending) {
      throw Object.assign(new Error("This direction of the stream is over."), { details: { error: this.#writeError } });
    }
    if (this.#waitingBytes + bytes.length > sendBufferBytesMax && this.#waitingBytes > sendBufferBytes) {
      throw new Error("The stream does not drain; wait for onDrain after write gave false.");
    }
    if (bytes.length > 0) this.#outbox.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#pump();
    if (this.#waitingBytes < sendBufferBytes) return true;
    this.#owesDrain = true;
    return false;
  }

  read(): Uint8Array | null {
    const chunk = this.#inbox.shift();
    if (chunk === undefined) return null;
    this.#unreadBytes -= chunk.length;
    this.#uncreditedBytes += chunk.length;
    if (this.#uncreditedBytes >= windowBytes / 4) {
      this.#link.send(kinds.credit, this.id, uint32(this.#uncreditedBytes));
      this.#uncreditedBytes = 0;
    }
    if (this.ended) this.#doneReading(null);
    return chunk;
  }

  end(): void {
    if (!this.#writes || this.#ending) return;
    this.#ending = true;
    this.#pump();
  }

  reset(code: number): void {
    checkCode(code);
    if (!this.#writes) return;
    this.#link.send(kinds.reset, this.id, uint32(code));
    this.#doneWriting({ by: "local", code });
  }

  stop(code: number): void {
    checkCode(code);
    if (!this.#reads) return;
    this.#link.send(kinds.stop, this.id, uint32(code));
    this.#doneReading({ by: "local", code });
  }

  refuse(): void {
    this.reset(refusedCode);
    this.stop(refusedCode);
  }

  /** @returns what the peer did wrong, or null. */
  received(kind: number, payload: Buffer): string | null {
    if (kind === kinds.data) return this.#take(payload);
    if (kind === kinds.end) {
      this.#endCame = this.#reads;
      this.#tellReadable();
      if (this.ended) this.#doneReading(null);
      return null;
    }
    if (payload.length !== 4) return "a frame of the wrong length";
    const number = payload.readUInt32BE(0);
    if (kind === kinds.credit) {
      this.#credit += number;
      this.#pump();
    } else if (kind === kinds.reset) this.#takeReset(number);
    else if (kind === kinds.stop) this.#doneWriting({ by: "stopped", code: number });
    else return `a frame of kind ${kind}`;
    return null;
  }

  #take(payload: Buffer): string | null {
    if (!this.#reads) return null;
    if (this.#endCame || this.#unreadBytes + payload.length > windowBytes) return "bytes beyond the credit or the end";
    this.#inbox.push(new Uint8Array(payload.buffer, payload.byteOffset, payload.length));
    this.#unreadBytes += payload.length;
    this.#tellReadable();
    return null;
  }

  #takeReset(code: number): void {
    if (!this.#reads) return;
    this.#resetCode = code;
    this.#tellReadable();
    this.#doneReading({ by: "reset", code });
  }

  #tellReadable(): void {
    if (this.#readableQueued || !this.#reads) return;
    this.#readableQueued = true;
    later(() => {
      this.#readableQueued = false;
      this.onReadable?.();
    });
  }

  /** Sends what the credit allows; then the end, if that was asked for. */
  #pump(): void {
    for (let first = this.#outbox[0]; first !== undefined && this.#credit > 0; first = this.#outbox[0]) {
      const piece = first.subarray(0, Math.min(this.#credit, frameBytesMax));
      this.#link.send(kinds.data, this.id, piece);
      this.#credit -= piece.length;
      this.#waitingBytes -= piece.length;
      if (piece.length === first.length) this.#outbox.shift();
      else this.#outbox[0] = first.subarray(piece.length);
    }
    if (this.#waitingBytes < sendBufferBytes / 2) this.#tellDrained();
    if (!this.#ending || this.#outbox.length > 0 || !this.#writes) return;
    this.#link.send(kinds.end, this.id);
    this.#doneWriting(null);
  }

  #tellDrained(): void {
    if (this.#owesDrain) later(() => this.onDrain?.());
    this.#owesDrain = false;
  }

  /** The connection is gone. */
  over(error: StreamClose["error"]): void {
    this.#doneWriting(error);
    this.#doneReading(error);
  }

  #doneWriting(error: StreamClose["error"]): void {
    if (!this.#writes) return;
    this.#writes = false;
    this.#writeError = error;
    this.#outbox = [];
    this.#waitingBytes = 0;
    // Whoever waits for room learns from `write` that there is none.
    if (error?.by === "stopped") this.#tellDrained();
    this.#done(error);
  }

  #doneReading(error: StreamClose["error"]): void {
    if (!this.#reads) return;
    this.#reads = false;
    if (error !== null) {
      this.#inbox = [];
      this.#unreadBytes = 0;
      this.#endCame = false;
    }
    this.#done(error);
  }

  #done(error: StreamClose["error"]): void {
    this.#error ??= error;
    if (this.#writes || this.#reads) return;
    this.#link.forget(this);
    later(() => this.onClose?.({ error: this.#error }));
  }
}
