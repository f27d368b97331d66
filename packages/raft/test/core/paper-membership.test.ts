import { describe, expect, it } from "vitest";
import { encodeConfigurationChange } from "../../src/index.js";
import { bytes, change, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, only, preVote, requestVote, vote } from "./messages.js";

const joint = group([4, 5, 6], { votersOutgoing: [1, 2, 3] });

/** A follower whose log ends with an entry that adds voter 4. */
function follower(commitIndex: number): TestReplica {
  const replica = new TestReplica(3);
  const entry = { index: 2, term: 1, kind: "configuration", data: encodeConfigurationChange(change("v4")) } as const;
  replica.answer(append({ from: 1, to: 3, term: 1 }, [0, 0], [1]));
  replica.answer({ ...append({ from: 1, to: 3, term: 1 }, [1, 1], [1], commitIndex), entries: [entry] });
  return replica;
}

describe("Raft §6, cluster membership changes", () => {
  it("§6: in a joint configuration, entries go to all servers of both", () => {
    const leader = leading({ configuration: group([1, 5, 6], { votersOutgoing: [1, 2, 3] }) });
    for (const from of [2, 3, 5, 6]) leader.answer(accepted({ from, to: 1, term: 1 }, 1));
    const sent = only("AppendEntries", leader.step({ proposals: [bytes("a")] }));
    expect(sent.map(({ to, entries }) => [to, entries.length])).toEqual([2, 3, 5, 6].map((to) => [to, 1]));
  });

  it("§6: any server of either configuration can lead", () => {
    for (const id of [1, 2, 3, 4, 5, 6]) {
      const cluster = new TestCluster(joint);
      cluster.elect(id);
      expect(cluster.leader.id).toBe(id);
    }
  });

  it.each([
    { granted: [2, 5], role: "candidate" },
    { granted: [2, 3], role: "candidate" },
    { granted: [4, 5, 6], role: "candidate" },
    { granted: [2, 5, 6], role: "leader" },
  ])("§6: an election needs a majority of each: by $granted, server 1 of the old ones is a $role", ({ granted, role }) => {
    const replica = new TestReplica(1, { configuration: joint, options: { preVote: false } });
    replica.step({ campaign: true });
    replica.flush();
    for (const from of granted) replica.answer(vote({ from, to: 1, term: 1 }));
    expect(replica.status.role).toBe(role);
  });

  it("§6: one lost majority loses the election, whatever the other says", () => {
    const replica = new TestReplica(1, { configuration: joint, options: { preVote: false } });
    replica.step({ campaign: true });
    replica.flush();
    for (const from of [2, 3]) replica.answer(vote({ from, to: 1, term: 1 }));
    for (const from of [4, 5]) replica.answer(vote({ from, to: 1, term: 1 }, false));
    expect(replica.status.role).toBe("follower");
  });

  it.each([
    { first: [2, 3, 4], last: 6 },
    { first: [4, 5, 6], last: 2 },
  ])("§6: an entry is committed by a majority of each: not by the leader and $first, but with $last", ({ first, last }) => {
    const leader = leading({ configuration: joint });
    for (const from of first) leader.answer(accepted({ from, to: 1, term: 1 }, 1));
    expect(leader.status.commitIndex).toBe(0);
    leader.answer(accepted({ from: last, to: 1, term: 1 }, 1));
    expect(leader.status.commitIndex).toBe(1);
  });

  it("§6 (departure, RULE 6): a configuration takes effect when it is applied, not when it is in the log", () => {
    const ahead = follower(1);
    expect(ahead.status).toMatchObject({ lastIndex: 2, configuration: group([1, 2, 3]) });
    ahead.answer(heartbeat({ from: 1, to: 3, term: 1 }, 2));
    expect(ahead.status.configuration).toEqual(group([1, 2, 3, 4]));
  });

  it("§6 (departure, RULE 6): a change that another leader overwrites has never been in effect", () => {
    const replica = follower(1);
    replica.answer(append({ from: 2, to: 3, term: 2 }, [1, 1], [2], 2));
    expect(replica.status).toMatchObject({ commitIndex: 2, configuration: group([1, 2, 3]) });
    expect(replica.traced("configuration")).toEqual([]);
  });

  it("§6 (departure, RULE 6): whoever knows of a committed change that it has not applied does not campaign", () => {
    const replica = follower(1);
    replica.holdApply = true;
    replica.answer(heartbeat({ from: 1, to: 3, term: 1 }, 2));
    replica.step({ ticks: 30 });
    expect(replica.status.role).toBe("follower");
    expect(replica.traced("campaignRefused").at(-1)).toMatchObject({ obstacle: "unappliedChange" });
    replica.finishApply();
    // It asks the new quorum.
    expect(only("PreVote", replica.step({ ticks: 1 })).map(({ to }) => to)).toEqual([1, 2, 4]);
    expect(replica.status).toMatchObject({ role: "preCandidate", configuration: group([1, 2, 3, 4]) });
  });

  it("§6 (departure, RULE 6): an uncommitted change keeps nobody from campaigning", () => {
    const replica = follower(1);
    replica.step({ ticks: 30 });
    expect(replica.status.role).toBe("preCandidate");
  });

  it("§6 (departure, RULE 6): after a restart, all that was committed counts as a change until it is applied", () => {
    const replica = follower(2);
    replica.holdApply = true;
    replica.restart();
    replica.step({ campaign: true });
    expect(replica.traced("campaignRefused")).toMatchObject([{ obstacle: "unappliedChange" }]);
    replica.finishApply();
    replica.step({ campaign: true });
    expect(replica.status.role).toBe("preCandidate");
  });

  it("§6: from the old configuration over the joint one to the new one, in two entries, with no moment without a majority of each", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    for (const id of [4, 5, 6]) cluster.join(id);
    expect(cluster.change(1, change("v4 v5 v6 r1 r2 r3"))).toMatchObject({ accepted: true, index: 2 });
    cluster.tick(3);
    const inEffect = cluster
      .at(1)
      .traced("configuration")
      .map(({ configuration }) => configuration);
    expect(inEffect).toEqual([group([1, 2, 3]), { ...joint, autoLeave: true }, group([4, 5, 6])]);
    expect(cluster.at(4).status.configuration).toEqual(group([4, 5, 6]));
  });

  it("§6: new servers join without a vote, and have it when they have caught up", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.join(4);
    cluster.change(1, change("l4"));
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(1).progress(4)).toMatchObject({ isLearner: true, matchIndex: 3 });
    cluster.cut(1, 4);
    cluster.run(1, { proposals: [bytes("b")] });
    expect(cluster.at(1).status.commitIndex).toBe(3);
    cluster.heal();
    cluster.tick(2);
    cluster.change(1, change("v4"));
    expect(cluster.at(4).status.configuration).toEqual(group([1, 2, 3, 4]));
    expect(cluster.at(4).state).toEqual(["a", "b"]);
  });

  it("§6: a leader that is not in the new configuration leads until that is in effect, and does not count itself", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    // The joint configuration commits by everybody; the one without the leader is appended and reaches nobody.
    cluster.run(1, { change: { change: change("r1", "explicit"), mustKeepQuorum: false } });
    expect(cluster.at(1).status.configuration).toEqual(group([2, 3], { votersOutgoing: [1, 2, 3] }));
    cluster.filter = ({ type, from }) => type !== "AppendEntriesResponse" || from !== 3;
    cluster.run(1, { proposals: [bytes("a")] });
    // The old half has 1 and 2; of the new half it is 2 alone.
    expect(cluster.at(1).status).toMatchObject({ role: "leader", commitIndex: 2 });
    cluster.heal();
    cluster.tick(2);
    cluster.run(1, { change: { change: { transition: "auto", changes: [] }, mustKeepQuorum: false } });
    expect(cluster.at(1).status).toMatchObject({ role: "follower", configuration: group([2, 3]), leaderId: 0 });
    cluster.tick(15);
    expect([2, 3]).toContain(cluster.leader.id);
    expect(cluster.at(1).status.role).toBe("follower");
  });

  it("§6: servers that were removed disturb nobody, although they hear nothing any more", () => {
    const cluster = new TestCluster(4);
    cluster.elect(1);
    // It never learns of its removal.
    cluster.filter = ({ to }) => to !== 4;
    cluster.change(1, change("r4"));
    cluster.heal();
    cluster.tick(60);
    expect(cluster.at(4).status).toMatchObject({ role: "preCandidate", currentTerm: 1, configuration: group([1, 2, 3, 4]) });
    expect(cluster.leader).toMatchObject({ id: 1 });
    expect(cluster.leader.status.currentTerm).toBe(1);
  });

  it("§6: a server that heard from a leader within the minimum election timeout neither votes nor takes over the term", () => {
    const replica = new TestReplica(1);
    replica.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    replica.step({ ticks: 9 });
    for (const ask of [requestVote({ from: 3, to: 1, term: 5 }, 9, 1), preVote({ from: 3, to: 1, term: 5 }, 9, 1)]) {
      expect(replica.answer(ask)).toEqual([]);
      expect(replica.status.currentTerm).toBe(1);
      expect(replica.traced("shielded").at(-1)).toMatchObject({ message: ask, remainingTicks: 1 });
    }
    replica.step({ ticks: 1 });
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 5 }, 9, 1))).toMatchObject([{ granted: true }]);
  });
});
