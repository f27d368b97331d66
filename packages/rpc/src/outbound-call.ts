import type { Abortable } from "./abort-watch.js";
import type { DeadlineEntry } from "./deadline-queue.js";
import type { FrameState, OutgoingFrame } from "./frame-encoder.js";
import { frameTypes, noBytes } from "./frame-format.js";

/** Hears from an {@link OutboundCall}. */
export interface OutboundCallOwner {
  onAborted(call: OutboundCall): void;
  onExpired(call: OutboundCall): void;
}

/** What an {@link OutboundCall} is made from. */
export interface OutboundCallFields {
  readonly method: string;
  readonly methodBytes: Uint8Array;
  readonly metadataBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** A call that waits for its answer. It is also the frame of its request and its own entry in the deadline queue. */
export class OutboundCall implements OutgoingFrame, DeadlineEntry, Abortable {
  readonly frameType: number = frameTypes.request;
  readonly flags = 0;
  readonly extra = 0;
  callId = 0;
  readonly deadline: number;
  readonly methodBytes: Uint8Array;
  readonly metadataBytes: Uint8Array;
  payload: Uint8Array;
  frameState: FrameState = "idle";
  heapIndex = -1;

  readonly method: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly answer: Promise<Uint8Array>;
  readonly #owner: OutboundCallOwner;
  #resolve: (answer: Uint8Array) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(fields: OutboundCallFields, owner: OutboundCallOwner) {
    this.method = fields.method;
    this.methodBytes = fields.methodBytes;
    this.metadataBytes = fields.metadataBytes;
    this.payload = fields.payload;
    this.timeoutMs = fields.timeoutMs;
    this.deadline = fields.deadline;
    this.signal = fields.signal;
    this.#owner = owner;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Whether the request is not complete at the stream yet: then nobody can have executed it, and no answer is its own. */
  get unsent(): boolean {
    return this.frameState !== "written";
  }

  expire(): void {
    this.#owner.onExpired(this);
  }

  onAbort(): void {
    this.#owner.onAborted(this);
  }

  resolve(answer: Uint8Array): void {
    this.#releasePayload();
    this.#resolve(answer);
  }

  reject(error: unknown): void {
    this.#releasePayload();
    this.#reject(error);
  }

  /** A frame that is on its way out still needs its payload; in every other state nobody does. */
  #releasePayload(): void {
    if (this.frameState !== "started" && this.frameState !== "queued") this.payload = noBytes;
  }
}
