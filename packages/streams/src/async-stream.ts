import type { Stream, StreamClose } from "@octopii/interfaces";
import { errorOfClose, StreamError } from "./errors.js";
import { Waiter } from "./waiting.js";

/** Options of whatever waits. */
export interface WaitOptions {
  /** Ends the wait, which rejects with the signal's reason. The stream lives on, and nothing is lost: read or write again. */
  readonly signal?: AbortSignal;
}

/** A stream, read and written with promises. Made by {@link asyncStream}. */
export interface AsyncStream extends AsyncIterable<Uint8Array> {
  /** The name that the opener gave. */
  readonly protocol: string;
  /**
   * The next bytes, as soon as there are any; null once the peer has ended its direction and all was read. They are the caller's.
   * @throws {StreamError} `RESET`, `CONNECTION_CLOSED` or `GIVEN_UP`, then and at every later read. `BUSY` while another read waits.
   */
  read(options?: WaitOptions): Promise<Uint8Array | null>;
  /**
   * Waits until the send buffer has room, and queues the bytes; they belong to the stream from the call on. Writes keep the order of their
   * calls. Where a signal ended the wait, the bytes were not taken. Resolving says nothing of the peer: its answer does.
   * @throws {StreamError} `STOPPED`, `CONNECTION_CLOSED`, or `GIVEN_UP` where this side has ended or reset the direction.
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<void>;
  /** Ends our direction after everything that was written before this call. */
  end(): void;
  /** Gives our direction up: what waits is rejected with `GIVEN_UP`, queued bytes may be dropped. @param code - 0 to 2^32-1. */
  reset(code: number): void;
  /** Gives reading up: a read that waits is rejected with `GIVEN_UP`. @param code - 0 to 2^32-1. */
  stop(code: number): void;
  /** Settles when both directions are over; never rejects. */
  readonly closed: Promise<StreamClose>;
  /** Iterates over {@link read}. Leaving the loop early stops the peer with code 0. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, void>;
}

/**
 * Takes a stream over: its callbacks are this view's from now on, and only its methods are to be called. Call it where you get the stream,
 * in the same turn of the event loop. It holds no bytes of its own, so the transport's limits and back-pressure are those of the view.
 */
export function asyncStream(stream: Stream): AsyncStream {
  return new StreamView(stream);
}

interface Writing {
  /** Null: the end of the direction. */
  readonly bytes: Uint8Array | null;
  readonly waiter: Waiter<void> | null;
}

class StreamView implements AsyncStream {
  readonly protocol: string;
  readonly closed: Promise<StreamClose>;
  readonly #stream: Stream;
  #reader: Waiter<Uint8Array | null> | null = null;
  readonly #writers: Writing[] = [];
  #isFull = false;
  #isEnding = false;
  /** Why nothing more can be read, or written. */
  #readFailure: StreamError | null = null;
  #writeFailure: StreamError | null = null;
  #closedBy: StreamClose | null = null;
  #tellClosed: (close: StreamClose) => void = () => undefined;

  constructor(stream: Stream) {
    this.protocol = stream.protocol;
    this.#stream = stream;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    stream.onReadable = () => this.#readable();
    stream.onDrain = () => {
      this.#isFull = false;
      this.#flush();
    };
    stream.onClose = (close) => this.#close(close);
  }

  async read(options: WaitOptions = {}): Promise<Uint8Array | null> {
    options.signal?.throwIfAborted();
    if (this.#reader !== null) {
      throw new StreamError("OCTOPII_STREAM_BUSY", `The stream '${this.protocol}' is being read already; await that read first.`, {
        protocol: this.protocol,
      });
    }
    const next = this.#next();
    if (next !== undefined) return next;
    const reader = new Waiter<Uint8Array | null>(options.signal, () => {
      this.#reader = null;
    });
    this.#reader = reader;
    return reader.promise;
  }

  async write(bytes: Uint8Array, options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!(bytes instanceof Uint8Array)) throw new TypeError("A stream takes bytes: give write() a Uint8Array.");
    if (this.#writeFailure !== null) throw this.#writeFailure;
    if (this.#isEnding) throw this.#givenUp("was ended on this side");
    if (this.#writers.length === 0 && !this.#isFull) return this.#write(bytes);
    const waiter = new Waiter<void>(options.signal, () => {
      this.#writers.splice(this.#writers.indexOf(writing), 1);
      // The end that came after it may have waited for nothing else.
      this.#flush();
    });
    const writing: Writing = { bytes, waiter };
    this.#writers.push(writing);
    return waiter.promise;
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#writers.push({ bytes: null, waiter: null });
    this.#flush();
  }

  reset(code: number): void {
    this.#stream.reset(code);
    this.#isEnding = true;
    this.#failWriters(this.#givenUp(`was given up on this side, with code ${code}`, code));
  }

  stop(code: number): void {
    this.#stream.stop(code);
    if (this.#stream.ended) return;
    this.#failReader(this.#givenUp(`is not read on this side any more, which said code ${code}`, code));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, void> {
    return {
      next: async () => {
        const value = await this.read();
        return value === null ? { done: true, value: undefined } : { done: false, value };
      },
      return: () => {
        this.stop(0);
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** What a read gives now; undefined if it has to wait. */
  #next(): Uint8Array | null | undefined {
    const bytes = this.#stream.read();
    if (bytes !== null) return bytes;
    if (this.#stream.ended) return null;
    const { resetCode } = this.#stream;
    if (resetCode !== null) this.#readFailure ??= errorOfClose(this.protocol, { by: "reset", code: resetCode });
    const closedBy = this.#closedBy?.error ?? null;
    if (closedBy !== null) this.#readFailure ??= this.#lost(closedBy);
    if (this.#readFailure !== null) throw this.#readFailure;
    // Both directions came to their ordinary end, and this one never was: the stream could only be written.
    return this.#closedBy === null ? undefined : null;
  }

  #readable(): void {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      const next = this.#next();
      if (next === undefined) return;
      this.#reader = null;
      reader.resolve(next);
    } catch (error) {
      this.#reader = null;
      reader.reject(error);
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#writeFailure !== null) throw this.#writeFailure;
    try {
      this.#isFull = !this.#stream.write(bytes);
    } catch (error) {
      this.#writeFailure = this.#whyNoWrite(error);
      throw this.#writeFailure;
    }
  }

  /** Hands on what waits, as far as there is room; all of it, to be refused, once the direction is over. */
  #flush(): void {
    while (this.#writers.length > 0) {
      const first = this.#writers[0] as Writing;
      if (first.bytes !== null && this.#isFull && this.#writeFailure === null) return;
      this.#writers.shift();
      if (first.bytes === null) this.#stream.end();
      else this.#settle(first.bytes, first.waiter);
    }
  }

  #settle(bytes: Uint8Array, waiter: Waiter<void> | null): void {
    try {
      this.#write(bytes);
      waiter?.resolve();
    } catch (error) {
      waiter?.reject(error);
    }
  }

  #failReader(failure: StreamError): void {
    this.#readFailure ??= failure;
    const reader = this.#reader;
    this.#reader = null;
    reader?.reject(this.#readFailure);
  }

  #failWriters(failure: StreamError): void {
    this.#writeFailure ??= failure;
    this.#flush();
  }

  #close(close: StreamClose): void {
    this.#closedBy = close;
    // Bytes and the end that are here already are still given.
    this.#readable();
    // The transport says to each that waits why its direction is over, which need not be why the other one is.
    this.#isFull = false;
    this.#flush();
    this.#tellClosed(close);
  }

  /** Reading that neither the peer nor this side has ended was ended by the connection. */
  #lost({ by, code }: NonNullable<StreamClose["error"]>): StreamError {
    return errorOfClose(this.protocol, { by: "connection", code: by === "connection" ? code : 0 });
  }

  /** The transport threw, which it does only for a direction that is over: its error may say why. A reset is of the other direction. */
  #whyNoWrite(cause: unknown): StreamError {
    const { details } = cause as { readonly details?: { readonly error?: StreamClose["error"] } };
    const error = details?.error ?? this.#closedBy?.error ?? null;
    if (error !== null && error.by !== "reset") return errorOfClose(this.protocol, error, cause);
    const message = `The stream '${this.protocol}' takes no bytes from this side: it was ended, or can only be read.`;
    return new StreamError("OCTOPII_STREAM_GIVEN_UP", message, { protocol: this.protocol }, cause);
  }

  #givenUp(what: string, streamCode?: number): StreamError {
    const details = { protocol: this.protocol, ...(streamCode !== undefined && { streamCode }) };
    return new StreamError("OCTOPII_STREAM_GIVEN_UP", `The stream '${this.protocol}' ${what}.`, details);
  }
}
