import type { StreamClose } from "@octopii/interfaces";
import { TestingError } from "../errors.js";

/** Writes that were taken although earlier ones gave false may add up to so many send buffers. */
const MAX_OVERRUN_BUFFERS = 16;

/**
 * `open`, then `ending` once the owner ended it, `sent` when the peer was told, `finished` when the peer has it all; or cut short by us
 * (`reset`), by the peer (`stopped`), or with the connection (`lost`).
 */
export type SendState = "open" | "ending" | "sent" | "finished" | "reset" | "stopped" | "lost";

/** The bytes that one end of a stream has to send, and how far it may. */
export class SendSide {
  state: SendState;
  /** The owner was told to wait and wants to know when it may go on. */
  wantsDrain = false;
  /** Why it was cut short; null while it was not. */
  cutBy: StreamClose["error"] = null;
  /** Bytes that the owner wrote and that are not under way. */
  buffered = 0;
  #sent = 0;
  #limit: number;
  #overrun = 0;
  readonly #bufferBytes: number;
  readonly #queue: Uint8Array[] = [];
  #headOffset = 0;

  constructor(exists: boolean, windowBytes: number, bufferBytes: number) {
    this.state = exists ? "open" : "finished";
    this.#limit = windowBytes;
    this.#bufferBytes = bufferBytes;
  }

  /** Nothing more will leave on this side, and the peer need not be waited for. */
  get over(): boolean {
    return this.state === "finished" || this.state === "reset" || this.state === "stopped" || this.state === "lost";
  }

  /** Bytes that may leave now as far as this stream goes. */
  get sendable(): number {
    return Math.min(this.buffered, this.#limit - this.#sent);
  }

  /** The end may be told now. */
  get endDue(): boolean {
    return this.state === "ending" && this.buffered === 0;
  }

  push(bytes: Uint8Array): boolean {
    this.#checkWritable();
    if (bytes.length > 0) {
      if (this.wantsDrain) this.#countOverrun(bytes.length);
      this.#queue.push(bytes);
      this.buffered += bytes.length;
    }
    if (this.buffered < this.#bufferBytes) return true;
    this.wantsDrain = true;
    return false;
  }

  /** Takes up to `most` bytes, copied: the writer's array must not show through at the reader's end. */
  take(most: number): Uint8Array {
    const length = Math.min(most, this.sendable);
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const head = this.#queue[0] as Uint8Array;
      const part = head.subarray(this.#headOffset, this.#headOffset + length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#headOffset += part.length;
      if (this.#headOffset < head.length) break;
      this.#queue.shift();
      this.#headOffset = 0;
    }
    this.buffered -= length;
    this.#sent += length;
    return taken;
  }

  /** Whether the owner should hear that there is room again. Answers yes once. */
  drained(): boolean {
    if (!this.wantsDrain || this.state !== "open" || this.buffered * 2 > this.#bufferBytes) return false;
    this.wantsDrain = false;
    this.#overrun = 0;
    return true;
  }

  grow(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
  }

  /** Drops what was not sent. */
  cut(state: "reset" | "stopped" | "lost", error: NonNullable<StreamClose["error"]>): void {
    this.state = state;
    this.cutBy = error;
    this.#queue.length = 0;
    this.#headOffset = 0;
    this.buffered = 0;
  }

  #checkWritable(): void {
    if (this.state === "open") return;
    const details = { error: this.cutBy };
    if (this.state === "lost") {
      throw new TestingError("OCTOPII_TESTING_CLOSED", "The connection of this stream is closed; open another.", { details });
    }
    const why = this.state === "stopped" ? "the peer gave up reading it" : "it was ended or reset, or is the peer's alone";
    throw new TestingError("OCTOPII_TESTING_STREAM_ENDED", `This stream cannot be written: ${why}.`, { details });
  }

  #countOverrun(bytes: number): void {
    this.#overrun += bytes;
    if (this.#overrun <= this.#bufferBytes * MAX_OVERRUN_BUFFERS) return;
    throw new TestingError(
      "OCTOPII_TESTING_STREAM_OVERRUN",
      `${this.buffered} bytes wait on this stream, which holds ${this.#bufferBytes}; stop writing when write gives false, go on at onDrain.`,
    );
  }
}
