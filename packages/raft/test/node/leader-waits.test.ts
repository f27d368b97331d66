import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Group, outcomeOf } from "./group.js";

const quiet = { electionTicks: 1_000 };

describe("waitForLeader", () => {
  it("resolves on every replica once one is elected, and at once when it is known", async () => {
    const group = await Group.open();
    const waits = [1, 2, 3].map((id) => group.member(id).node.waitForLeader());
    const leader = await group.elect(2);
    expect(await group.settled(Promise.all(waits))).toEqual([leader.id, leader.id, leader.id]);
    expect(await leader.node.waitForLeader({ timeoutMs: 0 })).toBe(leader.id);
    await group.close();
  });

  it("ends at its deadline where nobody leads", async () => {
    const group = await Group.open({ options: quiet });
    const outcome = await group.settled(outcomeOf(group.member(1).node.waitForLeader({ timeoutMs: 55 })));
    expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "failed", message: expect.stringContaining("lead") });
    await group.close();
  });

  it("ends when its signal is aborted, and when the node is closed, and lets go of the signal", async () => {
    const group = await Group.open({ options: quiet });
    const { node } = group.member(1);
    const abort = new AbortController();
    const aborted = outcomeOf(node.waitForLeader({ signal: abort.signal }));
    await group.pass(2);
    abort.abort("no longer wanted");
    expect(await aborted).toBe("no longer wanted");
    const { signal } = new AbortController();
    const closed = outcomeOf(node.waitForLeader({ signal }));
    await node.close();
    expect(await closed).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "failed" });
    expect([abort.signal, signal].flatMap((one) => getEventListeners(one, "abort"))).toEqual([]);
    await group.close();
  });
});
