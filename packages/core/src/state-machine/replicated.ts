import type { Entry, StateMachine as RaftStateMachine } from "@octopii/raft";
import type { AddressBook } from "./address-book.js";
import { ChunkReader } from "./chunk-reader.js";
import { isRejection, type StateMachine } from "./state-machine.js";

/** What became of one command: its result, or the state machine's refusal. */
export type ApplyResult = { readonly result: Uint8Array } | { readonly rejection: string };

/**
 * Presents an application's state machine to Raft: refusals become results, any other throw names its entry, and the members' addresses are
 * replicated along with the state.
 * @param onAddresses - the address book has news.
 */
export function replicated(stateMachine: StateMachine, book: AddressBook, onAddresses: () => void): RaftStateMachine<ApplyResult> {
  const machine: RaftStateMachine<ApplyResult> = {
    apply: (commands) => commands.map((entry) => applyOne(stateMachine, entry)),
    membershipApplied: (entries) => {
      if (book.learn(entries)) onAddresses();
    },
  };
  const { snapshot, restore } = stateMachine;
  if (snapshot === undefined || restore === undefined) return machine;
  return {
    ...machine,
    snapshot: () => concatenated(book.encode(), snapshot.call(stateMachine)),
    restore: async (chunks) => {
      const reader = new ChunkReader(chunks);
      try {
        await book.restore(reader);
        await restore.call(stateMachine, reader.remaining());
      } finally {
        // A state machine need not read to the end, and the snapshot's file stays open until somebody has.
        await reader.end();
      }
      onAddresses();
    },
  };
}

async function* concatenated(
  head: Uint8Array,
  rest: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield head;
  yield* rest;
}

function applyOne(stateMachine: StateMachine, entry: Entry): ApplyResult {
  try {
    return { result: stateMachine.apply(entry.data, { index: entry.index, term: entry.term }) };
  } catch (error) {
    if (isRejection(error)) return { rejection: error.message };
    const why = error instanceof Error ? error.message : String(error);
    const message = `The state machine threw at entry ${entry.index} of term ${entry.term}: ${why}. Every replica will stop there; mend its apply and restart.`;
    throw new Error(message, { cause: error });
  }
}
