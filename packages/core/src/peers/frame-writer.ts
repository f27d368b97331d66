import type { Stream } from "@octopii/interfaces";

/** Writes frames to a stream and holds back, up to a limit, what the stream has no room for. */
export class FrameWriter {
  readonly #stream: Stream;
  readonly #queuedBytesMax: number;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #blocked = false;
  /** What the stream threw when it was written to from its own callback, where nobody could catch it. */
  #failure: unknown = null;

  constructor(stream: Stream, queuedBytesMax: number) {
    this.#stream = stream;
    this.#queuedBytesMax = queuedBytesMax;
    stream.onDrain = () => this.#drain();
  }

  /**
   * @returns false if the frame was dropped because too much is waiting.
   * @throws what the stream throws when it is over, or the peer has stopped reading.
   */
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#failure !== null) throw this.#failure;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    // A frame is sent whole or not at all; alone, it may exceed the limit.
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#queuedBytesMax) return false;
    for (const chunk of chunks) {
      if (this.#blocked) {
        this.#queue.push(chunk);
        this.#queuedBytes += chunk.length;
      } else this.#blocked = !this.#stream.write(chunk);
    }
    return true;
  }

  #drain(): void {
    this.#blocked = false;
    const queue = this.#queue;
    let sent = 0;
    try {
      while (sent < queue.length && !this.#blocked) {
        const chunk = queue[sent++] as Uint8Array;
        this.#queuedBytes -= chunk.length;
        this.#blocked = !this.#stream.write(chunk);
      }
      this.#queue = queue.slice(sent);
    } catch (error) {
      this.#failure = error;
      this.#queue = [];
      this.#queuedBytes = 0;
    }
  }
}
