import type { Message } from "../../src/index.js";
import { anyTerm, entriesAfter, otherMember, plausible, somewhere, strangers, types, type Victim } from "./plausible.js";

/**
 * A message that no honest peer sent, well formed, and that Raft has to bear without harm. What is not among them: lies of a member about what
 * it holds, has voted or has committed; Raft does not promise anything against those.
 */
export function harmless(victim: Victim): Message {
  const { random, status } = victim;
  const { currentTerm, commitIndex, leaderId } = status;
  const member = otherMember(victim);
  const stranger = random.pick(strangers);
  const past = random.below(currentTerm);
  switch (random.below(8)) {
    case 0:
      return ballotOf(victim, stranger);
    case 1:
      return plausible(victim, random.pick(["AppendEntries", "Heartbeat", "InstallSnapshot"]), member, past);
    case 2:
      return plausible(
        victim,
        random.pick(["RequestVoteResponse", "AppendEntriesResponse", "HeartbeatResponse", "TimeoutNow"]),
        member,
        past,
      );
    case 3: {
      // There is a leader already: none of these is it.
      const other = leaderId === 0 || leaderId === member ? stranger : member;
      const term = leaderId === 0 ? past : currentTerm;
      return plausible(victim, random.pick(["AppendEntries", "Heartbeat", "InstallSnapshot", "TimeoutNow"]), other, term);
    }
    case 4:
      return contradiction(victim, leaderId === 0 || leaderId === status.id ? member : leaderId);
    case 5: {
      const refused = { rejected: true, index: somewhere(victim), hintIndex: somewhere(victim), hintTerm: random.below(4) - 1 };
      const beyond = { rejected: false, index: status.lastIndex + 1 + random.below(9), hintIndex: 0, hintTerm: 0 };
      const head = { type: "AppendEntriesResponse", group: 0, from: member, to: status.id, term: currentTerm } as const;
      return { ...head, ...random.pick([refused, beyond]) };
    }
    case 6:
      return plausible(victim, "ReadIndex", random.chance(0.5) ? member : stranger, currentTerm);
    default:
      return random.chance(0.5)
        ? {
            type: "ReadIndexResponse",
            group: 0,
            from: member,
            to: status.id,
            term: currentTerm,
            requestId: 2 ** 45,
            index: commitIndex + 1000,
            refusal: null,
          }
        : { type: "HeartbeatResponse", group: 0, from: member, to: status.id, term: currentTerm, readRound: 2 ** 45 };
  }
}

/** Strangers may ask for votes, of any term; nobody counts what they are given. That a leader had sent them to campaign would be a lie. */
function ballotOf(victim: Victim, stranger: number): Message {
  const { random, status } = victim;
  const term = status.currentTerm + random.pick([0, 1, 2 ** 33, 2 ** 52]);
  const ballot = plausible(victim, random.pick(["RequestVote", "PreVote"]), stranger, random.pick([term, 2 ** 53 - 1]));
  return ballot.type === "RequestVote" ? { ...ballot, leadershipTransfer: false } : ballot;
}

/** In the leader's own name and term, entries that contradict what is committed, or that follow one that is not there. */
function contradiction(victim: Victim, from: number): Message {
  const { random, status } = victim;
  const { currentTerm: term, commitIndex, lastIndex, id: to } = status;
  const head = { type: "AppendEntries", group: 0, from, to, term } as const;
  const isBelow = commitIndex > 0 && random.chance(0.6);
  const prevLogIndex = isBelow ? random.below(commitIndex) : lastIndex + 1 + random.below(9);
  const prevLogTerm = random.below(term + 1);
  return { ...head, prevLogIndex, prevLogTerm, entries: entriesAfter(victim, prevLogIndex, term), leaderCommit: somewhere(victim) };
}

/** One field of a message is changed into something else. */
export function mutated({ random }: Victim, message: Message): Message {
  const fields = Object.keys(message);
  const field = random.pick(fields) as keyof Message;
  const before: unknown = message[field];
  if (typeof before === "number") {
    return { ...message, [field]: random.pick([before + 1, before - 1, before * 2, 0, 1, 2 ** 31, 2 ** 53 - 1, Number.NaN]) };
  }
  if (typeof before === "boolean") return { ...message, [field]: !before };
  if (Array.isArray(before)) return { ...message, [field]: random.chance(0.5) ? before.slice(1) : [...before, ...before] };
  return { ...message, term: message.term + 1 };
}

/** Anything that is well formed, from anybody, of any term: every lie there is. */
export function lie(victim: Victim): Message {
  const { random, status } = victim;
  if (random.chance(0.3)) return convincing(victim);
  const from = random.chance(0.8) ? otherMember(victim) : random.pick(strangers);
  const term = random.chance(0.7) ? status.currentTerm : anyTerm(victim);
  return plausible(victim, random.pick(types), from, term);
}

/** Entries that continue what the replica holds, in the name of whoever leads or of a new leader; or that replace its tail. */
function convincing(victim: Victim): Message {
  const { random, status, log } = victim;
  const isNew = status.leaderId === 0 || status.leaderId === status.id || random.chance(0.2);
  const from = isNew ? otherMember(victim) : status.leaderId;
  const term = status.currentTerm + (isNew ? 1 : 0);
  const prevLogIndex = Math.min(status.lastIndex, status.commitIndex + random.below(status.lastIndex - status.commitIndex + 1));
  const prevLogTerm = Math.max(0, log.termAt(prevLogIndex));
  const entries = entriesAfter(victim, prevLogIndex, prevLogTerm + random.below(Math.max(1, term - prevLogTerm + 1)));
  return {
    type: "AppendEntries",
    group: 0,
    from,
    to: status.id,
    term,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit: somewhere(victim),
  };
}
