import { describe, expect, it } from "vitest";
import {
  appendMapModel,
  checkLinearizability,
  type Model,
  type Operation,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  storeModel,
} from "../../src/linearizability/index.js";
import { bruteForce } from "./brute-force.js";
import { type Seeded, seeded } from "./seeded.js";
import { appendHistory, registerHistory, type Shape, storeHistory } from "./workloads.js";

const ROUNDS = 2_500;

/** Small, with few values, so that operations confuse one another as much as they can. */
function smallShape(random: Seeded): Shape {
  return {
    operations: 1 + random.below(7),
    clients: 1 + random.below(4),
    unknownPercent: random.pick([0, 20, 50]),
    values: 1 + random.below(3),
  };
}

/** Makes most histories doubtful: gives operations the answers of others, turns time round, or lets spans touch. */
function disturb<Input extends { kind: string }, Output>(random: Seeded, history: Operation<Input, Output>[]): Operation<Input, Output>[] {
  let disturbed = history;
  if (random.chance(50)) {
    disturbed = disturbed.map((each) => {
      const others = history.filter((other) => other.input.kind === each.input.kind && other.output !== undefined);
      return each.output !== undefined && random.chance(50) ? { ...each, output: random.pick(others).output } : each;
    });
  }
  if (random.chance(25)) {
    const end = Math.max(...disturbed.map((each) => (each.return === Infinity ? each.call : each.return)));
    disturbed = disturbed.map((each) =>
      each.return === Infinity ? { ...each, call: end - each.call } : { ...each, call: end - each.return, return: end - each.call },
    );
  }
  if (random.chance(25))
    disturbed = disturbed.map((each) => ({ ...each, call: Math.floor(each.call / 4), return: Math.floor(each.return / 4) }));
  return disturbed;
}

/** The model without its hints, so that the plain search is compared as well. */
function withoutHints<State, Input, Output>(model: Model<State, Input, Output>): Model<State, Input, Output> {
  return { name: model.name, init: model.init, step: model.step, equal: (a, b) => model.equal?.(a, b) ?? Object.is(a, b) };
}

function compare<State, Input extends { kind: string }, Output>(
  model: Model<State, Input, Output>,
  makeHistory: (random: Seeded) => Operation<Input, Output>[],
): { linearizable: number; violation: number } {
  const counts = { linearizable: 0, violation: 0 };
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const random = seeded(seed);
    const history = disturb(random, makeHistory(random));
    const expected = bruteForce(model, history) ? "linearizable" : "violation";
    const context = `seed ${seed}: ${JSON.stringify(history)}`;
    expect(checkLinearizability(model, history).verdict, context).toBe(expected);
    if (model.partition === undefined) expect(checkLinearizability(withoutHints(model), history).verdict, context).toBe(expected);
    counts[expected] += 1;
  }
  return counts;
}

/** Both verdicts must occur often, or agreement would mean little. */
function expectBoth(counts: { linearizable: number; violation: number }): void {
  expect(counts.linearizable).toBeGreaterThan(ROUNDS / 20);
  expect(counts.violation).toBeGreaterThan(ROUNDS / 20);
}

describe("agreement with trying every order", () => {
  it("on histories of a register", () => {
    expectBoth(compare(registerModel(), (random) => registerHistory(random, smallShape(random))));
  });

  it("on histories of a map with append", () => {
    expectBoth(compare(appendMapModel(), (random) => appendHistory(random, smallShape(random), random.pick([["a"], ["a", "b"]]))));
  });

  it("on histories of a store", () => {
    expectBoth(compare(storeModel(), (random) => storeHistory(random, smallShape(random), random.pick([["a"], ["a", "b"]]))));
  });

  it("on answers drawn at random", () => {
    const pure = (random: Seeded): Operation<RegisterInput, RegisterOutput>[] =>
      Array.from({ length: 1 + random.below(6) }, (_, client) => {
        const call = random.below(12);
        const end = random.chance(25) ? Infinity : call + random.below(12);
        const base = { client, call, return: end };
        const value = random.below(2);
        const known = end !== Infinity;
        switch (random.below(3)) {
          case 0:
            return { ...base, input: { kind: "read" }, output: known ? { kind: "read", value } : undefined };
          case 1:
            return { ...base, input: { kind: "write", value }, output: known ? { kind: "write" } : undefined };
          default: {
            const input = { kind: "cas", expected: random.below(2), value } as const;
            return { ...base, input, output: known ? { kind: "cas", swapped: random.chance(50) } : undefined };
          }
        }
      });
    expectBoth(compare(registerModel(0), pure));
  });
});
