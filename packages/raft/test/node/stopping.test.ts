import { describe, expect, it } from "vitest";
import type { StateMachine } from "../../src/index.js";
import { drain, Group, type Member, outcomeOf, set } from "./group.js";

const bug = new Error("bug");

/** What a state machine may do wrong. */
const misdeeds: Readonly<Record<string, StateMachine<string | null>["apply"]>> = {
  throws: () => {
    throw bug;
  },
  rejects: () => Promise.reject(bug),
  "gives too few results": () => [],
  "gives too many results": (commands) => [...commands.map(() => null), null],
};

/** The node has stopped for good, told so once, and is heard of no more. */
async function expectStopped(group: Group, member: Member, reason: unknown = bug): Promise<void> {
  expect(member.node.stoppedBy).toEqual(reason);
  expect(member.count("stopped")).toBe(1);
  const { length } = member.sent;
  await group.pass(300);
  expect(member.sent).toHaveLength(length);
  expect(await outcomeOf(member.node.propose(set("z")))).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "failed" });
  await member.node.close();
  expect(member.count("stopped")).toBe(1);
}

describe.each(Object.entries(misdeeds))("a state machine that %s (RULE 9)", (_name, apply) => {
  it("stops its node before what it was given counts as applied, and nothing is lost", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    await group.write(leader, 3);
    const { machine } = group.member(2);
    const sound = machine.apply;
    machine.apply = apply as typeof machine.apply;
    const { appliedIndex } = group.member(2).node.status();
    const result = outcomeOf(group.member(2).node.propose(set("poison")));
    expect(await group.settled(result)).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
    expect(group.member(2).node.status()).toMatchObject({ appliedIndex, lastIndex: appliedIndex + 1 });
    await expectStopped(group, group.member(2), expect.anything());
    machine.apply = sound;
    await group.member(2).crash();
    await group.start(2);
    await group.until(() => group.member(2).machine.get("poison") === "poison");
    await group.close();
  });
});

describe("a state machine", () => {
  it("that throws on a change of the membership stops its node before the change takes effect", async () => {
    const group = await Group.open({
      ports: (id, { stateMachine }) => ({
        stateMachine: {
          apply: (commands) => stateMachine.apply(commands),
          membershipApplied: (entries) => {
            if (id === 2 && entries.some(({ kind }) => kind === "configuration")) throw bug;
          },
        },
      }),
    });
    const leader = await group.elect(1);
    await group.settled(leader.node.addLearner(4));
    await group.until(() => group.member(2).node.stoppedBy !== null);
    expect(group.member(2).node.status()).toMatchObject({ configuration: { learners: [] }, appliedIndex: 1 });
    await expectStopped(group, group.member(2));
    await group.close();
  });
});

describe("storage that fails (RULE 4)", () => {
  const rejects = () => Promise.reject(bug);
  const throws = () => {
    throw bug;
  };

  it.each(Object.entries({ rejects, throws }))(
    "and %s on an append stops the node, which acknowledges nothing any more",
    async (_how, append) => {
      const group = await Group.open();
      const leader = await group.elect(1);
      const follower = group.member(2);
      const { lastIndex } = leader.node.status();
      follower.log.append = append;
      await group.write(leader, 3);
      await group.until(() => follower.node.stoppedBy !== null);
      const acknowledged = follower.sent
        .flatMap(({ messages }) => messages)
        .flatMap((message) => (message.type === "AppendEntriesResponse" ? [message.index] : []));
      expect(Math.max(...acknowledged)).toBe(lastIndex);
      await expectStopped(group, follower);
      await group.close();
    },
  );

  it("while entries are read to be applied stops the node", async () => {
    const group = await Group.open({ voters: [1] });
    const member = await group.elect(1);
    await group.write(member, 3);
    await member.node.close();
    await member.crash();
    member.log.read = rejects;
    await group.start(1);
    await group.pass(5);
    await expectStopped(group, member);
  });

  it("while entries are read for a follower stops the node", async () => {
    const group = await Group.open({ options: { cacheBytesMax: 1 } });
    const leader = await group.elect(1);
    await group.member(3).crash();
    await group.write(leader, 5);
    leader.log.read = rejects;
    await group.start(3);
    await group.until(() => leader.node.stoppedBy !== null);
    await expectStopped(group, leader);
    await group.close();
  });

  it("while the log is compacted, or old snapshots are removed, stops the node", async () => {
    for (const fault of ["compact", "removeBelow"] as const) {
      const group = await Group.open({ voters: [1], options: { tailEntries: 1 } });
      const member = await group.elect(1);
      await group.write(member, 5);
      if (fault === "compact") member.log.compact = rejects;
      else member.snapshots.removeBelow = rejects;
      await group.settled(member.node.snapshot());
      await group.pass(5);
      await expectStopped(group, member);
    }
  });

  it("while the leader's snapshot is installed stops the node, whose log is as it was", async () => {
    const group = await Group.open({ options: { tailEntries: 1 } });
    const leader = await group.elect(1);
    await group.member(3).crash();
    await group.write(leader, 10);
    await group.settled(leader.node.snapshot());
    const behind = await group.start(3);
    behind.log.install = rejects;
    await group.until(() => behind.node.stoppedBy !== null);
    await expectStopped(group, behind);
    await behind.crash();
    await group.start(3);
    await group.until(() => behind.machine.get("key 9") === "key 9");
    await group.close();
  });

  it("when the node opens, has it refuse", async () => {
    const group = new Group({ voters: [1] });
    await expect(group.start(1, {}, () => ({ storage: { ...group.member(1).log, load: rejects } }))).rejects.toBe(bug);
  });
});

describe("close", () => {
  it("gives the same promise each time, and resolves when the commit index is stored", async () => {
    const group = await Group.open({ voters: [1], writeMs: 5 });
    const member = await group.elect(1);
    await group.write(member, 3);
    const first = member.node.close();
    expect(member.node.close()).toBe(first);
    await group.settled(first);
    expect((await member.log.load(0)).hardState?.commitIndex).toBe(4);
  });

  it("waits for what the state machine is at, and has it begin nothing more", async () => {
    const begun: number[] = [];
    let end = (): void => undefined;
    const group = await Group.open({
      voters: [1],
      options: { applyBytesMax: 1 },
      ports: () => ({
        stateMachine: {
          apply: async (commands) => {
            begun.push(...commands.map(({ index }) => index));
            await new Promise<void>((resolve) => {
              end = resolve;
            });
            return commands.map(() => null);
          },
        },
      }),
    });
    const { node } = await group.elect(1);
    const results = ["a", "b"].map((key) => outcomeOf(node.propose(set(key))));
    await group.pass(2);
    expect(begun).toEqual([2]);
    let isClosed = false;
    const closed = node.close().then(() => {
      isClosed = true;
    });
    for (const outcome of await Promise.all(results)) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
    await drain();
    expect(isClosed).toBe(false);
    end();
    await closed;
    await group.pass(50);
    expect(begun).toEqual([2]);
  });

  it("may be called from an event, even within a turn, and nothing is applied after it", async () => {
    const group = await Group.open({ voters: [1] });
    const member = await group.elect(1);
    const applied: number[] = [];
    const apply = member.machine.apply;
    member.machine.apply = (commands) => {
      applied.push(...commands.map(({ index }) => index));
      return apply.call(member.machine, commands);
    };
    const closed: Promise<void>[] = [];
    const push = member.events.push;
    member.events.push = (event) => {
      if (event.type === "commit" && closed.length === 0) closed.push(member.node.close());
      return push.call(member.events, event);
    };
    const result = outcomeOf(member.node.propose(set("a")));
    await group.pass(2);
    expect(closed).toHaveLength(1);
    await closed[0];
    expect(await result).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
    expect(applied).toEqual([]);
    await group.close();
  });

  it("does not reject when the commit index cannot be stored, but says so", async () => {
    const warnings: string[] = [];
    const nothing = (): void => undefined;
    const logger = {
      trace: nothing,
      debug: nothing,
      info: nothing,
      error: nothing,
      warn: (_: object, text: string) => void warnings.push(text),
    };
    const group = await Group.open({ voters: [1], ports: () => ({ logger }) });
    const member = await group.elect(1);
    await group.write(member, 1);
    member.log.fail(bug);
    await member.node.close();
    expect(warnings).toEqual(["The commit index could not be stored."]);
  });

  it("lets go of the network: what comes afterwards finds nobody", async () => {
    const group = await Group.open();
    await group.elect(1);
    const follower = group.member(2);
    await follower.node.close();
    const { length } = follower.events;
    await group.pass(100);
    expect(follower.events).toHaveLength(length);
    await group.close();
  });
});
