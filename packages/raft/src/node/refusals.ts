import type { NodeId } from "@octopii/interfaces";
import type { ConfigurationChange, MemberChange } from "../configuration/index.js";
import { RaftError } from "../errors.js";

/** The errors with which a node refuses calls. */

export function busy(what: string): RaftError {
  return new RaftError("OCTOPII_RAFT_BUSY", `Too many ${what} are waiting; try again later.`, { outcome: "failed" });
}

export function entryTooLarge(bytes: number, limit: number): RaftError {
  const message = `The command has ${bytes} bytes, more than the ${limit} of entryBytesMax; split it, or raise the limit on every node.`;
  return new RaftError("OCTOPII_RAFT_ENTRY_TOO_LARGE", message, { outcome: "failed" });
}

/** For those whom no type checker helps. */
export function notBytes(command: unknown): TypeError {
  return new TypeError(`A command is a Uint8Array, not ${Array.isArray(command) ? "an array" : typeof command}; encode it first.`);
}

/** Whether a change of the membership has the parts that one has; what they say is the core's to judge. */
export function isChange(change: ConfigurationChange): boolean {
  const isStep = ({ type, nodeId, context }: MemberChange): boolean =>
    typeof type === "string" && typeof nodeId === "number" && (context === undefined || context instanceof Uint8Array);
  const { transition, changes } = change ?? {};
  return typeof transition === "string" && Array.isArray(changes) && changes.every((step) => step != null && isStep(step));
}

export function notAChange(): TypeError {
  return new TypeError(
    "A change of the membership is { transition, changes: [{ type, nodeId, context? }] }; nodeId is a number, context bytes.",
  );
}

export function notANodeId(id: unknown): RangeError {
  return new RangeError(`${String(id)} is no node id: ids are safe integers above 0.`);
}

/** What is wrong with a deadline; null if nothing is. One that never comes would have a call wait for ever. */
export function misuseOf({ timeoutMs = 0 }: { readonly timeoutMs?: number }): RangeError | null {
  if (typeof timeoutMs === "number" && Number.isFinite(timeoutMs) && timeoutMs >= 0) return null;
  return new RangeError(`timeoutMs must be a number of milliseconds, 0 or more and finite, not ${String(timeoutMs)}.`);
}

export function notLeader(leaderId: NodeId): RaftError {
  const who = leaderId === 0 ? "nobody leads now" : `node ${leaderId} leads`;
  const message = `This node is not the leader: ${who}; ask the leader.`;
  return new RaftError("OCTOPII_RAFT_NOT_LEADER", message, { outcome: "failed", details: { leaderId } });
}

export function unconfirmedRead(leaderId: NodeId): RaftError {
  const message = "No leader could confirm the read; try again when there is one.";
  return new RaftError("OCTOPII_RAFT_NOT_LEADER", message, { outcome: "failed", details: { leaderId } });
}

/** @param why - a clause without a full stop. */
export function snapshotFailed(why: string, cause?: unknown): RaftError {
  return new RaftError("OCTOPII_RAFT_SNAPSHOT_FAILED", `The snapshot failed: ${why}.`, { outcome: "failed", cause });
}

export function stoppedError(cause: unknown, outcome: "failed" | "unknown"): RaftError {
  const why = cause === null ? "The node was closed." : "The node has stopped because of an error; see the cause.";
  return new RaftError("OCTOPII_RAFT_STOPPED", why, { outcome, cause: cause ?? undefined });
}

/** What had not happened when a call's time was up, and what may become of it. */
const timeouts = {
  turn: { outcome: "failed", message: "The deadline passed before the node had looked at the call." },
  commit: { outcome: "unknown", message: "No quorum answered before the deadline. It may still be committed." },
  confirmation: { outcome: "failed", message: "No quorum confirmed the read before the deadline." },
  apply: { outcome: "failed", message: "The state machine did not reach the read's index before the deadline." },
  leader: { outcome: "failed", message: "Nobody was heard to lead before the deadline." },
  catchUp: { outcome: "failed", message: "The learner had not caught up by the deadline; it stays a learner, and goes on." },
  transfer: { outcome: "unknown", message: "Leadership had not changed hands by the deadline. It may still." },
  snapshotBegin: { outcome: "failed", message: "No snapshot could be begun before the deadline." },
  snapshot: { outcome: "unknown", message: "The snapshot was not finished by the deadline; the node goes on with it." },
} as const;

/** @param missed - what the caller waited for in vain. */
export function timeoutError(missed: keyof typeof timeouts): RaftError {
  const { outcome, message } = timeouts[missed];
  return new RaftError("OCTOPII_RAFT_TIMEOUT", message, { outcome });
}

export function resultMissed(): RaftError {
  const message = "The proposal may have been committed, but its result went by before this node could tell it apart.";
  return new RaftError("OCTOPII_RAFT_LEADERSHIP_LOST", message, { outcome: "unknown" });
}

export function leadershipLost(outcome: "failed" | "unknown"): RaftError {
  const message = "Leadership was lost before the proposal was committed, and another leader's entry took its place.";
  return new RaftError("OCTOPII_RAFT_LEADERSHIP_LOST", message, { outcome });
}
