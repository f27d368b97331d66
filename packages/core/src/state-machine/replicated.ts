import type { Entry, StateMachine as RaftStateMachine } from "@octopii/raft";
import { decodeEnvelope } from "../sessions/envelope.js";
import type { KeptResult, SessionRefusal, SessionTable } from "../sessions/session-table.js";
import type { AddressBook } from "./address-book.js";
import { ChunkReader } from "./chunk-reader.js";
import { isRejection, type StateMachine } from "./state-machine.js";

/** What became of one command: its result, the state machine's refusal, or that its session does not admit it. */
export type ApplyResult = { readonly result: Uint8Array } | { readonly rejection: string } | { readonly refused: SessionRefusal };

/**
 * Presents an application's state machine to Raft: refusals become results, any other throw names its entry, commands of sessions are applied
 * once, and the sessions and the members' addresses are replicated along with the state.
 * @param onAddresses - the address book has news.
 */
export function replicated(
  stateMachine: StateMachine,
  book: AddressBook,
  sessions: SessionTable,
  onAddresses: () => void,
): RaftStateMachine<ApplyResult> {
  const machine: RaftStateMachine<ApplyResult> = {
    apply: (commands) => commands.map((entry) => applyOne(stateMachine, sessions, entry)),
    membershipApplied: (entries) => {
      if (book.learn(entries)) onAddresses();
    },
  };
  const { snapshot, restore } = stateMachine;
  if (snapshot === undefined || restore === undefined) return machine;
  return {
    ...machine,
    snapshot: () => concatenated([book.encode(), ...sessions.encode()], snapshot.call(stateMachine)),
    restore: async (chunks) => {
      const reader = new ChunkReader(chunks);
      try {
        await book.restore(reader);
        await sessions.restore(reader);
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
  head: readonly Uint8Array[],
  rest: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield* head;
  yield* rest;
}

const nothing = new Uint8Array(0);

function applyOne(stateMachine: StateMachine, sessions: SessionTable, entry: Entry): ApplyResult {
  const envelope = decodeEnvelope(entry.data);
  switch (envelope.kind) {
    case "plain":
      return applyCommand(stateMachine, entry, envelope.command);
    case "command": {
      const outcome = sessions.apply(envelope, () => applyCommand(stateMachine, entry, envelope.command));
      return typeof outcome === "string" ? { refused: outcome } : outcome;
    }
    case "open":
      sessions.open(entry.index);
      return { result: new TextEncoder().encode(String(entry.index)) };
    case "close":
      sessions.close(envelope.session);
      return { result: nothing };
    case "malformed":
      return { rejection: `The command is an envelope that cannot be read: ${envelope.problem}.` };
  }
}

function applyCommand(stateMachine: StateMachine, entry: Entry, command: Uint8Array): KeptResult {
  try {
    return { result: stateMachine.apply(command, { index: entry.index, term: entry.term }) };
  } catch (error) {
    if (isRejection(error)) return { rejection: error.message };
    const why = error instanceof Error ? error.message : String(error);
    const message = `The state machine threw at entry ${entry.index} of term ${entry.term}: ${why}. Every replica will stop there; mend its apply and restart.`;
    throw new Error(message, { cause: error });
  }
}
