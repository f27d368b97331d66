import { describe, expect, it } from "vitest";
import { type Entry, encodeConfigurationChange } from "../../src/index.js";
import { change, group, TestCluster, TestReplica } from "./cluster.js";
import { append, heartbeat, only, preVote, preVoteAnswer, requestVote, vote } from "./messages.js";

/** A replica whose log ends with an uncommitted change that adds voter 4. */
function withChange(id = 1): TestReplica {
  const replica = new TestReplica(id);
  const entries: Entry[] = [
    { index: 1, term: 1, kind: "noop", data: new Uint8Array() },
    { index: 2, term: 1, kind: "configuration", data: encodeConfigurationChange(change("v4")) },
  ];
  replica.answer({ ...append({ from: 2, to: id, term: 1 }, [0, 0], []), entries });
  replica.step({ ticks: 10, forgetLeader: true });
  return replica;
}

const ask = { from: 3, to: 1, term: 2 };
const told = { commitIndex: 2, commitTerm: 1 };

describe("ballots tell what is committed (departure: the paper's do not)", () => {
  it("each says how far its sender knows the log to be committed, and by which entry", () => {
    const replica = new TestReplica(1, { log: [1, 1, 2], hardState: { commitIndex: 2 } });
    expect(only("PreVote", replica.step({ campaign: true }))[0]).toMatchObject(told);
    expect(only("PreVoteResponse", replica.answer(preVote(ask, 9, 2)))).toMatchObject([told]);
    expect(only("RequestVoteResponse", replica.answer(requestVote({ ...ask, term: 3 }, 9, 2)))).toMatchObject([told]);
    const candidate = new TestReplica(1, { log: [1, 1, 2], hardState: { commitIndex: 2 }, options: { preVote: false } });
    candidate.step({ campaign: true });
    expect(only("RequestVote", candidate.flush())[0]).toMatchObject(told);
  });

  it.each([
    ["PreVote", { ...preVote(ask, 1, 1), ...told }],
    ["RequestVote", { ...requestVote(ask, 1, 1), ...told }],
    ["PreVoteResponse", { ...preVoteAnswer({ ...ask, term: 1 }, false), ...told }],
    ["RequestVoteResponse", { ...vote({ ...ask, term: 1 }, false), ...told }],
  ])("%s: whoever holds that very entry, and has no leader to hear it from, commits as far", (_, message) => {
    const replica = withChange();
    replica.answer(message);
    expect(replica.status).toMatchObject({ commitIndex: 2, configuration: group([1, 2, 3, 4]) });
  });

  it("another entry at that index, or none, tells nothing; nor do ballots while a leader is known", () => {
    const replica = withChange();
    for (const claim of [
      { commitIndex: 2, commitTerm: 2 },
      { commitIndex: 3, commitTerm: 1 },
      { commitIndex: 0, commitTerm: 0 },
    ]) {
      replica.answer({ ...preVote(ask, 1, 1), ...claim });
      expect(replica.status.commitIndex).toBe(0);
    }
    replica.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    replica.step({ ticks: 10 });
    replica.answer({ ...preVote(ask, 1, 1), ...told });
    expect(replica.status.commitIndex).toBe(0);
  });

  it("a change that a campaign learns of so ends it: it asked a quorum that counts no more", () => {
    const replica = withChange();
    replica.holdApply = true;
    replica.step({ campaign: true });
    replica.flush();
    replica.answer({ ...preVoteAnswer({ ...ask, from: 2 }, true), ...told });
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 1 });
    replica.finishApply();
    expect(only("PreVote", replica.step({ campaign: true })).map(({ to }) => to)).toEqual([2, 3, 4]);
  });

  it("a claim that is no index is malformed", () => {
    const replica = withChange();
    for (const commitIndex of [-1, 1.5, Number.NaN, 2 ** 53]) {
      replica.answer({ ...preVote(ask, 9, 1), commitIndex });
      expect(replica.traced("drop").at(-1)).toMatchObject({ reason: "malformed" });
    }
    expect(replica.status.commitIndex).toBe(0);
  });

  it("voters of which one knows that a change is committed, and the other does not, elect somebody all the same", () => {
    const cluster = new TestCluster(4);
    const leader = cluster.elect(1);
    leader.holdApply = true;
    const removal = leader.step({ change: { change: change("r1"), mustKeepQuorum: false } });
    const further = leader.step({ proposals: [new Uint8Array(1)] });
    leader.flush();
    // All hold the change, 4 holds more than that; that the change is committed only 3 is told, and then 1 and 2 are gone.
    cluster.at(4).answer(...[...removal, ...further].filter(({ to }) => to === 4));
    const acknowledged = [2, 3].flatMap((id) => cluster.at(id).answer(...removal.filter(({ to }) => to === id)));
    leader.receive(...acknowledged);
    cluster.at(3).answer(...only("Heartbeat", leader.step({ ticks: 1 })).filter(({ to }) => to === 3));
    for (const id of [1, 2]) cluster.stop(id);
    expect(cluster.at(3).status).toMatchObject({ commitIndex: 2, configuration: group([2, 3, 4]) });
    expect(cluster.at(4).status).toMatchObject({ commitIndex: 1, lastIndex: 3, configuration: group([1, 2, 3, 4]) });
    // 3 needs the vote of 4, whose log is longer; 4 believes that it needs three votes of four.
    cluster.tick(60);
    expect(cluster.leader).toMatchObject({ id: 4 });
    expect(cluster.leader.status.configuration).toEqual(group([2, 3, 4]));
  });
});
