import { describe, expect, it } from "vitest";
import { resolveRaftNodeOptions } from "../../src/index.js";
import { Group, outcomeOf, set } from "./group.js";

describe("what the types forbid", () => {
  it("a command that is no bytes is refused, and nothing is appended", async () => {
    const group = await Group.open({ voters: [1] });
    const { node } = await group.elect();
    const { lastIndex } = node.status();
    for (const value of ["text", [1, 2], new Uint16Array([258]), new ArrayBuffer(3), null, undefined]) {
      const error = await group.settled(outcomeOf(node.propose(value as unknown as Uint8Array)));
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(/A command is a Uint8Array, not .*; encode it first\./);
    }
    expect(node.status().lastIndex).toBe(lastIndex);
    await group.close();
  });

  it("a deadline that never comes is refused, whatever is called", async () => {
    const group = await Group.open({ voters: [1] });
    const { node } = await group.elect();
    for (const timeoutMs of [Number.NaN, Number.POSITIVE_INFINITY, -1, "500" as unknown as number]) {
      const calls: Promise<unknown>[] = [
        node.propose(set("a"), { timeoutMs }),
        node.readIndex({ timeoutMs }),
        node.addLearner(9, { timeoutMs }),
        node.addVoter(9, { timeoutMs }),
        node.removeMember(9, { timeoutMs }),
        node.replaceMember(1, 9, { timeoutMs }),
        node.transferLeadership(9, { timeoutMs }),
        node.snapshot({ timeoutMs }),
      ];
      // All are handled before the first is waited for.
      const outcomes = Promise.all(calls.map(outcomeOf));
      for (const outcome of await group.settled(outcomes)) expect(outcome).toBeInstanceOf(RangeError);
    }
    await group.close();
  });

  it("fractions of what can only be counted are refused, and of time are not", () => {
    const whole = ["queuedProposalsMax", "inboxMessagesMax", "snapshotEntries", "snapshotBytes", "tailEntries", "catchUpRounds"];
    for (const name of whole) expect(() => resolveRaftNodeOptions({ [name]: 10.5 })).toThrow(`${name} must be a whole number`);
    for (const name of ["tickMs", "requestTimeoutMs", "snapshotStallMs"])
      expect(resolveRaftNodeOptions({ [name]: 10.5 })).toMatchObject({ [name]: 10.5 });
  });
});
