import type { NodeEvent } from "@octopii/core";
import type { Configuration, Entry, HardState, SnapshotMetadata, TermRun } from "@octopii/raft";
import { RaftOracle } from "../../src/index.js";

/** A configuration of voters, and, while it is joint, of those who voted before. */
export function configurationOf(
  voters: readonly number[],
  votersOutgoing: readonly number[] = [],
  learners: readonly number[] = [],
): Configuration {
  return { voters, votersOutgoing, learners, learnersNext: [], autoLeave: votersOutgoing.length > 0 };
}

export const entry = (index: number, term: number, text = ""): Entry => ({
  index,
  term,
  kind: "command",
  data: new TextEncoder().encode(text),
});

/** An oracle, and the events of a group of three in few words. */
export class Group {
  readonly oracle: RaftOracle;

  /** @param ids - who starts, with an empty log. */
  constructor(voters: readonly number[] = [1, 2, 3], ids: readonly number[] = voters, oracle = new RaftOracle(configurationOf(voters))) {
    this.oracle = oracle;
    for (const id of ids) this.wake(id, { currentTerm: 0, votedFor: 0, commitIndex: 0 });
  }

  tell(id: number, event: NodeEvent): void {
    this.oracle.observe(id, event);
  }

  /** A process begins. @param terms - of its log, `terms[0]` being that of `compactedIndex`. */
  wake(id: number, hardState: HardState, terms: readonly number[] = [0], compactedIndex = 0): void {
    const runs: TermRun[] = terms.map((term, at) => ({ firstIndex: compactedIndex + at, term }));
    this.tell(id, { type: "restore", hardState, lastIndex: compactedIndex + terms.length - 1, terms: runs });
  }

  vote(voter: number, term: number, candidate: number, lastLogIndex = 0, lastLogTerm = 0): void {
    this.tell(voter, { type: "vote", ballot: "vote", granted: true, term, candidate, lastLogIndex, lastLogTerm, votedFor: 0 });
  }

  /** `id` stands and wins, by its own vote and those of `voters`. */
  elect(id: number, term: number, voters: readonly number[], lastLogIndex = 0, lastLogTerm = 0): void {
    this.stand(id, term);
    for (const voter of voters) this.vote(voter, term, id, lastLogIndex, lastLogTerm);
    this.tell(id, { type: "role", role: "leader", term, leaderId: id });
  }

  stand(id: number, term: number): void {
    this.tell(id, { type: "role", role: "candidate", term, leaderId: 0 });
  }

  append(id: number, ...entries: Entry[]): void {
    this.tell(id, { type: "append", entries });
  }

  commit(id: number, index: number): void {
    this.tell(id, { type: "commit", index, term: 1 });
  }

  apply(id: number, ...entries: Entry[]): void {
    this.tell(id, { type: "applied", entries });
  }

  configure(id: number, index: number, configuration: Configuration): void {
    this.tell(id, { type: "configuration", index, configuration });
  }

  snapshot(id: number, phase: "available" | "restoring" | "restored" | "fastForwarded", snapshot: SnapshotMetadata): void {
    this.tell(id, { type: "snapshot", phase, snapshot });
  }

  restored(id: number, snapshot: SnapshotMetadata): void {
    this.tell(id, { type: "restored", snapshot });
  }

  /** Node 1 leads term 1 with the vote of node 2; both hold `count` entries, committed and applied. */
  run(count: number): readonly Entry[] {
    const entries = Array.from({ length: count }, (_, i) => entry(i + 1, 1, `e${i + 1}`));
    this.elect(1, 1, [2]);
    for (const id of [1, 2]) this.append(id, ...entries);
    for (const id of [1, 2]) {
      this.commit(id, count);
      this.apply(id, ...entries);
    }
    return entries;
  }
}
