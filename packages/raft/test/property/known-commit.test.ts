import { describe, expect, it } from "vitest";
import { type Entry, encodeConfigurationChange, leaveJointChange, type Message, RaftCore, type RaftOutput } from "../../src/index.js";
import { Seeded } from "./seeded.js";

const joint = { voters: [2, 4], votersOutgoing: [1, 2], learners: [], learnersNext: [1], autoLeave: true };
const left = { voters: [2, 4], votersOutgoing: [], learners: [1], learnersNext: [], autoLeave: false };
const leave: Entry = { index: 7, term: 1, kind: "configuration", data: encodeConfigurationChange(leaveJointChange) };
const answer = { type: "PreVoteResponse", group: 0, from: 1, to: 2, term: 1, granted: false } as const;
const request = { type: "PreVote", group: 0, from: 4, to: 2, term: 2, lastLogIndex: 8, lastLogTerm: 1 } as const;

/** Node 2 holds the entry by which the joint configuration is left, but was not told that it is committed. */
function behind(): { core: RaftCore; step: (input: Parameters<RaftCore["step"]>[0]) => RaftOutput } {
  const snapshot = { index: 6, term: 1, configuration: joint };
  const log = { compactedIndex: 6, lastIndex: 9, terms: [{ firstIndex: 6, term: 1 }], commitIndex: 6, appliedIndex: 6 };
  const hardState = { currentTerm: 1, votedFor: 1, commitIndex: 6 };
  const core = new RaftCore({ id: 2, group: 0, hardState, configuration: joint, snapshot, log }, {}, new Seeded(1));
  return { core, step: (input) => core.step(input) };
}

/**
 * A change takes effect when it is applied, so two voters may go by different configurations. If the one with the longer log does not know that
 * the change is committed, neither could win an election: it would need votes that count no more, and the other its vote. Source:
 * etcd-io/etcd#12359; the remedy is that of tikv/raft-rs#411.
 */
describe("a commit that is learned from ballots", () => {
  it("lets a voter take a change into effect that it could not win an election without", () => {
    const { core, step } = behind();
    step({ campaign: true });
    expect(core.status()).toMatchObject({ role: "preCandidate", commitIndex: 6 });
    const { apply } = step({ messages: [{ ...answer, commitIndex: 7, commitTerm: 1 }] });
    expect(core.status()).toMatchObject({ role: "follower", commitIndex: 7 });
    expect(apply).toMatchObject({ from: 7, to: 7 });
    step({ campaign: true });
    expect(core.status(), "it waits until the change is applied").toMatchObject({ role: "follower", configuration: joint });
    step({ applied: { index: 7, configurations: [leave] } });
    expect(core.status().configuration).toEqual(left);
    const asked = step({ campaign: true }).messages;
    expect(asked).toMatchObject([{ type: "PreVote", to: 4, commitIndex: 7, commitTerm: 1 }]);
  });

  it("comes with requests as well as with answers", () => {
    const { core, step } = behind();
    const { write } = step({ messages: [{ ...request, commitIndex: 8, commitTerm: 1 }] });
    expect(core.status().commitIndex).toBe(8);
    expect(write?.releases).toMatchObject([{ type: "PreVoteResponse", granted: false, commitIndex: 8, commitTerm: 1 }]);
    const vote = {
      type: "RequestVote",
      group: 0,
      from: 4,
      to: 2,
      term: 2,
      lastLogIndex: 8,
      lastLogTerm: 1,
      leadershipTransfer: false,
    } as const;
    step({ messages: [{ ...vote, commitIndex: 9, commitTerm: 1 }] });
    expect(core.status()).toMatchObject({ commitIndex: 9, currentTerm: 2 });
  });

  it("is believed only of an entry that is there", () => {
    const { core, step } = behind();
    step({ campaign: true });
    const told: Message[] = [
      { ...answer, commitIndex: 8, commitTerm: 2 },
      { ...answer, from: 4, commitIndex: 10, commitTerm: 1 },
      { ...request, commitIndex: 3, commitTerm: 1 },
    ];
    for (const message of told) step({ messages: [message] });
    expect(core.status().commitIndex).toBe(6);
  });

  it("does not move a follower that has a leader to tell it", () => {
    const { core, step } = behind();
    step({ messages: [{ type: "Heartbeat", group: 0, from: 1, to: 2, term: 1, commitIndex: 6, readRound: 0 }] });
    step({ messages: [{ ...request, term: 1, commitIndex: 8, commitTerm: 1 }] });
    expect(core.status()).toMatchObject({ commitIndex: 6, leaderId: 1 });
  });
});
