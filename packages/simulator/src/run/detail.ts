import type { NodeEvent } from "@octopii/core";

/** What a node said, in a few words for people; null for what would only be noise. Beside the trace's hash. */
export function detailOf(event: NodeEvent): string | null {
  switch (event.type) {
    case "restore":
      return `term ${event.hardState.currentTerm}, vote ${event.hardState.votedFor}, log to ${event.lastIndex}`;
    case "leader":
      return event.leaderId === 0 ? "nobody" : `n${event.leaderId} in term ${event.term}`;
    case "campaign":
      return `${event.ballot} of term ${event.term} after a ${event.kind}`;
    case "vote":
      return `${event.granted ? "yes" : "no"} to n${event.candidate}, ${event.ballot} of term ${event.term}`;
    case "voteCounted":
      return `${event.granted ? "yes" : "no"} from n${event.voter}, ${event.ballot} of term ${event.term}`;
    case "append": {
      const first = event.entries[0];
      const last = event.entries[event.entries.length - 1];
      return first === undefined || last === undefined ? null : `${first.index} to ${last.index} of term ${last.term}`;
    }
    case "truncate":
      return `from ${event.index}: term ${event.existingTerm} gives way to ${event.newTerm}`;
    case "applied":
      return event.entries.length === 0 ? null : `to ${event.entries[event.entries.length - 1]?.index ?? 0}`;
    case "restored":
      return `state of ${event.snapshot.index}`;
    case "appendRejected":
      return `by n${event.peer} at ${event.index}`;
    case "transfer":
      return `${event.phase} to n${event.target}`;
    case "changeProposed":
      return `at ${event.index}`;
    case "changeRefused":
      return event.refusal;
    case "quorumLost":
      return `in term ${event.term}`;
    case "drop":
      return `${event.message.type} from n${event.message.from}: ${event.reason}`;
    default:
      return null;
  }
}
