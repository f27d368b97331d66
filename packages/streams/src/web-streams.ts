import { ReadableStream, WritableStream, type WritableStreamDefaultController } from "node:stream/web";
import type { AsyncStream } from "./async-stream.js";

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
    void view.closed.then(async ({ error }) => {
      if (error === null) return;
      // Which of the two directions that tells of, only a write finds out; of one that was ended in good order it changes nothing.
      await view.write(new Uint8Array(0)).catch((reason: unknown) => controller.error(reason));
    });
  };
  return new WritableStream<Uint8Array>({
    start(controller) {
      failWith(controller);
      // The sink's own `abort` comes only when the write under way is done, and a peer that does not read never lets it be.
      signalOf(controller).addEventListener("abort", () => view.reset(giveUpCode), { once: true });
    },
    write: (bytes, controller) => view.write(bytes, { signal: signalOf(controller) }),
    close: () => view.end(),
  });
}

/** Fires when the writer aborts. The platform has it; its types for this release of Node.js do not. */
function signalOf(controller: WritableStreamDefaultController): AbortSignal {
  return (controller as WritableStreamDefaultController & { readonly signal: AbortSignal }).signal;
}
