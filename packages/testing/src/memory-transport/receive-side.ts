import type { StreamFrame } from "./frames.js";

/** `open`, then `ended` when the peer's end arrived; or cut short by the peer (`reset`), by us (`stopped`), or with the connection. */
export type ReceiveState = "open" | "ended" | "reset" | "stopped" | "lost" | "none";

/** What one end of a stream has received, in order, and what it lets the peer send. */
export class ReceiveSide {
  state: ReceiveState;
  readonly #windowBytes: number;
  readonly #early = new Map<number, StreamFrame>();
  readonly #chunks: Uint8Array[] = [];
  #nextSequence = 0;
  #consumed = 0;
  #limit: number;

  constructor(exists: boolean, windowBytes: number) {
    this.state = exists ? "open" : "none";
    this.#windowBytes = windowBytes;
    this.#limit = windowBytes;
  }

  /** The peer's end arrived and everything before it was read. */
  get finished(): boolean {
    return this.state === "ended" && this.#chunks.length === 0;
  }

  /** Nothing more will come from this side. */
  get over(): boolean {
    return this.finished || (this.state !== "open" && this.state !== "ended");
  }

  /** Takes a frame in, and gives the next one in order if it is there. */
  arrive(frame: StreamFrame): void {
    this.#early.set(frame.sequence, frame);
  }

  next(): StreamFrame | null {
    const frame = this.#early.get(this.#nextSequence);
    if (frame === undefined) return null;
    this.#early.delete(this.#nextSequence);
    this.#nextSequence += 1;
    return frame;
  }

  keep(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  read(): Uint8Array | null {
    const chunk = this.#chunks.shift() ?? null;
    if (chunk !== null) this.#consumed += chunk.length;
    return chunk;
  }

  /** The new limit to tell the peer, once half of the window was read. */
  creditDue(): number | null {
    if (this.state !== "open" || (this.#limit - this.#consumed) * 2 > this.#windowBytes) return null;
    this.#limit = this.#consumed + this.#windowBytes;
    return this.#limit;
  }

  /** Drops everything unread. @returns how many bytes that was. */
  cut(state: "reset" | "stopped" | "lost"): number {
    let dropped = 0;
    for (const chunk of this.#chunks) dropped += chunk.length;
    for (const frame of this.#early.values()) dropped += frame.bytes?.length ?? 0;
    this.#chunks.length = 0;
    this.#early.clear();
    this.state = state;
    return dropped;
  }
}
