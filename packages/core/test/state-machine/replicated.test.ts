import { expect, it } from "vitest";
import type { StateMachine } from "../../src/index.js";
import { SessionTable } from "../../src/sessions/session-table.js";
import { AddressBook } from "../../src/state-machine/address-book.js";
import { replicated } from "../../src/state-machine/replicated.js";

/** A snapshot of one address book and three chunks, which counts how often it was let go of. */
function snapshot(book: AddressBook): { chunks: AsyncGenerator<Uint8Array>; released: () => number } {
  let released = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield book.encode();
      yield* new SessionTable().encode();
      for (const byte of [1, 2, 3]) yield new Uint8Array([byte]);
    } finally {
      released++;
    }
  }
  return { chunks: chunks(), released: () => released };
}

const machine = (restore: StateMachine["restore"]): StateMachine => ({
  apply: () => new Uint8Array(),
  query: () => new Uint8Array(),
  snapshot: () => [],
  ...(restore !== undefined && { restore }),
});

it.each([
  ["reads nothing of it", async () => undefined],
  [
    "reads one chunk",
    async (chunks: AsyncIterable<Uint8Array>) => {
      await chunks[Symbol.asyncIterator]().next();
    },
  ],
  [
    "reads all",
    async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) expect(chunk.length).toBe(1);
    },
  ],
  ["fails", () => Promise.reject(new Error("no"))],
])("a snapshot is let go of by a state machine that %s", async (_name, restore) => {
  const book = new AddressBook([{ id: 1, address: "one:1" }]);
  const { chunks, released } = snapshot(book);
  await replicated(machine(restore), book, new SessionTable(), () => undefined)
    .restore?.(chunks)
    .catch(() => undefined);
  expect(released()).toBe(1);
});
