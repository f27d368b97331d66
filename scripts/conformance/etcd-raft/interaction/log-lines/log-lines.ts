import { describeConfiguration } from "../../describe.js";
import { hexadecimal as hex } from "../describe.js";
import type { LogLine } from "../printer.js";
import type { Message, TraceEvent } from "../raft.js";
import type { ReplicaView } from "../replica-view.js";
import { ballots, countedLines, refusedCampaignLine, shieldedLine, timeoutNowLines, transferLines, voteLine } from "./elections.js";
import { autoLeaveLine, configurationLine, refusedChangeLine, snapshotLines, voidChangeLine } from "./membership.js";
import { appendRefusedLine, appendRejectedLine, droppedProposalLines, messageLines, progressLine, truncateLines } from "./replication.js";
import { info, warn } from "./words.js";

/**
 * What etcd logs where our core traces `event`.
 * @param view - the replica before the event. @param cause - the message that it is handling, or null.
 */
export function logLinesOf(event: TraceEvent, view: ReplicaView, cause: Message | null): LogLine[] {
  switch (event.type) {
    case "restore":
      return [info(`${hex(view.id)} switched to configuration ${describeConfiguration(view.configuration)}`), ...bootLines(view)];
    case "role":
      return [info(`${hex(view.id)} became ${roleWords[event.role]} at term ${event.term}`)];
    case "leader":
      return event.leaderId === 0 ? [info(`${hex(view.id)} forgetting leader ${hex(view.leaderId)} at term ${view.term}`)] : [];
    case "campaign":
      return [...timeoutNowLines(view, cause), info(`${hex(view.id)} is starting a new election at term ${event.term}`)];
    case "campaignRefused":
      return [...timeoutNowLines(view, cause), refusedCampaignLine(event, view)];
    case "voteRequested":
      return [info(`${hex(view.id)} ${lastOf(view)} sent ${ballots[event.ballot]} request to ${hex(event.voter)} at term ${event.term}`)];
    case "vote":
      return [voteLine(event, view)];
    case "voteCounted":
      return countedLines(event, view);
    case "shielded":
      return [shieldedLine(event, view)];
    case "quorumLost":
      return [warn(`${hex(view.id)} stepped down to follower since quorum is not active`)];
    case "transfer":
      return transferLines(event, view, cause);
    case "truncate":
      return truncateLines(event, view);
    case "appendRefused":
      return [appendRefusedLine(event, view)];
    case "appendRejected":
      return [appendRejectedLine(event, view)];
    case "progress":
      return [progressLine(event, view)];
    case "proposalsDropped":
      return droppedProposalLines(event, view);
    case "laterTerm":
    case "drop":
      return messageLines(event, view);
    case "configuration":
      return [configurationLine(view, event)];
    case "changeVoid":
      return [voidChangeLine(view, event)];
    case "changeRefused":
      return [refusedChangeLine(event, view)];
    case "autoLeave":
      return [autoLeaveLine(event)];
    case "snapshot":
      return snapshotLines(event, view);
    default:
      return [];
  }
}

const roleWords = { follower: "follower", preCandidate: "pre-candidate", candidate: "candidate", leader: "leader" } as const;

function lastOf({ log }: ReplicaView): string {
  return `[logterm: ${log.last.term}, index: ${log.last.index}]`;
}

function bootLines(view: ReplicaView): LogLine[] {
  const { id, term, commitIndex, appliedIndex, log, configuration } = view;
  const peers = [...new Set([...configuration.voters, ...configuration.votersOutgoing])].sort((a, b) => a - b).map(hex);
  const state = `term: ${term}, commit: ${commitIndex}, applied: ${appliedIndex}, lastindex: ${log.last.index}, lastterm: ${log.last.term}`;
  return [info(`${hex(id)} became follower at term ${term}`), info(`newRaft ${hex(id)} [peers: [${peers.join(",")}], ${state}]`)];
}
