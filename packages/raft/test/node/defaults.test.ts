import { describe, expect, it } from "vitest";
import { createMemoryKeyValue, createMemoryLogStorage, createMemoryNetwork } from "../../src/conformance/index.js";
import { openRaftNode } from "../../src/index.js";
import { RecordedMetrics } from "../observability/recorded-metrics.js";
import { drain, Group, set, votersOf } from "./group.js";

describe("the ports of a node", () => {
  it("need not bring a clock, a scheduler or random numbers: the system's will do", async () => {
    const scheduler = { setTimer: () => ({ cancel: () => undefined }), nextTurn: (callback: () => void) => void setImmediate(callback) };
    const stateMachine = createMemoryKeyValue();
    const node = await openRaftNode(
      { id: 1, configuration: votersOf(1) },
      { storage: createMemoryLogStorage(), network: createMemoryNetwork({ scheduler }).connect(1), stateMachine },
    );
    node.campaign();
    while (node.leaderId !== 1) await drain();
    await node.propose(set("a"));
    expect(stateMachine.get("a")).toBe("a");
    await node.close();
  });

  it("may bring metrics, which show what the node does without anybody asking it", async () => {
    const metrics = new RecordedMetrics();
    const group = await Group.open({ ports: (id) => (id === 1 ? { metrics } : {}) });
    const leader = await group.elect(1);
    const of = (name: string): number => metrics.of(`octopii_raft_${name}{group="0",node="1"}`);
    expect(of("term")).toBe(leader.node.status().currentTerm);
    await group.settled(leader.node.propose(set("a")));
    expect(of("commit_index")).toBe(leader.node.status().commitIndex);
    expect(of("applied_index")).toBe(leader.node.status().appliedIndex);
    group.hub.isolate(3);
    await group.write(leader, 20);
    // No event tells how far a follower is behind; the node looks with every tick.
    await group.pass(20);
    expect(of("follower_lag_entries_max")).toBeGreaterThanOrEqual(20);
    group.hub.heal();
    await group.close();
  });
});
