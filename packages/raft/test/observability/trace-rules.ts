import type { StateTraceEvent } from "../../src/index.js";

/**
 * A few of the rules by which etcd's `Traceetcdraft.tla` takes a trace for a behaviour of Raft, for want of TLC: a message is received as it was
 * sent, after a `Ready` of its sender; before it is handled, its receiver is as its own last line left it; terms, votes and commit indexes never
 * go back; leaders are elected, and commit, by majorities that have answered, and their logs grow entry by
 * entry.
 * @returns what is wrong, by line; nothing if all is well.
 */
export function brokenRules(events: readonly StateTraceEvent[]): string[] {
  const broken: string[] = [];
  const nodes = new Map<string, StateTraceEvent>();
  /** Sent, but its sender was not ready yet; and after that, on its way. */
  const pending = new Map<string, string[]>();
  const onTheWay = new Map<string, number>();
  const votes = new Map<string, Set<string>>();
  const acknowledged = new Map<string, Map<string, number>>();

  events.forEach((event, at) => {
    const { name, nid, state, msg } = event;
    const refuse = (what: string): void => void broken.push(`line ${at + 1}, ${name} of ${nid}: ${what}`);
    const before = nodes.get(nid);
    if (before !== undefined && name !== "InitState") {
      if (state.term < before.state.term || state.commit < before.state.commit) refuse("went back");
      if (state.term === before.state.term && before.state.vote !== "0" && state.vote !== before.state.vote) refuse("changed its vote");
    }
    if (before?.role === "StateLeader" && event.role === "StateLeader") {
      const grown = before.name === "Replicate" || before.name === "ChangeConf" ? 1 : 0;
      if (event.log !== before.log + grown) refuse(`has a log of ${event.log} after ${before.log}`);
    }
    if (name.startsWith("Send") && msg !== undefined) {
      if (msg.from !== nid) refuse("sends in another's name");
      pending.set(nid, [...(pending.get(nid) ?? []), JSON.stringify(msg)]);
    }
    if (name === "Ready") {
      for (const sent of pending.get(nid) ?? []) onTheWay.set(sent, (onTheWay.get(sent) ?? 0) + 1);
      pending.set(nid, []);
    }
    if (name.startsWith("Receive") && msg !== undefined) {
      const sent = JSON.stringify(msg);
      const left = onTheWay.get(sent) ?? 0;
      if (left === 0) refuse(`was never sent: ${sent}`);
      onTheWay.set(sent, left - 1);
      const same = (one: StateTraceEvent | undefined): string => JSON.stringify([one?.state.term, one?.role, one?.state.commit, one?.log]);
      if (same(event) !== same(before)) refuse(`is ${same(event)}, but was left as ${same(before)}`);
      if (msg.type === "MsgVoteResp" && !msg.reject) votesFor(votes, nid, msg.term).add(msg.from);
      if (msg.type === "MsgAppResp" && !msg.reject && msg.term === state.term)
        matchesOf(acknowledged, nid, msg.term).set(msg.from, msg.index);
    }
    const majority = Math.floor(event.conf[0].length / 2) + 1;
    const counts = (ids: Iterable<string>): number => [...ids].filter((id) => event.conf[0].includes(id)).length;
    if (name === "BecomeCandidate" && (state.vote !== nid || state.term !== (before?.state.term ?? 0) + 1)) refuse("is not a new term's");
    if (name === "BecomeLeader" && counts(votesFor(votes, nid, state.term)) < majority) refuse("has no majority of votes");
    if (name === "Commit") {
      const holders = [...matchesOf(acknowledged, nid, state.term)].filter(([, match]) => match >= state.commit).map(([id]) => id);
      if (event.role !== "StateLeader" || counts(holders) < majority) refuse("is by no majority");
    }
    nodes.set(nid, event);
  });
  return broken;
}

function votesFor(votes: Map<string, Set<string>>, nid: string, term: number): Set<string> {
  const key = `${nid} ${term}`;
  const known = votes.get(key) ?? new Set<string>();
  votes.set(key, known);
  return known;
}

function matchesOf(all: Map<string, Map<string, number>>, nid: string, term: number): Map<string, number> {
  const key = `${nid} ${term}`;
  const known = all.get(key) ?? new Map<string, number>();
  all.set(key, known);
  return known;
}
