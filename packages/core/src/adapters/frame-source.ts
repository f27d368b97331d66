import type { Stream } from "@octopii/interfaces";
import { FrameReader } from "../peers/frame-reader.js";
import { interrupted } from "./snapshot-error.js";

/**
 * Pulls frames from a stream, no faster than they are asked for: what nobody asked for stays in the stream's window, and holds its sender up.
 * At most one frame and one chunk of the stream are kept here. For one reader.
 */
export class FrameSource {
  readonly #stream: Stream;
  readonly #reader: FrameReader;
  readonly #frameBytesMax: number;
  #frames: Uint8Array[] = [];
  #given = 0;
  #failure: { readonly reason: unknown } | null = null;
  #closure: { readonly reason: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(stream: Stream, frameBytesMax: number) {
    this.#stream = stream;
    this.#reader = new FrameReader(frameBytesMax);
    this.#frameBytesMax = frameBytesMax;
    stream.onReadable = () => this.#wake?.();
  }

  /** The next frame; null when the peer has ended its direction. @throws what {@link fail} or {@link closed} was given. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#given < this.#frames.length) return this.#frames[this.#given++] as Uint8Array;
      this.#frames = [];
      this.#given = 0;
      if (this.#failure !== null) throw this.#failure.reason;
      const chunk = this.#stream.read();
      if (chunk !== null) this.#take(chunk);
      else if (this.#stream.ended) return null;
      else if (this.#closure !== null) throw this.#closure.reason;
      else if (this.#stream.resetCode !== null) throw interrupted(`The peer gave the stream up with code ${this.#stream.resetCode}.`);
      else await this.#more();
    }
  }

  /** Ends the wait for frames, the present one and all that come. The first reason holds. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake?.();
  }

  /** The stream is closed: what it still has to give is given, and then `reason` thrown. */
  closed(reason: unknown): void {
    this.#closure ??= { reason };
    this.#wake?.();
  }

  #take(chunk: Uint8Array): void {
    const isReadable = this.#reader.push(chunk, (frame) => this.#frames.push(frame));
    if (!isReadable) this.fail(interrupted(`A frame is longer than ${this.#frameBytesMax} bytes.`));
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}
