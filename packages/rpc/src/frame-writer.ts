import type { Stream } from "@octopii/interfaces";
import type { Endpoint } from "./endpoint.js";
import { encodePrefix, type OutgoingFrame, prefixSize } from "./frame-encoder.js";

/** Frames are copied into one buffer up to this size, so that back-pressure is noticed in time. */
const maxBatchBytes = 262_144;
/** Payloads from this size on are handed to the stream as they are: the copy would cost more than the write it saves. */
const largePayloadBytes = 16_384;
/** Dropped frames are swept out of a queue that does not move once there are this many, and more than live ones. */
const sweepAt = 64;

/** Hears from a {@link FrameWriter}. */
export interface FrameWriterOwner {
  /** Nothing waits any more. */
  onFlushed(): void;
  /** The stream refused to take bytes; it is of no use any more. */
  onWriteFailed(error: unknown): void;
}

/**
 * Gathers the frames of one event-loop turn and gives them to the stream in one write. Frames are encoded when they leave, so one
 * that was dropped before costs nothing, a time budget is that of the moment, and what was never sent is known never to have been.
 */
export class FrameWriter {
  readonly #stream: Stream;
  readonly #endpoint: Endpoint;
  readonly #owner: FrameWriterOwner;
  readonly #flushLater: () => void;
  #queue: OutgoingFrame[] = [];
  #head = 0;
  #dropped = 0;
  #queuedBytes = 0;
  /** A frame whose prefix has been written, and whose large payload is next. */
  #unfinished: OutgoingFrame | null = null;
  #scheduled = false;
  #blocked = false;
  #closed = false;

  constructor(stream: Stream, endpoint: Endpoint, owner: FrameWriterOwner) {
    this.#stream = stream;
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#flushLater = () => {
      this.#scheduled = false;
      this.flush();
    };
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether `bytes` more may be queued. Makes room first where the stream still takes something. */
  hasRoom(bytes: number): boolean {
    const most = this.#endpoint.config.maxQueuedBytes;
    if (this.#queuedBytes + bytes <= most) return true;
    this.flush();
    return this.#queuedBytes + bytes <= most;
  }

  /** Queues a frame for this turn's write. */
  send(frame: OutgoingFrame): void {
    if (this.#closed) return;
    frame.frameState = "queued";
    this.#queue.push(frame);
    this.#account(prefixSize(frame) + frame.payload.length);
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    this.#endpoint.scheduler.nextTurn(this.#flushLater);
  }

  /** Takes a frame back. @returns whether it will never be sent; false if some of it has left already. */
  drop(frame: OutgoingFrame): boolean {
    if (frame.frameState === "idle") return true;
    if (frame.frameState !== "queued") return frame.frameState === "dropped";
    frame.frameState = "dropped";
    this.#account(-prefixSize(frame) - frame.payload.length);
    this.#dropped += 1;
    if (this.#dropped > sweepAt && this.#dropped * 2 > this.#queue.length - this.#head) {
      this.#queue = this.#queue.slice(this.#head).filter((other) => other.frameState !== "dropped");
      this.#head = 0;
      this.#dropped = 0;
    }
    return true;
  }

  /** Writes what waits, as far as the stream takes it. */
  flush(): void {
    if (this.#closed || this.#blocked || this.#queuedBytes === 0) return;
    try {
      while (!this.#blocked && this.#queuedBytes > 0) this.#writeBatch();
    } catch (error) {
      this.#owner.onWriteFailed(error);
      return;
    }
    if (this.#queuedBytes === 0) this.#owner.onFlushed();
  }

  /** The stream has room again. */
  onDrain(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Forgets everything that waits. */
  close(): void {
    this.#closed = true;
    this.#account(-this.#queuedBytes);
    this.#queue = [];
    this.#head = 0;
    this.#unfinished = null;
  }

  #writeBatch(): void {
    if (this.#unfinished !== null) {
      const frame = this.#unfinished;
      this.#write(frame.payload);
      frame.frameState = "written";
      this.#unfinished = null;
      return;
    }
    const from = this.#head;
    const { size, to, large } = this.#gather(from);
    if (size > 0) {
      this.#write(this.#encode(from, to, size));
      this.#settle(from, to, large);
    }
    this.#advance(to);
  }

  /** Chooses the frames of one write: as many as fit, up to the first large payload. */
  #gather(from: number): { readonly size: number; readonly to: number; readonly large: OutgoingFrame | null } {
    let size = 0;
    let to = from;
    while (to < this.#queue.length && size < maxBatchBytes) {
      const frame = this.#queue[to];
      to += 1;
      if (frame === undefined || frame.frameState !== "queued") continue;
      size += prefixSize(frame);
      if (frame.payload.length >= largePayloadBytes) return { size, to, large: frame };
      size += frame.payload.length;
    }
    return { size, to, large: null };
  }

  #encode(from: number, to: number, size: number): Uint8Array {
    const target = new Uint8Array(size);
    const view = new DataView(target.buffer);
    const now = this.#endpoint.clock.now();
    let offset = 0;
    for (let index = from; index < to; index++) {
      const frame = this.#queue[index];
      if (frame === undefined || frame.frameState !== "queued") continue;
      offset = encodePrefix(frame, target, view, offset, now);
      if (frame.payload.length >= largePayloadBytes) break;
      target.set(frame.payload, offset);
      offset += frame.payload.length;
    }
    return target;
  }

  #settle(from: number, to: number, large: OutgoingFrame | null): void {
    for (let index = from; index < to; index++) {
      const frame = this.#queue[index];
      if (frame === undefined || frame.frameState !== "queued") continue;
      frame.frameState = frame === large ? "started" : "written";
      this.#endpoint.counters.framesSent += 1;
    }
    this.#unfinished = large;
  }

  /** Gives up the queue's places before `to`, without moving the rest each time. */
  #advance(to: number): void {
    if (to === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#dropped = 0;
      return;
    }
    this.#head = to;
    if (this.#head < 1_024) return;
    this.#queue.splice(0, this.#head);
    this.#head = 0;
  }

  #write(bytes: Uint8Array): void {
    this.#blocked = !this.#stream.write(bytes);
    const { counters } = this.#endpoint;
    counters.writes += 1;
    counters.bytesSent += bytes.length;
    this.#account(-bytes.length);
  }

  #account(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#endpoint.counters.queuedBytes += bytes;
  }
}
