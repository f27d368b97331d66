import { describe, expect, it } from "vitest";
import { Group, outcomeOf, set } from "./group.js";

describe("readIndex (thesis §6.4)", () => {
  it("on any replica waits until it has applied what was committed anywhere when the call was made", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    for (const id of [1, 2, 3]) {
      await group.settled(leader.node.propose(set("a", `${id}`)));
      const index = await group.settled(group.member(id).node.readIndex());
      expect(index).toBe(leader.node.status().commitIndex);
      expect(group.member(id).machine.get("a")).toBe(`${id}`);
    }
    await group.close();
  });

  it("waits for a state machine that is behind", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const follower = group.member(2);
    let end = (): void => undefined;
    const apply = follower.machine.apply.bind(follower.machine);
    follower.machine.apply = (async (commands: Parameters<typeof apply>[0]) => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      return apply(commands);
    }) as unknown as typeof apply;
    await group.settled(leader.node.propose(set("a")));
    let isRead = false;
    const read = follower.node.readIndex().then(() => {
      isRead = true;
    });
    await group.pass(30);
    expect(isRead).toBe(false);
    end();
    await group.settled(read, 3);
    expect(follower.machine.get("a")).toBe("a");
    await group.close();
  });

  it("asks again when its question, or the answer, was lost", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const follower = group.member(2);
    for (const [lossy, lost] of [
      [follower, "ReadIndex"],
      [leader, "ReadIndexResponse"],
    ] as const) {
      let losses = 0;
      lossy.mayPass = ({ type }) => type !== lost || ++losses > 1;
      await group.settled(follower.node.readIndex(), 150);
      expect(losses).toBe(2);
      lossy.mayPass = () => true;
    }
    await group.close();
  });

  it.each([1, 2])("over pendingReadsMax is BUSY, and those before it go on (asked on node %i, 1 leads)", async (on) => {
    const group = new Group({ options: { pendingReadsMax: 4 } });
    // A follower that would take more than its leader does.
    await group.start(1);
    await group.start(2, { pendingReadsMax: 6 });
    await group.start(3);
    await group.elect(1);
    const { node } = group.member(on);
    const outcomes = await group.settled(Promise.all(Array.from({ length: 8 }, () => outcomeOf(node.readIndex()))));
    const refused = outcomes.filter((outcome) => typeof outcome !== "number");
    expect(refused).toHaveLength(4);
    for (const outcome of refused) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_BUSY", outcome: "failed" });
    await group.close();
  });

  it("that its caller waits for no longer makes room for another", async () => {
    const group = await Group.open({ options: { pendingReadsMax: 2 } });
    await group.elect(1);
    const { node } = group.member(2);
    for (let round = 0; round < 3; round++) {
      group.member(2).mayPass = ({ type }) => type !== "ReadIndex";
      const late = await group.settled(Promise.all([1, 2].map(() => outcomeOf(node.readIndex({ timeoutMs: 30 })))));
      expect(late).toMatchObject([{ code: "OCTOPII_RAFT_TIMEOUT" }, { code: "OCTOPII_RAFT_TIMEOUT" }]);
    }
    group.member(2).mayPass = () => true;
    expect(await group.settled(Promise.all([node.readIndex(), node.readIndex()]))).toEqual([1, 1]);
    await group.close();
  });

  it("is refused while nobody leads", async () => {
    const group = await Group.open();
    const refused = await group.settled(outcomeOf(group.member(1).node.readIndex()), 3);
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 0 } });
    await group.close();
  });

  it("by lease is answered by a leader that nobody can hear for a moment; by quorum it is not", async () => {
    const group = await Group.open({ options: { leaseReads: true } });
    // Nobody grants a vote for an election timeout after a start.
    await group.pass(110);
    const leader = await group.elect(1);
    await group.pass(30);
    group.hub.isolate(1);
    await group.settled(leader.node.readIndex({ lease: true }), 3);
    const refused = await group.settled(outcomeOf(leader.node.readIndex({ timeoutMs: 60 })));
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "failed" });
    await group.close();
  });

  it("shares one round with all reads of the turn", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.pass(1);
    leader.sent.length = 0;
    const reads = Promise.all(Array.from({ length: 50 }, () => leader.node.readIndex()));
    await group.settled(reads, 5);
    const rounds = leader.sent.flatMap(({ to, messages }) =>
      messages.flatMap((m) => (to === 2 && m.type === "Heartbeat" ? [m.readRound] : [])),
    );
    expect(new Set(rounds.filter((round) => round > 0)).size).toBe(1);
    await group.close();
  });
});

describe("a flood of messages", () => {
  it("is bounded by inboxMessagesMax: what is beyond it is lost, and nothing else", async () => {
    const group = new Group({ options: { inboxMessagesMax: 10 } });
    for (const id of [1, 2, 3]) await group.start(id);
    const leader = await group.elect(1);
    const stranger = group.hub.connect(2);
    const head = { group: 0, from: 2, to: 1, term: 1 } as const;
    const stale = Array.from({ length: 1_000 }, (_, readRound) => ({ ...head, type: "HeartbeatResponse", readRound }) as const);
    const before = leader.count("drop");
    stranger.send(1, stale);
    await group.pass(2);
    // Ten came as far as the core; the others are counted.
    expect(leader.count("drop") - before).toBe(990);
    await group.write(leader, 3);
    await group.close();
  });
});
