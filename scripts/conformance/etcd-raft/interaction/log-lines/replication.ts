import { describeProgress, hexadecimal as hex, roleNames } from "../describe.js";
import { nameOf } from "../parcel.js";
import type { LogLine } from "../printer.js";
import type { ReplicaView } from "../replica-view.js";
import { debug, type Event, info, warn } from "./words.js";

export function truncateLines({ index, existingTerm, newTerm }: Event<"truncate">, { log }: ReplicaView): LogLine[] {
  const found = info(`found conflict at index ${index} [existing term: ${existingTerm}, conflicting term: ${newTerm}]`);
  if (log.isReplacedBy(index)) return [found, info(`replace the unstable entries from index ${index}`)];
  return [found, info(`truncate the unstable entries before index ${index}`)];
}

export function appendRefusedLine({ leader, prevLogIndex, prevLogTerm, ownTerm }: Event<"appendRefused">, { id }: ReplicaView): LogLine {
  const own = `[logterm: ${Math.max(0, ownTerm)}, index: ${prevLogIndex}]`;
  return debug(`${hex(id)} ${own} rejected MsgApp [logterm: ${prevLogTerm}, index: ${prevLogIndex}] from ${hex(leader)}`);
}

export function appendRejectedLine({ peer, index, hintIndex, hintTerm }: Event<"appendRejected">, { id }: ReplicaView): LogLine {
  const hint = `(index ${hintIndex}, term ${Math.max(0, hintTerm)})`;
  return debug(`${hex(id)} received MsgAppResp(rejected, hint: ${hint}) from ${hex(peer)} for index ${index}`);
}

export function progressLine({ cause, progress }: Event<"progress">, { id, log, commitIndex, snapshot }: ReplicaView): LogLine {
  const peer = `${hex(progress.id)}${cause === "steppedBack" ? " to" : ""} [${describeProgress(progress)}]`;
  const sent = `snapshot[index: ${snapshot?.index ?? 0}, term: ${snapshot?.term ?? 0}]`;
  switch (cause) {
    case "steppedBack":
      return debug(`${hex(id)} decreased progress of ${peer}`);
    case "snapshotSent":
      return debug(`${hex(id)} [firstindex: ${log.firstIndex}, commit: ${commitIndex}] sent ${sent} to ${peer}`);
    case "snapshotPaused":
      return debug(`${hex(id)} paused sending replication messages to ${peer}`);
    case "snapshotCaughtUp":
      return debug(`${hex(id)} recovered from needing snapshot, resumed sending replication messages to ${peer}`);
    case "snapshotDelivered":
      return debug(`${hex(id)} snapshot succeeded, resumed sending replication messages to ${peer}`);
    case "snapshotFailed":
      return debug(`${hex(id)} snapshot failed, resumed sending replication messages to ${peer}`);
    case "unreachable":
      return debug(`${hex(id)} failed to send message to ${hex(progress.id)} because it is unreachable [${describeProgress(progress)}]`);
  }
}

export function droppedProposalLines({ refusal }: Event<"proposalsDropped">, view: ReplicaView): LogLine[] {
  const { id, term, role, leaderId, transferTarget } = view;
  switch (refusal) {
    case "notLeader":
      // With a leader they are forwarded.
      return role === "follower" && leaderId !== 0 ? [] : [info(`${hex(id)} no leader at term ${term}; dropping proposal`)];
    case "transferring":
      return [debug(`${hex(id)} [term ${term}] transfer leadership to ${hex(transferTarget)} is in progress; dropping proposal`)];
    case "tooManyUncommittedBytes":
      return [warn(`${hex(id)} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`)];
    case "entryTooLarge":
      return [warn(`${hex(id)} entry is larger than the limit; dropping proposal`)];
    case "removed":
      return [];
  }
}

export function messageLines(event: Event<"laterTerm"> | Event<"drop">, { id, term, role }: ReplicaView): LogLine[] {
  const { message } = event;
  const sender = `${nameOf(message)} message with ${event.type === "laterTerm" ? "higher" : "lower"} term from ${hex(message.from)}`;
  if (event.type === "laterTerm") return [info(`${hex(id)} [term: ${term}] received a ${sender} [term: ${message.term}]`)];
  switch (event.reason) {
    case "staleTerm":
      return [info(`${hex(id)} [term: ${term}] ignored a ${sender} [term: ${message.term}]`)];
    case "unexpected":
      if (message.type !== "TimeoutNow" || role === "leader" || role === "follower") return [];
      return [debug(`${hex(id)} [term ${term} state ${roleNames[role]}] ignored MsgTimeoutNow from ${hex(message.from)}`)];
    case "leaderIsAlive":
    case "unknownSender":
      // Told of elsewhere, or, like etcd, not at all.
      return [];
    default:
      return [warn(`${hex(id)} dropped a ${nameOf(message)} message from ${hex(message.from)}: ${event.reason}`)];
  }
}
