import { describe, expect, it } from "vitest";
import { leadingNode } from "./leading-node.js";

describe("a change of the membership", () => {
  // Node 2 is switched off once it was removed. If node 1 then restarted without knowing that the removal is committed, it would wait for the
  // vote of node 2 for ever. With changes that take effect when they are appended (Raft §6) its log alone would tell it.
  it("takes effect only when its commit is on stable storage", async () => {
    const { node, storage, pass, acknowledge } = await leadingNode();
    const removed = node.removeMember(2);
    await pass(2);
    storage.held = [];
    acknowledge(2);
    await pass(2);
    expect(node.status()).toMatchObject({ commitIndex: 2, appliedIndex: 1, configuration: { voters: [1, 2] } });
    storage.release();
    await pass(2);
    expect((await removed).voters).toEqual([1]);
    expect(storage.hardState?.commitIndex).toBe(2);
    await node.close();
  });

  it("is the leader's to make, also where a voter is to become one, which it may have ceased to be meanwhile", async () => {
    const { node, pass, hear } = await leadingNode();
    hear({ type: "Heartbeat", group: 0, from: 2, to: 1, term: 2, commitIndex: 0, readRound: 0 });
    await pass(2);
    const refused = node.addVoter(2).catch((error: unknown) => error);
    await pass(2);
    expect(await refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", details: { leaderId: 2 } });
    await node.close();
  });

  it("carries a voter's new context", async () => {
    const { node, storage, pass, acknowledge } = await leadingNode();
    const done = node.addVoter(2, { context: new TextEncoder().encode("elsewhere:1") });
    await pass(2);
    acknowledge(2);
    await pass(2);
    expect((await done).voters).toEqual([1, 2]);
    expect(new TextDecoder().decode(storage.entries[1]?.data)).toContain("elsewhere:1");
    await node.close();
  });
});

describe("a call's deadline", () => {
  it("is one for all steps of a change", async () => {
    const { node, pass, acknowledge } = await leadingNode();
    const failed = node.addVoter(3, { timeoutMs: 100 }).catch((error: unknown) => error);
    await pass(90);
    acknowledge(2);
    await pass(2);
    expect(node.status().configuration.learners).toEqual([3]);
    let settled = false;
    void failed.then(() => {
      settled = true;
    });
    await pass(20);
    expect(settled).toBe(true);
    expect(await failed).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT" });
    await node.close();
  });

  it("ends the wait for a snapshot that is under way", async () => {
    let end = (): void => undefined;
    const { node, pass } = await leadingNode(async function* () {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      yield new Uint8Array(1);
    });
    let outcome: unknown = null;
    node.snapshot({ timeoutMs: 50 }).catch((error: unknown) => {
      outcome = error;
    });
    await pass(70);
    expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "unknown" });
    end();
    await node.close();
  });
});
