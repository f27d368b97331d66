import type { Connection } from "@octopii/interfaces";
import { type AsyncStream, asyncStream } from "./async-stream.js";
import { StreamError } from "./errors.js";

/** Options of {@link acceptStreams}. */
export interface AcceptStreamsOptions {
  /** How many streams may wait for the loop; those beyond are refused. Default 64: a loop that hands streams on never has so many. */
  readonly waitingMax?: number;
  /** The code that the opener of a refused stream sees, 0 to 2^32-1. Default 0. */
  readonly refusalCode?: number;
}

/**
 * The streams that the peer opens, in order and taken over by {@link asyncStream} as they come; sets `onStream`. The iteration ends when the connection does. Leaving the loop refuses what
 * waits, and every stream from then on. For one loop at a time.
 */
export function acceptStreams(connection: Connection, options: AcceptStreamsOptions = {}): AsyncIterable<AsyncStream> {
  const { waitingMax = 64, refusalCode = 0 } = options;
  const problems: string[] = [];
  if (!(Number.isSafeInteger(waitingMax) && waitingMax > 0)) problems.push(`waitingMax must be an integer above 0, not ${waitingMax}`);
  if (!(Number.isInteger(refusalCode) && refusalCode >= 0 && refusalCode < 2 ** 32)) {
    problems.push(`refusalCode must be an integer from 0 to 2^32-1, not ${refusalCode}`);
  }
  if (problems.length > 0) throw new RangeError(`acceptStreams: ${problems.join("; ")}.`);
  return { [Symbol.asyncIterator]: () => new StreamAcceptor(connection, waitingMax, refusalCode) };
}

class StreamAcceptor implements AsyncIterator<AsyncStream, void, void> {
  readonly #connection: Connection;
  readonly #waitingMax: number;
  readonly #refusalCode: number;
  readonly #waiting: AsyncStream[] = [];
  #isOver = false;
  readonly #waiters: (() => void)[] = [];

  constructor(connection: Connection, waitingMax: number, refusalCode: number) {
    if (connection.onStream !== null) {
      const message = "Somebody takes the streams of this connection already; one owner can.";
      throw new StreamError("OCTOPII_STREAM_BUSY", message, { protocol: "" });
    }
    this.#connection = connection;
    this.#waitingMax = waitingMax;
    this.#refusalCode = refusalCode;
    connection.onStream = (stream) => this.#arrive(asyncStream(stream));
    void connection.closed.then(() => this.#end());
  }

  async next(): Promise<IteratorResult<AsyncStream, void>> {
    for (;;) {
      const stream = this.#waiting.shift();
      if (stream !== undefined) return { done: false, value: stream };
      if (this.#isOver) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  return(): Promise<IteratorResult<AsyncStream, void>> {
    // After the end, or a first call, somebody else may have the connection's streams.
    if (!this.#isOver) this.#connection.onStream = null;
    for (const stream of this.#waiting.splice(0)) this.#refuse(stream);
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #arrive(stream: AsyncStream): void {
    if (this.#waiting.length >= this.#waitingMax) return this.#refuse(stream);
    this.#waiting.push(stream);
    this.#waiters.shift()?.();
  }

  #refuse(stream: AsyncStream): void {
    stream.reset(this.#refusalCode);
    stream.stop(this.#refusalCode);
  }

  #end(): void {
    this.#isOver = true;
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
