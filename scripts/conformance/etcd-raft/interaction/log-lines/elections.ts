import { hexadecimal as hex } from "../describe.js";
import { nameOf } from "../parcel.js";
import type { LogLine } from "../printer.js";
import { type Message, membersOf } from "../raft.js";
import type { ReplicaView } from "../replica-view.js";
import { debug, type Event, info, warn } from "./words.js";

export const ballots = { preVote: "MsgPreVote", vote: "MsgVote" } as const;

export function timeoutNowLines({ id, term }: ReplicaView, cause: Message | null): LogLine[] {
  if (cause?.type !== "TimeoutNow") return [];
  return [info(`${hex(id)} [term ${term}] received MsgTimeoutNow from ${hex(cause.from)} and starts an election to get leadership.`)];
}

export function refusedCampaignLine({ obstacle }: Event<"campaignRefused">, { id, term, leaderId }: ReplicaView): LogLine {
  switch (obstacle) {
    case "leader":
      return debug(`${hex(id)} ignoring MsgHup because already leader`);
    case "notVoter":
    case "restoring":
      return warn(`${hex(id)} is unpromotable and can not campaign`);
    case "unappliedChange":
      return warn(`${hex(id)} cannot campaign at term ${term} since there are still pending configuration changes to apply`);
    case "shielding":
      return info(
        `${hex(id)} does not campaign at term ${term}: it shields ${leaderId === 0 ? "whoever led before" : `leader ${hex(leaderId)}`}`,
      );
  }
}

export function voteLine(event: Event<"vote">, view: ReplicaView): LogLine {
  const own = `[logterm: ${view.log.last.term}, index: ${view.log.last.index}, vote: ${hex(view.votedFor)}]`;
  const candidate = `${hex(event.candidate)} [logterm: ${event.lastLogTerm}, index: ${event.lastLogIndex}] at term ${view.term}`;
  const verdict = event.granted ? `cast ${ballots[event.ballot]} for` : `rejected ${ballots[event.ballot]} from`;
  return info(`${hex(view.id)} ${own} ${verdict} ${candidate}`);
}

export function shieldedLine({ message, remainingTicks }: Event<"shielded">, view: ReplicaView): LogLine {
  const { from, lastLogTerm, lastLogIndex } = message;
  const own = `[logterm: ${view.log.last.term}, index: ${view.log.last.index}, vote: ${hex(view.votedFor)}]`;
  const candidate = `${hex(from)} [logterm: ${lastLogTerm}, index: ${lastLogIndex}] at term ${view.term}`;
  return info(
    `${hex(view.id)} ${own} ignored ${nameOf(message)} from ${candidate}: lease is not expired (remaining ticks: ${remainingTicks})`,
  );
}

export function countedLines(event: Event<"voteCounted">, { id }: ReplicaView): LogLine[] {
  const answer = `${ballots[event.ballot]}Resp`;
  const rejection = event.granted ? "" : " rejection";
  return [
    info(`${hex(id)} received ${answer}${rejection} from ${hex(event.voter)} at term ${event.term}`),
    info(`${hex(id)} has received ${event.grantedCount} ${answer} votes and ${event.rejectedCount} vote rejections`),
  ];
}

export function transferLines({ phase, target }: Event<"transfer">, view: ReplicaView, cause: Message | null): LogLine[] {
  const { id, term } = view;
  const to = hex(target);
  switch (phase) {
    case "started":
      return [info(`${hex(id)} [term ${term}] starts to transfer leadership to ${to}`)];
    case "repeated":
      return [info(`${hex(id)} [term ${term}] transfer leadership to ${to} is in progress, ignores request to same node ${to}`)];
    case "replaced":
      return [info(`${hex(id)} [term ${term}] abort previous transferring leadership to ${to}`)];
    case "timeoutNow":
      if (cause !== null) return [info(`${hex(id)} sent MsgTimeoutNow to ${to} after received MsgAppResp`)];
      return [info(`${hex(id)} sends MsgTimeoutNow to ${to} immediately as ${to} already has up-to-date log`)];
    case "refused":
      return [debug(`${hex(id)} ${whyTransferIsRefused(target, view)}`)];
    case "aborted":
      // etcd gives up without a word.
      return [];
  }
}

function whyTransferIsRefused(target: number, { id, configuration }: ReplicaView): string {
  if (!membersOf(configuration).includes(target)) return `no progress available for ${hex(target)}`;
  if (configuration.learners.includes(target)) return "is learner. Ignored transferring leadership";
  return target === id ? "is already leader. Ignored transferring leadership to self" : `ignored transferring leadership to ${hex(target)}`;
}
