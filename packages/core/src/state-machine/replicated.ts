import type { Entry, StateMachine as RaftStateMachine } from "@octopii/raft";
import { isRejection, type StateMachine } from "./state-machine.js";

/** What became of one command: its result, or the state machine's refusal. */
export type ApplyResult = { readonly result: Uint8Array } | { readonly rejection: string };

/** Presents an application's state machine to Raft: refusals become results, and any other throw names its entry. */
export function replicated(stateMachine: StateMachine): RaftStateMachine<ApplyResult> {
  return { apply: (commands) => commands.map((entry) => applyOne(stateMachine, entry)) };
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
