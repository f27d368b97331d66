import {
  type Configuration,
  type Entry,
  isJoint,
  jointVoteResult,
  type Message,
  membersOf,
  type RaftStatus,
  type SnapshotMetadata,
} from "../../src/index.js";
import type { Disk } from "./disk.js";
import type { LogImage } from "./log-image.js";
import { promise } from "./violation.js";

/** One number for all of an entry. */
export function hashOf({ term, kind, data }: Entry): number {
  let hash = Math.imul(term + kind.length * 31, 0x9e3779b1);
  for (let at = 0; at < data.length; at++) hash = Math.imul(hash ^ (data[at] as number), 0x01000193);
  return hash >>> 0;
}

export const chain = (before: number, hash: number): number => (Math.imul(before ^ hash, 0x85ebca6b) + 1) >>> 0;

interface Committed {
  readonly term: number;
  readonly hash: number;
  /** Of everything up to here: what a state machine that applied it all holds. */
  readonly chained: number;
  /** The term of the leader that was the first to commit it. */
  readonly byTerm: number;
}

/** A replica's commit index moved. */
export interface CommitMove {
  readonly before: number;
  readonly now: number;
  /** The term in which it leads, or led when the step began; 0 if it does neither. */
  readonly leaderTerm: number;
}

/** What replicas are held against. */
export type Judge = { [Part in keyof Oracle]: Oracle[Part] };

/** Knows what all replicas have done, and holds it against figure 3 of the Raft paper. */
export class Oracle {
  /** The history on which all agree; the place of index 0 is taken. */
  readonly committed: Committed[] = [{ term: 0, hash: 0, chained: 0, byTerm: 0 }];
  /** By index and term: the entry, and the term of the one before it. */
  readonly #entries = new Map<number, { readonly hash: number; readonly before: number }>();
  readonly #leaders = new Map<number, number>();
  /** By term: who voted for whom, as far as anybody was told. */
  readonly #votes = new Map<number, Map<number, number>>();
  /** By index: the configurations that took effect. */
  readonly #configurations = new Map<number, string>();
  /** The one in effect behind the highest index so far. */
  latest: { index: number; configuration: Configuration };

  constructor(founding: Configuration) {
    this.latest = { index: 0, configuration: founding };
    this.#configurations.set(0, JSON.stringify(founding));
  }

  get committedIndex(): number {
    return this.committed.length - 1;
  }

  /** Log matching: an index and a term name one entry, and all that comes before it. */
  written(id: number, log: LogImage, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const key = entry.index * 2 ** 24 + entry.term;
      const before = log.termAt(entry.index - 1);
      const hash = hashOf(entry);
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, { hash, before });
      else {
        promise(known.hash === hash && known.before === before, () => {
          return `log matching: node ${id} holds another entry ${entry.index} of term ${entry.term}, or after another one`;
        });
      }
    }
  }

  /** What leaves a node must be true on its disk. Source: Raft figure 2, "persistent state"; RULE 1. */
  sent(message: Message, { hardState, durable }: Disk, isCandidate: boolean): void {
    const { type, from, term } = message;
    if (type === "RequestVote" || (type === "RequestVoteResponse" && message.granted)) {
      const candidate = type === "RequestVote" ? from : message.to;
      const isKept = hardState.currentTerm > term || (hardState.currentTerm === term && hardState.votedFor === candidate);
      promise(
        isKept,
        () => `durable before promised: node ${from} tells of a vote for ${candidate} in term ${term} that is not on its disk`,
      );
      this.#vote(from, term, candidate);
    }
    // Whoever follows another leader of the same term by now may have cut its log; it has lost that election.
    if (type === "RequestVote" && hardState.currentTerm === term && isCandidate) {
      promise(durable.holds(message.lastLogIndex, message.lastLogTerm), () => {
        return `durable before promised: candidate ${from} claims entry ${message.lastLogIndex}, which is not on its disk`;
      });
    }
    if (type === "AppendEntriesResponse" && !message.rejected) {
      const isKept = hardState.currentTerm > term || (hardState.currentTerm === term && durable.lastIndex >= message.index);
      // A leader from the past is told of our term, with index 0; that promises nothing.
      promise(isKept || message.index === 0, () => {
        return `durable before promised: node ${from} acknowledges entry ${message.index} in term ${term}, its disk ends at ${durable.lastIndex}`;
      });
    }
  }

  #vote(voter: number, term: number, candidate: number): void {
    const votes = this.#votes.get(term) ?? new Map<number, number>();
    this.#votes.set(term, votes);
    const before = votes.get(voter);
    promise(before === undefined || before === candidate, () => `node ${voter} voted for ${before} and for ${candidate} in term ${term}`);
    votes.set(voter, candidate);
  }

  /** Election safety and leader completeness. */
  elected(id: number, { currentTerm: term, configuration }: RaftStatus, { hardState }: Disk, log: LogImage): void {
    const other = this.#leaders.get(term);
    promise(other === undefined || other === id, () => `election safety: ${other} and ${id} both lead term ${term}`);
    this.#leaders.set(term, id);
    if (hardState.currentTerm === term && hardState.votedFor === id) this.#vote(id, term, id);
    const votes = this.#votes.get(term);
    const result = jointVoteResult(configuration.voters, configuration.votersOutgoing, (voter) => votes?.get(voter) === id);
    promise(result === "won", () => `node ${id} leads term ${term} without the votes of a quorum of ${JSON.stringify(configuration)}`);
    for (let index = log.compactedIndex; index <= this.committedIndex; index++) {
      const entry = this.committed[index] as Committed;
      if (entry.byTerm >= term || index === 0) continue;
      promise(
        log.termAt(index) === entry.term,
        () => `leader completeness: leader ${id} of term ${term} lacks the committed entry ${index}`,
      );
    }
  }

  /** State machine safety, and that nothing is committed but by a quorum of disks. */
  commits(id: number, { before, now: commitIndex, leaderTerm }: CommitMove, log: LogImage, isOnQuorum: (index: number) => boolean): void {
    for (let index = Math.max(before + 1, log.compactedIndex, 1); index <= commitIndex; index++) {
      const known = this.committed[index];
      if (known !== undefined) {
        promise(known.term === log.termAt(index), () => {
          return `state machine safety: node ${id} commits entry ${index} of term ${log.termAt(index)}, others that of term ${known.term}`;
        });
        continue;
      }
      const entry = log.at(index);
      promise(entry !== undefined && leaderTerm > 0, () => `node ${id} commits entry ${index}, which no leader has committed`);
      if (entry === undefined) return;
      promise(entry.term === leaderTerm || commitIndex > index, () => `node ${id} commits entry ${index} of an earlier term by itself`);
      const last = this.committed[index - 1] as Committed;
      const hash = hashOf(entry);
      this.committed.push({ term: entry.term, hash, chained: chain(last.chained, hash), byTerm: leaderTerm });
      promise(isOnQuorum(index), () => `node ${id} commits entry ${index}, which is not on the disks of a quorum`);
    }
  }

  applied(id: number, index: number, chained: number): void {
    const known = this.committed[index];
    promise(known?.chained === chained, () => `state machine safety: node ${id} applied something else up to ${index}`);
  }

  snapshotted(id: number, { index, term, configuration }: SnapshotMetadata, chained: number): void {
    this.applied(id, index, chained);
    promise(this.committed[index]?.term === term, () => `node ${id} describes a snapshot of ${index} with term ${term}`);
    const expected = this.#configurationAt(index);
    promise(JSON.stringify(configuration) === expected, () => {
      return `node ${id} describes a snapshot of ${index} with ${JSON.stringify(configuration)} instead of ${expected}`;
    });
  }

  /** One history of configurations, each a legal successor of the one before, none in effect before it is committed. */
  configured(id: number, index: number, configuration: Configuration): void {
    promise(index <= this.committedIndex, () => `node ${id} takes the configuration of ${index} into effect before it is committed`);
    const text = JSON.stringify(configuration);
    const known = this.#configurations.get(index);
    if (known !== undefined) promise(known === text, () => `configuration of ${index}: ${known} elsewhere, ${text} on node ${id}`);
    // A snapshot tells of the configuration as of its own index, which no entry there has changed.
    if (known !== undefined || text === this.#configurationAt(index)) return;
    this.#configurations.set(index, text);
    const before = this.latest.configuration;
    promise(
      index > this.latest.index && isSuccessor(before, configuration),
      () => `${text} of ${index} cannot follow ${JSON.stringify(before)}`,
    );
    this.latest = { index, configuration };
  }

  #configurationAt(index: number): string {
    let behind = 0;
    for (const at of this.#configurations.keys()) if (at <= index && at > behind) behind = at;
    return this.#configurations.get(behind) as string;
  }
}

/** Source: Raft §6, thesis §4.1: every two quorums of neighbours share a member. */
function isSuccessor(before: Configuration, after: Configuration): boolean {
  const same = (some: readonly number[], others: readonly number[]): boolean => some.join() === others.join();
  if (membersOf(before).length === 0) return true;
  if (isJoint(before)) return !isJoint(after) && same(before.voters, after.voters);
  if (isJoint(after)) return same(after.votersOutgoing, before.voters);
  const changed = [...before.voters, ...after.voters].filter((id) => before.voters.includes(id) !== after.voters.includes(id));
  return changed.length <= 1;
}
