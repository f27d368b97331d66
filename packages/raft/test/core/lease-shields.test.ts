import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { bytes, TestCluster, TestReplica } from "./cluster.js";
import { heartbeat, only, preVote, preVoteAnswer, requestVote } from "./messages.js";

/** What of `messages` goes to `to`. */
const bound = (messages: readonly Message[], to: number): Message[] => messages.filter((message) => message.to === to);

describe("the shield that a lease rests on", () => {
  it("holds in the very term that ended the leader's: against votes, and against pre-votes", () => {
    const shielding = (): TestReplica => {
      const replica = new TestReplica(1, { options: { leaseReads: true }, log: [1], hardState: { currentTerm: 1 } });
      replica.step({ ticks: 10 });
      replica.answer(heartbeat({ from: 2, to: 1, term: 1 }, 0, 4));
      replica.answer(preVoteAnswer({ from: 3, to: 1, term: 5 }, false));
      expect(replica.status.currentTerm).toBe(5);
      return replica;
    };
    for (const ballot of [requestVote({ from: 3, to: 1, term: 5 }, 1, 1), preVote({ from: 3, to: 1, term: 5 }, 1, 1)]) {
      const granted = (replica: TestReplica): boolean => replica.answer(ballot).some((answer) => "granted" in answer && answer.granted);
      const replica = shielding();
      expect(granted(replica)).toBe(false);
      replica.step({ ticks: 10 });
      expect(granted(replica)).toBe(true);
    }
  });

  it("keeps a paused leader's lease true though messages between its followers are late", () => {
    const cluster = new TestCluster(3, { leaseReads: true, clockDriftMax: 0.1 });
    const [a, b, c] = [cluster.at(1), cluster.at(2), cluster.at(3)];
    cluster.tick(15);
    expect(a.status).toMatchObject({ role: "leader", currentTerm: 1 });
    // A is paused for 12 ticks: B and C time out, at about the same moment.
    for (let tick = 0; tick < 12; tick++) {
      for (const replica of [a, b, c]) replica.now++;
      b.step({ ticks: 1 });
      c.step({ ticks: 1 });
    }
    const askedByB = bound([...b.step({ campaign: true }), ...b.flush()], 3);
    const askedByC = bound([...c.step({ campaign: true }), ...c.flush()], 2);
    const grants = bound(
      askedByC.flatMap((message) => b.answer(message)),
      3,
    );
    const requests = only(
      "RequestVote",
      grants.flatMap((message) => c.answer(message)),
    ).filter(({ to }) => to === 2);
    expect(c.status).toMatchObject({ role: "candidate", currentTerm: 2 });
    // A wakes up; its heartbeat reaches B, whose answer renews the lease.
    for (const beat of bound(a.step({ ticks: 1 }), 2)) for (const answer of b.answer(beat)) a.answer(answer);
    a.step({ reads: [{ id: 1, lease: true }] });
    expect(a.reads).toMatchObject([{ id: 1, index: expect.any(Number) }]);
    // What was late arrives: B's question at C, C's refusal, which tells of term 2, at B, and C's request at B.
    for (const refusal of bound(
      askedByB.flatMap((message) => c.answer(message)),
      2,
    ))
      b.answer(refusal);
    for (const answer of bound(
      requests.flatMap((message) => b.answer(message)),
      3,
    ))
      c.answer(answer);
    c.step({ proposals: [bytes("new")] });
    c.flush();
    expect(c.status.role).not.toBe("leader");
  });

  it.each([0, 0.1])("lasts longer than the lease though the follower read the heartbeat late, with a drift of %d", (clockDriftMax) => {
    const cluster = new TestCluster(3, { leaseReads: true, clockDriftMax });
    const [a, b] = [cluster.at(1), cluster.at(2)];
    cluster.tick(20);
    expect(a.status.role).toBe("leader");
    a.now++;
    const sentAt = a.now;
    // B was paused after its tick: it wakes at this very moment, and reads the heartbeat in the same step. Its next timer is overdue as well.
    const beats = bound(a.step({ ticks: 1 }), 2);
    for (const answer of b.step({ messages: beats, ticks: 1 })) if (answer.to === 1) a.receive(answer);
    b.step({ ticks: 1 });
    let ticks = 0;
    const ballot = preVote({ from: 3, to: 2, term: a.status.currentTerm + 1 }, 99, a.status.currentTerm);
    while (!b.answer(ballot).some((message) => message.type === "PreVoteResponse" && message.granted)) {
      b.step({ ticks: 1 });
      if (++ticks > 20) throw new Error("it never votes");
    }
    a.now = sentAt + ticks;
    a.step({ reads: [{ id: 9, lease: true }] });
    expect(a.reads.find(({ id }) => id === 9)).toBeUndefined();
  });
});
