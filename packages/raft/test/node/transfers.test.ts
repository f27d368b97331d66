import { describe, expect, it } from "vitest";
import { Group, outcomeOf, set } from "./group.js";

describe("transferLeadership (thesis §3.10)", () => {
  it("resolves when the target leads", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.settled(leader.node.transferLeadership(3), 20);
    expect(leader.node.leaderId).toBe(3);
    expect(leader.node.status().role).toBe("follower");
    await group.until(() => group.member(3).isLeader);
    await group.close();
  });

  it("brings the target up to date first", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.cut(1, 3);
    await group.write(leader, 50);
    expect(group.member(3).node.status().lastIndex).toBe(1);
    group.hub.heal();
    await group.settled(leader.node.transferLeadership(3));
    expect(group.member(3).node.status().lastIndex).toBeGreaterThan(50);
    expect(leader.node.leaderId).toBe(3);
    await group.close();
  });

  it("fails after an election timeout, and proposals flow again", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.isolate(3);
    const before = group.time.clock.now();
    const failed = outcomeOf(leader.node.transferLeadership(3));
    await group.pass(5);
    expect(await group.settled(outcomeOf(leader.node.propose(set("a"))))).toMatchObject({ code: "OCTOPII_RAFT_TRANSFERRING" });
    expect(await group.settled(failed)).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED", outcome: "failed" });
    expect(group.time.clock.now() - before).toBeLessThanOrEqual(110);
    expect(await group.settled(leader.node.propose(set("a")))).toBeNull();
    await group.close();
  });

  it("fails at once for whoever cannot lead: a learner, a stranger, the leader itself", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.settled(leader.node.addLearner(4));
    for (const target of [4, 77, 1]) {
      const failed = await group.settled(outcomeOf(leader.node.transferLeadership(target)), 3);
      expect(failed).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED", outcome: "failed" });
    }
    await group.close();
  });

  it("fails when somebody else is elected, and names them", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.cut(1, 2);
    const failed = outcomeOf(leader.node.transferLeadership(2));
    await group.pass(5);
    for (const id of [2, 3]) group.member(id).node.forgetLeader();
    group.member(3).node.campaign();
    expect(await group.settled(failed)).toMatchObject({
      code: "OCTOPII_RAFT_TRANSFER_FAILED",
      message: expect.stringContaining("node 3 was elected"),
    });
    await group.close();
  });

  it.each([0, 3])("fails when another target is asked for, %d ms later", async (ms) => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.cut(1, 2);
    const replaced = outcomeOf(leader.node.transferLeadership(2));
    await group.pass(ms);
    const second = leader.node.transferLeadership(3);
    expect(await group.settled(replaced, 3)).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED" });
    await group.settled(second);
    expect(leader.node.leaderId).toBe(3);
    await group.close();
  });

  it("fails both ways when the second of two targets, asked for in one turn, cannot lead", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const both = Promise.all([2, 77].map((target) => outcomeOf(leader.node.transferLeadership(target))));
    for (const outcome of await group.settled(both, 3)) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED" });
    expect(leader.isLeader).toBe(true);
    await group.close();
  });

  it("resolves for all who asked for the same", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.settled(Promise.all([leader.node.transferLeadership(2), leader.node.transferLeadership(2)]));
    expect(leader.node.leaderId).toBe(2);
    await group.close();
  });

  it("fails when the target loses its vote, and proposals flow again", async () => {
    const group = await Group.open({ options: { electionTicks: 1_000 }, writeMs: 5 });
    const leader = await group.elect(1);
    group.hub.cut(1, 3);
    const removed = leader.node.removeMember(3);
    await group.pass(2);
    const failed = outcomeOf(leader.node.transferLeadership(3));
    await group.settled(removed);
    expect(await group.settled(failed, 3)).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED", outcome: "failed" });
    expect(await group.settled(leader.node.propose(set("a")))).toBeNull();
    await group.close();
  });

  it("is in doubt when the leader gives up for want of a quorum, and nobody is known to lead", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.isolate(1);
    await group.pass(60);
    const begun = group.time.clock.now();
    const lost = outcomeOf(leader.node.transferLeadership(2));
    expect(await group.settled(lost, 1_000)).toMatchObject({ code: "OCTOPII_RAFT_TRANSFER_FAILED" });
    // Two election timeouts of 100 ms: until it steps down, and from then on.
    expect(group.time.clock.now() - begun).toBeLessThanOrEqual(230);
    await group.close();
  });

  it("is the leader's to do", async () => {
    const group = await Group.open();
    await group.elect(1);
    const refused = await outcomeOf(group.member(2).node.transferLeadership(3));
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 1 } });
    await group.close();
  });
});

describe("forgetLeader", () => {
  it("lets followers elect another at once, without waiting until the leader's silence is long enough", async () => {
    const group = await Group.open();
    await group.elect(1);
    group.hub.isolate(1);
    for (const id of [2, 3]) group.member(id).node.forgetLeader();
    await group.pass(2);
    expect(group.member(2).node.leaderId).toBe(0);
    group.member(3).node.campaign();
    await group.until(() => group.member(3).isLeader, 20);
    await group.close();
  });

  it("does nothing on a leader, nor where leases may rest on the follower", async () => {
    const group = await Group.open({ options: { leaseReads: true } });
    const leader = await group.elect(1);
    leader.node.forgetLeader();
    group.member(2).node.forgetLeader();
    await group.pass(2);
    expect(leader.isLeader).toBe(true);
    expect(group.member(2).node.leaderId).toBe(1);
    await group.close();
  });
});
