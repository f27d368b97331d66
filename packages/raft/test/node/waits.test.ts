import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { WaitOptions } from "../../src/index.js";
import { Group, type Member, outcomeOf, set } from "./group.js";

/** A call that waits, and what it comes to when it is given up after, and before, its turn has come. */
interface Call {
  readonly begin: (member: Member, options: WaitOptions) => Promise<unknown>;
  /** Where it is made: on the leader, which is cut off, or on a follower, which is too. */
  readonly on: "leader" | "follower";
  readonly begun: "failed" | "unknown";
  readonly queued: "failed" | "unknown";
  /** Of the sentence that says what it missed. */
  readonly missed: string;
}

const calls: Readonly<Record<string, Call>> = {
  "propose on the leader": {
    on: "leader",
    begin: ({ node }, options) => node.propose(set("a"), options),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  "propose on a follower": {
    on: "follower",
    begin: ({ node }, options) => node.propose(set("a"), options),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  "readIndex on the leader": {
    on: "leader",
    begin: ({ node }, options) => node.readIndex(options),
    begun: "failed",
    queued: "failed",
    missed: "confirmed the read",
  },
  "readIndex on a follower": {
    on: "follower",
    begin: ({ node }, options) => node.readIndex(options),
    begun: "failed",
    queued: "failed",
    missed: "confirmed the read",
  },
  changeMembership: {
    on: "leader",
    begin: ({ node }, options) =>
      node.changeMembership({ transition: "explicit", changes: [{ type: "addLearner", nodeId: 9 }] }, { ...options }),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  addLearner: {
    on: "leader",
    begin: ({ node }, options) => node.addLearner(9, options),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  "addVoter, while the learner is added": {
    on: "leader",
    begin: ({ node }, options) => node.addVoter(9, options),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  "addVoter, while the learner catches up": {
    on: "leader",
    begin: ({ node }, options) => node.addVoter(4, options),
    begun: "failed",
    queued: "failed",
    missed: "not caught up",
  },
  replaceMember: {
    on: "leader",
    begin: ({ node }, options) => node.replaceMember(3, 4, options),
    begun: "failed",
    queued: "failed",
    missed: "not caught up",
  },
  removeMember: {
    on: "leader",
    begin: ({ node }, options) => node.removeMember(3, { ...options, force: true }),
    begun: "unknown",
    queued: "failed",
    missed: "committed",
  },
  transferLeadership: {
    on: "leader",
    begin: ({ node }, options) => node.transferLeadership(2, options),
    begun: "unknown",
    queued: "unknown",
    missed: "Leadership",
  },
  snapshot: { on: "leader", begin: ({ node }, options) => node.snapshot(options), begun: "unknown", queued: "failed", missed: "snapshot" },
};

/** A leader, and a follower, that nobody answers; node 4 is a learner that never was there. A snapshot of theirs never ends. */
async function cutOff(on: "leader" | "follower"): Promise<{ group: Group; member: Member }> {
  const group = await Group.open({
    options: { checkQuorum: false, electionTicks: 1_000 },
    ports: (_id, { stateMachine }) => ({
      stateMachine: {
        apply: (commands) => stateMachine.apply(commands),
        snapshot: async function* () {
          await new Promise(() => undefined);
        },
        restore: () => Promise.resolve(),
      },
    }),
  });
  const leader = await group.elect(1);
  await group.settled(leader.node.addLearner(4));
  await group.pass(20);
  const member = on === "leader" ? leader : group.member(2);
  group.hub.isolate(member.id);
  return { group, member };
}

describe.each(Object.entries(calls))("%s", (_name, { on, begin, begun, queued, missed }) => {
  it("ends at its deadline, and says what it missed", async () => {
    const { group, member } = await cutOff(on);
    const before = group.time.clock.now();
    const outcome = await group.settled(outcomeOf(begin(member, { timeoutMs: 55 })));
    expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: begun, message: expect.stringContaining(missed) });
    expect(group.time.clock.now() - before).toBeGreaterThanOrEqual(55);
    expect(group.time.clock.now() - before).toBeLessThanOrEqual(70);
    await group.close();
  });

  it("ends when its signal is aborted, with the signal's reason, and lets go of the signal", async () => {
    const { group, member } = await cutOff(on);
    const abort = new AbortController();
    const call = outcomeOf(begin(member, { signal: abort.signal }));
    await group.pass(5);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    const reason = new Error("no longer wanted");
    abort.abort(reason);
    expect(await group.settled(call, 1)).toBe(reason);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    await group.close();
  });

  it("is not begun when its signal is aborted already", async () => {
    const { group, member } = await cutOff(on);
    const { lastIndex } = member.node.status();
    expect(await outcomeOf(begin(member, { signal: AbortSignal.abort("never wanted") }))).toBe("never wanted");
    await group.pass(5);
    expect(member.node.status()).toMatchObject({ lastIndex, transferTarget: 0 });
    await group.close();
  });

  it("ends when the node is closed, says whether it may have happened, and lets go of the signal", async () => {
    const { group, member } = await cutOff(on);
    const { signal } = new AbortController();
    const call = outcomeOf(begin(member, { signal }));
    await group.pass(5);
    await member.node.close();
    expect(await call).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: begun });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    await group.close();
  });

  it("ends when the node is closed before its turn has come", async () => {
    const { group, member } = await cutOff(on);
    const call = outcomeOf(begin(member, {}));
    await member.node.close();
    expect(await call).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: queued });
    await group.close();
  });

  it("is refused on a node that was closed", async () => {
    const { group, member } = await cutOff(on);
    await member.node.close();
    expect(await outcomeOf(begin(member, {}))).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "failed" });
    await group.close();
  });

  it("ends when the node stops on an error, which it names", async () => {
    const { group, member } = await cutOff(on);
    const call = outcomeOf(begin(member, {}));
    await group.pass(5);
    const failure = new Error("EIO");
    member.log.append = () => {
      throw failure;
    };
    group.hub.heal();
    const laterTerm = { type: "HeartbeatResponse", group: 0, from: 3, to: 1, term: 99, readRound: 0 } as const;
    // The leader is to write that there is a later term, the follower an entry.
    if (on === "leader") group.hub.connect(3).send(1, [laterTerm]);
    else void outcomeOf(group.member(1).node.propose(set("x")));
    expect(await group.settled(call)).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: begun, cause: failure });
    await group.close();
  });
});

describe("calls that wait", () => {
  it("are bounded by queuedProposalsMax, of each kind, and what has settled makes room", async () => {
    const group = await Group.open({ options: { checkQuorum: false, queuedProposalsMax: 5 } });
    const { node } = await group.elect(1);
    group.hub.isolate(1);
    const kinds: ((options: WaitOptions) => Promise<unknown>)[] = [
      (options) => node.readIndex(options),
      (options) => node.transferLeadership(2, options),
    ];
    for (const kind of kinds) {
      for (let round = 0; round < 3; round++) {
        const waiting = Promise.all([1, 2, 3, 4, 5].map(() => outcomeOf(kind({ timeoutMs: 20 }))));
        expect(await outcomeOf(kind({}))).toMatchObject({ code: "OCTOPII_RAFT_BUSY", outcome: "failed" });
        for (const outcome of await group.settled(waiting)) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT" });
        await group.pass(20);
      }
    }
    await group.close();
  });

  it("wait as long as requestTimeoutMs says where the caller does not", async () => {
    const group = await Group.open({ options: { checkQuorum: false, requestTimeoutMs: 70 } });
    const { node } = await group.elect(1);
    group.hub.isolate(1);
    const before = group.time.clock.now();
    expect(await group.settled(outcomeOf(node.propose(set("a"))))).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT" });
    expect(group.time.clock.now() - before).toBeGreaterThanOrEqual(70);
    expect(group.time.clock.now() - before).toBeLessThanOrEqual(80);
    await group.close();
  });
});
