import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/index.js";
import { Group, outcomeOf, set } from "./group.js";

describe("a new member", () => {
  it("that starts empty learns the group, and all of its state, from the log: its first entry holds the founders", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.write(leader, 20);
    const newcomer = await group.start(4);
    await group.pass(300);
    expect(newcomer.node.status()).toMatchObject({ currentTerm: 0, lastIndex: 0, configuration: { voters: [] } });
    await group.settled(leader.node.addLearner(4));
    await group.until(() => newcomer.machine.get("key 19") === "key 19");
    expect(newcomer.node.status().configuration).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    expect(newcomer.node.leaderId).toBe(1);
    await group.close();
  });

  it("gets a vote when it has caught up", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.write(leader, 20);
    await group.start(4);
    const configuration = await group.settled(leader.node.addVoter(4));
    expect(configuration).toMatchObject({ voters: [1, 2, 3, 4], learners: [] });
    expect(group.member(4).node.status().lastIndex).toBeGreaterThanOrEqual(22);
    // Its vote counts: of four voters two are gone, and three are needed.
    group.hub.isolate(3);
    await group.write(leader, 1);
    group.hub.isolate(2);
    expect(await group.settled(outcomeOf(leader.node.propose(set("a"), { timeoutMs: 100 })))).toMatchObject({ outcome: "unknown" });
    await group.close();
  });

  it("is not given one while its rounds take too long, and stays a learner", async () => {
    const group = await Group.open({ options: { catchUpRounds: 2 } });
    const leader = await group.elect(1);
    const newcomer = await group.start(4);
    const append = newcomer.log.append.bind(newcomer.log);
    newcomer.log.append = (...args) => new Promise((resolve) => void group.time.scheduler.setTimer(150, () => resolve(append(...args))));
    const failed = outcomeOf(leader.node.addVoter(4));
    let isOver = false;
    void failed.then(() => {
      isOver = true;
    });
    for (let at = 0; at < 100 && !isOver; at++) {
      await group.settled(leader.node.propose(set(`${at}`)));
      await group.pass(5);
    }
    expect(await failed).toMatchObject({ code: "OCTOPII_RAFT_CATCH_UP_FAILED", outcome: "failed" });
    expect(leader.node.status().configuration).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    newcomer.log.append = append;
    expect((await group.settled(leader.node.addVoter(4))).voters).toEqual([1, 2, 3, 4]);
    await group.close();
  });

  it("that is taken out again while it catches up is not waited for", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const failed = outcomeOf(leader.node.addVoter(4));
    await group.until(() => leader.node.status().configuration.learners.length > 0);
    await group.pass(2);
    await group.settled(leader.node.removeMember(4));
    expect(await group.settled(failed, 3)).toMatchObject({ code: "OCTOPII_RAFT_CATCH_UP_FAILED" });
    await group.close();
  });

  it("is the next leader's concern when this one loses leadership while it catches up", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const failed = outcomeOf(leader.node.addVoter(4));
    await group.until(() => leader.node.status().configuration.learners.length > 0);
    await group.pass(2);
    await group.settled(leader.node.transferLeadership(2));
    expect(await group.settled(failed, 3)).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed" });
    await group.close();
  });

  it("takes another's place in one change", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.write(leader, 5);
    await group.start(4);
    await group.member(3).crash();
    const context = new TextEncoder().encode("four.example:4321");
    const configuration = await group.settled(leader.node.replaceMember(3, 4, { context }));
    expect(configuration).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [], learners: [] });
    const voters = leader.events.flatMap((event) => (event.type === "configuration" ? [event.configuration.voters.length] : []));
    expect(Math.min(...voters)).toBe(3);
    await group.close();
  });

  it("cannot take its own place", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    expect(await outcomeOf(leader.node.replaceMember(3, 3))).toBeInstanceOf(RangeError);
    await group.pass(5);
    expect(leader.node.status().configuration.voters).toEqual([1, 2, 3]);
    await group.close();
  });

  it("can take the leader's place, which steps down then", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.start(4);
    const configuration = await group.settled(leader.node.replaceMember(1, 4));
    expect(configuration).toMatchObject({ voters: [2, 3, 4], votersOutgoing: [] });
    expect(leader.isLeader).toBe(false);
    await group.until(() => [2, 3, 4].some((id) => group.member(id).isLeader));
    await group.close();
  });
});

describe("removeMember", () => {
  it("takes a member out, which counts no more", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.member(3).crash();
    expect((await group.settled(leader.node.removeMember(3))).voters).toEqual([1, 2]);
    await group.write(leader, 3);
    await group.close();
  });

  it("has a leader that removes itself step down once that is in effect, and the others elect one of them (thesis §4.2.2)", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    expect((await group.settled(leader.node.removeMember(1))).voters).toEqual([2, 3]);
    expect(leader.node.status().role).toBe("follower");
    await group.until(() => group.member(2).isLeader || group.member(3).isLeader);
    await group.pass(500);
    expect(leader.isLeader).toBe(false);
    await group.close();
  });

  it("is refused if it left no quorum that is heard of, unless it is forced", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.member(3).crash();
    await group.pass(250);
    const refused = await group.settled(outcomeOf(leader.node.removeMember(2)));
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_CHANGE_REFUSED", outcome: "failed", details: { refusal: "wouldLoseQuorum" } });
    expect((await group.settled(leader.node.removeMember(2, { force: true }))).voters).toEqual([1, 3]);
    await group.close();
  });
});

describe("changeMembership", () => {
  it("takes one change after the other", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const first = leader.node.addLearner(4);
    const second = outcomeOf(leader.node.addLearner(5));
    expect(await group.settled(second)).toMatchObject({ code: "OCTOPII_RAFT_CHANGE_REFUSED", details: { refusal: "changePending" } });
    expect((await group.settled(first)).learners).toEqual([4]);
    expect((await group.settled(leader.node.addLearner(5))).learners).toEqual([4, 5]);
    await group.close();
  });

  it("resolves in the joint configuration if that is to stay, and otherwise when it has been left", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const learner = (nodeId: number) => [{ type: "addLearner", nodeId } as const];
    const joint = await group.settled(leader.node.changeMembership({ transition: "explicit", changes: learner(4) }));
    expect(joint.votersOutgoing).toEqual([1, 2, 3]);
    const left = await group.settled(leader.node.changeMembership({ transition: "auto", changes: [] }));
    expect(left).toMatchObject({ votersOutgoing: [], learners: [4] });
    const implicit = await group.settled(leader.node.changeMembership({ transition: "implicit", changes: learner(5) }));
    expect(implicit).toMatchObject({ votersOutgoing: [], learners: [4, 5] });
    await group.close();
  });

  it("is the leader's to do, and refuses what is no sound change", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const follower = await group.settled(outcomeOf(group.member(2).node.addLearner(4)));
    expect(follower).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 1 } });
    for (const nodeId of [-1, 0.5, Number.NaN]) {
      expect(await group.settled(outcomeOf(leader.node.addLearner(nodeId)))).toMatchObject({ code: "OCTOPII_RAFT_CHANGE_REFUSED" });
    }
    expect(leader.node.stoppedBy).toBeNull();
    await group.close();
  });

  it("tells the state machine of every change, with its context, among the commands", async () => {
    const told: string[] = [];
    const group = await Group.open({
      ports: (id, { stateMachine }) => ({
        stateMachine: {
          apply: (commands) => {
            if (id === 3) told.push(...commands.map(() => "command"));
            return stateMachine.apply(commands);
          },
          membershipApplied: (entries: readonly Entry[]) => {
            if (id === 3)
              told.push(...entries.map(({ kind, data }) => `${kind} ${new TextDecoder().decode(data).includes("four.example")}`));
          },
        },
      }),
    });
    const leader = await group.elect(1);
    await group.write(leader, 1);
    await group.settled(leader.node.addLearner(4, { context: new TextEncoder().encode("four.example") }));
    await group.write(leader, 1);
    await group.until(() => told.length === 4);
    expect(told).toEqual(["founding false", "command", "configuration true", "command"]);
    await group.close();
  });

  it("that another leader's entry replaced has failed, as soon as that is known", async () => {
    const group = await Group.open({ options: { checkQuorum: false } });
    const leader = await group.elect(1);
    group.hub.isolate(1);
    const lost = outcomeOf(leader.node.addLearner(4));
    await group.until(() => group.member(2).isLeader || group.member(3).isLeader);
    group.hub.heal();
    expect(await group.settled(lost, 100)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "failed" });
    await group.close();
  });

  it("that a snapshot has skipped is in doubt", async () => {
    const group = await Group.open({ options: { checkQuorum: false, tailEntries: 0 } });
    const leader = await group.elect(1);
    group.hub.isolate(1);
    const lost = outcomeOf(leader.node.addLearner(4));
    await group.until(() => group.member(2).isLeader || group.member(3).isLeader);
    const next = group.member(2).isLeader ? group.member(2) : group.member(3);
    await group.write(next, 5);
    await group.settled(next.node.snapshot());
    group.hub.heal();
    expect(await group.settled(lost, 100)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    expect(leader.machine.get("key 4")).toBe("key 4");
    await group.close();
  });
});

describe("replacing a member", () => {
  it("is refused where it would only take away, or only add", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.start(4);
    for (const [oldId, newId, fact] of [
      [3, 2, "node 2 votes already"],
      [33, 4, "node 33 does not vote"],
    ] as const) {
      const refused = await group.settled(outcomeOf(leader.node.replaceMember(oldId, newId)));
      expect(refused).toMatchObject({ code: "OCTOPII_RAFT_CHANGE_REFUSED", outcome: "failed" });
      expect((refused as Error).message).toContain(fact);
    }
    expect(leader.node.status().configuration).toMatchObject({ voters: [1, 2, 3], learners: [] });
    await group.close();
  });
});
