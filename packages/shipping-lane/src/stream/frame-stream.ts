import type { Stream, StreamClose } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { FrameReader } from "./frame-reader.js";

/**
 * Frames on a stream, at the pace of both ends: what nobody asked for stays in the stream's window and holds its sender up, and a writer waits
 * for room. At most one frame and one piece of the stream are kept here. For one reader and one writer, who may be two.
 */
export class FrameStream {
  /** Called whenever bytes have moved, in either direction. */
  onMoved: (() => void) | null = null;
  /** Called when both directions are over before the stream was let go. */
  onClosed: ((reason: LaneError) => void) | null = null;
  readonly #stream: Stream;
  readonly #reader: FrameReader;
  readonly #closedBy: (close: StreamClose["error"]) => LaneError;
  #rest: Uint8Array | null = null;
  #failure: { readonly reason: unknown } | null = null;
  #closure: { readonly reason: unknown } | null = null;
  /** The writer found the direction closed by the peer. */
  #isStopped = false;
  #isReleased = false;
  #wakeReader: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;

  /** @param closedBy - the error for whoever waits when the stream closes. */
  constructor(stream: Stream, frameBytesMax: number, closedBy: (close: StreamClose["error"]) => LaneError) {
    this.#stream = stream;
    this.#reader = new FrameReader(frameBytesMax);
    this.#closedBy = closedBy;
    stream.onReadable = () => this.#wakeReader?.();
    stream.onDrain = () => {
      this.onMoved?.();
      this.#wakeWriter?.();
    };
    stream.onClose = ({ error }) => {
      const reason = closedBy(error);
      this.#closure = { reason };
      this.onClosed?.(reason);
      this.#wakeReader?.();
      this.#wakeWriter?.();
    };
  }

  /** The longest frame that may come next. */
  set frameBytesMax(bytes: number) {
    this.#reader.frameBytesMax = bytes;
  }

  /** The next frame; null when the peer has ended its direction. @throws what {@link fail} was given, or the stream's end. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.reason;
      const bytes = this.#rest ?? this.#read();
      this.#rest = null;
      if (bytes !== null) {
        const frame = this.#take(bytes);
        if (frame !== null) return frame;
      } else if (this.#stream.ended) return null;
      else if (this.#closure !== null) throw this.#closure.reason;
      else if (this.#stream.resetCode !== null) throw this.#closedBy({ by: "reset", code: this.#stream.resetCode });
      else await this.#more();
    }
  }

  /**
   * Writes the parts of a frame; resolves when there is room for the next one. They belong to the stream from then on.
   * @returns false if the peer reads no more: what it has to say about that, {@link next} gives.
   */
  async write(parts: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#put(parts)) return this.#isStopped ? false : this.#room();
    return true;
  }

  /** Writes a frame if there is room for it, and drops it otherwise. */
  tryWrite(frame: Uint8Array): void {
    if (this.#wakeWriter === null && !this.#isStopped && this.#failure === null) this.#put([frame]);
  }

  /** Ends every wait, the present ones and all that come, with `reason`. The first one holds. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** Lets go of the stream, which comes to its ordinary end, or with a `code` is cut short. Only the first call of this and {@link finish} counts. */
  release(code: number | null): void {
    if (!this.#letGo()) return;
    if (code === null) this.#stream.end();
    else this.#stream.reset(code);
    this.#stream.stop(code ?? 0);
  }

  /** Says one last thing, ends our direction after it, stops the other one with `code`, and lets go. */
  finish(frame: Uint8Array, code: number): void {
    if (!this.#letGo()) return;
    this.#put([frame]);
    this.#stream.end();
    this.#stream.stop(code);
  }

  /** Ends our direction after what was written. */
  end(): void {
    this.#stream.end();
  }

  #letGo(): boolean {
    if (this.#isReleased) return false;
    this.#isReleased = true;
    this.fail(this.#closedBy(null));
    this.onMoved = null;
    this.onClosed = null;
    this.#stream.onReadable = null;
    this.#stream.onDrain = null;
    this.#stream.onClose = null;
    return true;
  }

  #read(): Uint8Array | null {
    const bytes = this.#stream.read();
    if (bytes !== null) this.onMoved?.();
    return bytes;
  }

  #take(bytes: Uint8Array): Uint8Array | null {
    const step = this.#reader.take(bytes);
    if (step === null)
      throw new LaneError("OCTOPII_LANE_PROTOCOL", `A frame is empty, or longer than ${this.#reader.frameBytesMax} bytes.`);
    if (step.taken < bytes.length) this.#rest = bytes.subarray(step.taken);
    return step.frame;
  }

  /** @returns false if there is no more room now, or never again. */
  #put(parts: readonly Uint8Array[]): boolean {
    let hasRoom = true;
    try {
      for (const part of parts) hasRoom = this.#stream.write(part);
    } catch {
      this.#isStopped = true;
      return false;
    }
    this.onMoved?.();
    return hasRoom;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeReader = () => {
        this.#wakeReader = null;
        resolve();
      };
    });
  }

  async #room(): Promise<boolean> {
    await new Promise<void>((resolve) => {
      if (this.#failure !== null || this.#closure !== null) return resolve();
      this.#wakeWriter = () => {
        this.#wakeWriter = null;
        resolve();
      };
    });
    if (this.#failure !== null) throw this.#failure.reason;
    return this.#closure === null;
  }
}
