import { ReadableStream, WritableStream, type WritableStreamDefaultController } from "node:stream/web";
import type { AsyncStream } from "./async-stream.js";
import { errorOfClose } from "./errors.js";

/** The two directions of a stream, as the web platform has them. Made by {@link webStreams}. */
export interface WebStreams {
  /** The peer's direction. `cancel` stops the peer. A reset, or the loss of the connection, is its error. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Our direction. `close` ends it, `abort` resets it. Once the peer reads no more, it is errored at the next write. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Options of {@link webStreams}. */
export interface WebStreamsOptions {
  /** The code that the peer sees after `cancel` and `abort`, 0 to 2^32-1. Default 0: the web platform's reasons do not travel. */
  readonly giveUpCode?: number;
}

/**
 * Both directions of a stream for whatever reads and writes web streams: `pipeThrough`, `Response`, compression.
 * Neither side keeps bytes: nothing is read
 * ahead, and a write is done when the stream has taken it. Errors are `StreamError`s.
 */
export function webStreams(view: AsyncStream, options: WebStreamsOptions = {}): WebStreams {
  const { giveUpCode = 0 } = options;
  if (!(Number.isInteger(giveUpCode) && giveUpCode >= 0 && giveUpCode < 2 ** 32)) {
    throw new RangeError(`giveUpCode must be an integer from 0 to 2^32-1, not ${giveUpCode}.`);
  }
  return { readable: readableOf(view, giveUpCode), writable: writableOf(view, giveUpCode) };
}

function readableOf(view: AsyncStream, giveUpCode: number): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await view.read();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => view.stop(giveUpCode),
    },
    { highWaterMark: 0 },
  );
}

function writableOf(view: AsyncStream, giveUpCode: number): WritableStream<Uint8Array> {
  const failWith = (controller: WritableStreamDefaultController): void => {
    void view.closed.then(({ error }) => {
      if (error !== null) controller.error(errorOfClose(view.protocol, error));
    });
  };
  return new WritableStream<Uint8Array>({
    start: failWith,
    write: (bytes) => view.write(bytes),
    close: () => view.end(),
    abort: () => view.reset(giveUpCode),
  });
}
