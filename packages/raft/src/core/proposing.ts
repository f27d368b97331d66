import { describeConfiguration, encodeConfigurationChange } from "../configuration/index.js";
import { entryMemoryBytes } from "../types.js";
import type { ChangeRefusal, ChangeRequest, ChangeResult, ProposalRefusal, ProposalResult } from "./input-output.js";
import { judgeChange } from "./membership.js";
import type { Replica } from "./replica.js";
import { appendOwn } from "./replication.js";
import { broadcastEntries } from "./sending.js";

/** Takes as many of the commands as limits allow, in order. */
export function propose(raft: Replica, commands: readonly Uint8Array[]): ProposalResult {
  const firstIndex = raft.log.lastIndex + 1;
  let refusal = refusalOfAny(raft);
  let count = 0;
  let bytes = 0;
  if (refusal === null) {
    for (const command of commands) {
      refusal = refusalOfSize(raft, command.length, bytes);
      if (refusal !== null) break;
      bytes += command.length + entryMemoryBytes;
      count++;
    }
  }
  if (count > 0) {
    appendOwn(raft, "command", count === commands.length ? commands : commands.slice(0, count));
    broadcastEntries(raft);
  }
  if (refusal !== null) raft.trace({ type: "proposalsDropped", refusal, count: commands.length - count, term: raft.currentTerm });
  return { count, firstIndex, term: raft.currentTerm, refusal };
}

/** Why nothing at all may be proposed here now. */
function refusalOfAny(raft: Replica): ProposalRefusal | null {
  if (raft.role !== "leader") return "notLeader";
  if (raft.progressOf(raft.id) === undefined) return "removed";
  return raft.transferTarget === 0 ? null : "transferring";
}

/** @param bytesBefore - what the commands cost that are taken in the same step. */
function refusalOfSize(raft: Replica, bytes: number, bytesBefore: number): ProposalRefusal | null {
  if (bytes > raft.config.entryBytesMax) return "entryTooLarge";
  const unapplied = raft.unappliedBytes + bytesBefore;
  // One entry is always taken, or a limit below its size would block for ever.
  return unapplied > 0 && unapplied + bytes + entryMemoryBytes > raft.config.uncommittedBytesMax ? "tooManyUncommittedBytes" : null;
}

/** Appends a change of the membership, if there is none under way and this one can be carried out. Source: Raft §6, thesis §4. */
export function proposeChange(raft: Replica, request: ChangeRequest): ChangeResult {
  const dropped = refusalOfAny(raft);
  if (dropped !== null) {
    raft.trace({ type: "proposalsDropped", refusal: dropped, count: 1, term: raft.currentTerm });
    return { accepted: false, refusal: dropped, reason: refusalReasons[dropped] };
  }
  const { change } = request;
  const refused = raft.config.validateChanges ? (pendingChange(raft) ?? judgeChange(raft, request)) : null;
  if (refused !== null) {
    raft.trace({ type: "changeRefused", change, ...refused });
    return { accepted: false, ...refused };
  }
  appendOwn(raft, "configuration", [encodeConfigurationChange(change)]);
  const index = raft.log.lastIndex;
  raft.pendingChangeIndex = index;
  raft.trace({ type: "changeProposed", index, change });
  broadcastEntries(raft);
  return { accepted: true, index, term: raft.currentTerm };
}

const refusalReasons: Readonly<Record<ProposalRefusal, string>> = {
  notLeader: "this node is not the leader",
  removed: "this node was removed from the group",
  transferring: "leadership is being handed over",
  tooManyUncommittedBytes: "too many bytes wait for their commit",
  entryTooLarge: "the change is larger than entryBytesMax",
};

/** One change at a time: the next one must build on what this one leaves. */
function pendingChange(raft: Replica): { refusal: ChangeRefusal; reason: string } | null {
  const { pendingChangeIndex, log, configuration } = raft;
  if (pendingChangeIndex <= log.appliedIndex) return null;
  const where = `possible unapplied change at index ${pendingChangeIndex}, applied to ${log.appliedIndex}`;
  return { refusal: "changePending", reason: `${where}, in ${describeConfiguration(configuration)}` };
}
