import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { FakePeer, Group, outcomeOf, set } from "./group.js";

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {
  yield new Uint8Array(0);
}

describe("commands that are passed on", () => {
  it("by a stranger are dropped and counted, and change nothing", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const { lastIndex, currentTerm: term } = leader.node.status();
    const stranger = new FakePeer(99, group.hub);
    const before = leader.count("drop");
    stranger.say({ type: "ForwardProposals", group: 0, from: 99, to: 1, term, requestId: 5, commands: [set("evil")] });
    await group.pass(100);
    expect([leader.node.status().lastIndex, leader.machine.get("evil") ?? null]).toEqual([lastIndex, null]);
    expect(stranger.heard("ForwardProposalsResponse")).toEqual([]);
    expect(leader.count("drop") - before).toBe(1);
    await group.close();
  });

  it("by a member that has not heard of its removal are not committed", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const removed = group.member(3);
    for (const id of [1, 2]) group.member(id).mayPass = ({ to }) => to !== 3;
    await group.settled(leader.node.removeMember(3));
    const outcome = outcomeOf(removed.node.propose(set("late"), { timeoutMs: 50 }));
    await group.pass(100);
    expect(await group.settled(outcome)).toMatchObject({ outcome: "unknown" });
    expect(leader.machine.get("late") ?? null).toBeNull();
    await group.close();
  });

  it("take nobody else's down when one is over the leader's limit", async () => {
    const group = new Group({});
    await group.start(1, { entryBytesMax: 64 });
    await group.start(2, { entryBytesMax: 1_024 });
    await group.start(3, { entryBytesMax: 64 });
    await group.elect(1);
    const large = outcomeOf(group.member(2).node.propose(set("large", "x".repeat(500))));
    const small = outcomeOf(group.member(3).node.propose(set("small")));
    expect(await group.settled(small)).not.toBeInstanceOf(Error);
    expect(await group.settled(large)).toMatchObject({ code: "OCTOPII_RAFT_ENTRY_TOO_LARGE", outcome: "failed" });
    await group.close();
  });
});

describe("messages that have no effect", () => {
  it("are traced with their reason, the driver's own too", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const term = leader.node.status().currentTerm;
    const peer = group.hub.connect(2);
    const forward = { type: "ForwardProposals", group: 0, from: 2, to: 1, term, requestId: 5, commands: [set("x")] };
    const messages = [
      { ...forward, requestId: -5 },
      { ...forward, commands: [] },
      { ...forward, to: 3 },
      { ...forward, term: term + 7 },
      {
        type: "ForwardProposalsResponse",
        group: 0,
        from: 2,
        to: 1,
        term,
        requestId: 5,
        count: -1,
        firstIndex: 0,
        entryTerm: 0,
        refusal: null,
      },
      { type: "InstallSnapshot", group: 0, from: 2, to: 1, term, snapshot: null },
    ] as unknown as Message[];
    const before = leader.count("drop");
    for (const message of messages) peer.send(1, [message]);
    await group.pass(20);
    expect(leader.count("drop") - before).toBe(messages.length);
    await group.close();
  });

  it("are counted where too many wait", async () => {
    const group = await Group.open({ options: { inboxMessagesMax: 8 } });
    const leader = await group.elect(1);
    const term = leader.node.status().currentTerm;
    const heartbeat: Message = { type: "HeartbeatResponse", group: 0, from: 2, to: 1, term, readRound: 2 ** 40 };
    group.hub.connect(2).send(
      1,
      Array.from({ length: 100 }, () => heartbeat),
    );
    await group.pass(5);
    expect(leader.count("drop")).toBeGreaterThanOrEqual(92);
    await group.close();
  });

  it("do not put what is no snapshot into storage", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const { currentTerm: term } = leader.node.status();
    const snapshot = { index: 1e9, term: "x", configuration: null };
    const message = { type: "TimeoutNow", group: 0, from: 2, to: 1, term, snapshot } as unknown as Message & { type: "InstallSnapshot" };
    const sent = group.hub.connect(2).sendSnapshot(1, message, nothing(), new AbortController().signal);
    expect(await group.settled(outcomeOf(sent))).toBeInstanceOf(Error);
    await group.close();
  });
});

describe("a stranger", () => {
  it.each(["TimeoutNow", "ReadIndex", "ReadIndexResponse"] as const)("cannot depose a leader by the later term of a %s", async (type) => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const { currentTerm } = leader.node.status();
    const more = { requestId: 1, lease: false, index: 1 };
    new FakePeer(99, group.hub).say({ type, group: 0, from: 99, to: 1, term: currentTerm + 5, ...more } as unknown as Message);
    await group.pass(5);
    expect(leader.node.status()).toMatchObject({ role: "leader", currentTerm });
    await group.close();
  });
});
