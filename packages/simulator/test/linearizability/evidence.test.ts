import { describe, expect, it } from "vitest";
import {
  checkLinearizability,
  type Operation,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";
import { bruteForce } from "./brute-force.js";
import { seeded } from "./seeded.js";
import { registerHistory } from "./workloads.js";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

/** The history as it stood just before (or just after) the return at `time`; later answers stay known, as the report says. */
function cut(history: readonly RegisterOperation[], time: number, inclusive: boolean): RegisterOperation[] {
  return history
    .filter((operation) => operation.call < time)
    .map((operation) =>
      operation.return < time || (inclusive && operation.return === time) ? operation : { ...operation, return: Infinity },
    );
}

function replay(order: readonly RegisterOperation[]) {
  const model = registerModel();
  return order.reduce<ReturnType<typeof model.init> | null>(
    (state, operation) => (state === null ? null : model.step(state, operation.input, operation.output)),
    model.init(),
  );
}

describe("the evidence of a violation", () => {
  it("names the first return that nothing explains, and an order of all that returned before it", () => {
    let violations = 0;
    for (let seed = 1; seed <= 1_500; seed += 1) {
      const random = seeded(seed);
      const history = registerHistory(random, { operations: 6, clients: 3, unknownPercent: 20, values: 3 }).map((operation) =>
        operation.output?.kind === "read" && random.chance(30)
          ? { ...operation, output: { kind: "read", value: random.below(3) } as const }
          : operation,
      );
      const result = checkLinearizability(registerModel(), history);
      if (result.verdict !== "violation") continue;
      violations += 1;
      const { stuckAt, longestPrefix, states, open } = result;
      const context = `seed ${seed}: ${result.explanation}`;
      expect(bruteForce(registerModel(), cut(history, stuckAt.return, false)), context).toBe(true);
      expect(bruteForce(registerModel(), cut(history, stuckAt.return, true)), context).toBe(false);
      expect(replay(longestPrefix), context).toEqual(states[0]);
      const returnedBefore = history.filter((operation) => operation.return < stuckAt.return);
      expect(longestPrefix, context).toEqual(expect.arrayContaining(returnedBefore));
      expect(open, context).toContain(stuckAt);
    }
    expect(violations).toBeGreaterThan(200);
  });

  it("reads as a story", () => {
    const result = checkLinearizability(registerModel(), [
      { client: 1, input: { kind: "write", value: 1 }, output: { kind: "write" }, call: 0, return: 1 },
      { client: 2, input: { kind: "write", value: 2 }, output: undefined, call: 2, return: Infinity },
      { client: 3, input: { kind: "read" }, output: { kind: "read", value: 5 }, call: 3, return: 4 },
    ]);
    expect(result.verdict === "violation" && result.explanation.split("\n")).toEqual([
      "Not linearizable (register): no order of the operations explains client 3: read -> 5 (called 3, returned 4).",
      "Everything that returned before 4 has an order, but each leaves a state in which that answer is impossible:",
      "  2",
      "  1",
      "The longest order found, 2 operations:",
      "  client 1: write 1 (called 0, returned 1)",
      "  client 2: write 2 -> ? (called 2, never returned)",
      "Called before then but not in that order, 1 operation:",
      "  client 3: read -> 5 (called 3, returned 4)",
    ]);
  });

  it("stays short whatever the history holds", () => {
    const long = "x".repeat(10_000);
    const history = Array.from({ length: 100 }, (_, client) => ({
      client,
      input: { kind: "write", value: `${long}${client}` } as const,
      output: { kind: "write" } as const,
      call: 2 * client,
      return: 2 * client + 1,
    }));
    const result = checkLinearizability(registerModel(), [
      ...history,
      { client: 100, input: { kind: "read" }, output: { kind: "read", value: long }, call: 300, return: 301 },
    ]);
    expect(result.verdict === "violation" && result.explanation.length).toBeLessThan(6_000);
    expect(result.verdict === "violation" && result.longestPrefix).toHaveLength(100);
  });
});
