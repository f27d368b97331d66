import { describe, expect, it } from "vitest";
import {
  appendMapModel,
  checkLinearizability,
  linearizabilityDefaults,
  type Model,
  partitionBy,
  registerModel,
  resolveLinearizabilityOptions,
} from "../../src/linearizability/index.js";
import { seeded } from "./seeded.js";
import { appendHistory, registerHistory } from "./workloads.js";

/** Steps, not seconds, so that a slow machine gets the same result. */
describe("the work that a check takes", () => {
  it.each([1, 2, 3])("stays small for 2,000 operations of ten clients on one key, seed %i", (seed) => {
    const history = registerHistory(seeded(seed), { operations: 2_000, clients: 10, unknownPercent: 0 });
    const result = checkLinearizability(registerModel(), history);
    expect(result.verdict).toBe("linearizable");
    expect(result.steps).toBeLessThan(500_000);
  });

  it.each([1, 2, 3])("stays small where the 2,000 operations end in a violation, seed %i", (seed) => {
    const history = registerHistory(seeded(seed), { operations: 2_000, clients: 10, unknownPercent: 0 });
    const end = Math.max(...history.map((operation) => operation.return)) + 1;
    const bad = {
      client: 99,
      input: { kind: "read" },
      output: { kind: "read", value: "never written" },
      call: end,
      return: end + 1,
    } as const;
    const result = checkLinearizability(registerModel(), [...history, bad]);
    expect(result).toMatchObject({ verdict: "violation", stuckAt: bad });
    expect(result.steps).toBeLessThan(2_000_000);
  });

  it("stays small with unknown outcomes and long values", () => {
    const history = appendHistory(seeded(7), { operations: 2_000, clients: 5, unknownPercent: 1 }, ["a"]);
    expect(checkLinearizability(appendMapModel(), history)).toMatchObject({ verdict: "linearizable" });
  });

  it("does not exhaust the stack on 50,000 operations", () => {
    const history = registerHistory(seeded(5), { operations: 50_000, clients: 2, unknownPercent: 0 });
    expect(checkLinearizability(registerModel(), history).verdict).toBe("linearizable");
  });

  it("grows by one choice for each unknown write that nobody read, not by a factor of two", () => {
    const lost = (client: number) => ({
      client,
      input: { kind: "write", value: client } as const,
      output: undefined,
      call: 0,
      return: Infinity,
    });
    const reads = Array.from({ length: 40 }, (_, turn) => ({
      client: 0,
      input: { kind: "read" } as const,
      output: { kind: "read", value: turn === 39 ? "never written" : null } as const,
      call: 2 * turn,
      return: 2 * turn + 1,
    }));
    const { simplify: _, ...model } = registerModel();
    const result = checkLinearizability(model, [...reads, ...Array.from({ length: 40 }, (_, index) => lost(index + 1))]);
    expect(result.verdict).toBe("violation");
    expect(result.steps).toBeLessThan(50_000);
  });
});

describe("the limits of a check", () => {
  const history = registerHistory(seeded(3), { operations: 500, clients: 8, unknownPercent: 0 });

  it("ends as unknown when its steps are used up, and says where", () => {
    const result = checkLinearizability(
      appendMapModel(),
      appendHistory(seeded(1), { operations: 90, clients: 2, unknownPercent: 0 }, ["a", "b"]),
      {
        maxStepsPerPartition: 10,
      },
    );
    expect(result).toMatchObject({ verdict: "unknown", partitions: 2, steps: 20 });
    expect(result.verdict === "unknown" && [...result.unknownPartitions].sort()).toEqual(["a", "b"]);
  });

  it("calls a violation a violation even where another key ran out of steps", () => {
    const many = appendHistory(seeded(1), { operations: 90, clients: 2, unknownPercent: 0 }, ["long"]);
    const bad = { client: 9, input: { kind: "get", key: "z" }, output: { kind: "get", value: "?" }, call: 1e6, return: 1e6 + 1 } as const;
    expect(checkLinearizability(appendMapModel(), [...many, bad], { maxStepsPerPartition: 10 })).toMatchObject({
      verdict: "violation",
      partition: "z",
    });
  });

  it("is as right without memory, only slower", () => {
    const small = registerHistory(seeded(4), { operations: 60, clients: 3, unknownPercent: 0 });
    const remembered = checkLinearizability(registerModel(), small);
    const forgetful = checkLinearizability(registerModel(), small, { maxCacheBytes: 0 });
    expect(forgetful.verdict).toBe(remembered.verdict);
    expect(forgetful.steps).toBeGreaterThanOrEqual(remembered.steps);
  });

  it("gives one history the same result each time", () => {
    expect(checkLinearizability(registerModel(), history)).toEqual(checkLinearizability(registerModel(), history));
  });

  it("lists every option that is out of range", () => {
    expect(() => resolveLinearizabilityOptions({ maxStepsPerPartition: 0, maxCacheBytes: -1 })).toThrow(
      /maxStepsPerPartition.*maxCacheBytes/,
    );
    expect(resolveLinearizabilityOptions()).toEqual(linearizabilityDefaults);
  });
});

describe("a history that is none", () => {
  const read = { client: 3, input: { kind: "read" }, output: { kind: "read", value: null } } as const;

  it.each([
    [5, 4],
    [Number.NaN, 4],
    [1, Number.NaN],
    [-Infinity, 4],
    [Infinity, Infinity],
  ])("is refused: a span from %d to %d", (call, end) => {
    expect(() => checkLinearizability(registerModel(), [{ ...read, call, return: end }])).toThrow(/Operation 0 of client 3 spans/);
  });

  it("is refused where a model's partition loses or repeats operations", () => {
    const first = { ...read, call: 0, return: 1 };
    const second = { ...read, call: 2, return: 3 };
    const split = (parts: Record<string, (typeof first)[]>): Model<unknown, unknown, unknown> => ({
      name: "split",
      init: () => 0,
      step: (state) => state,
      partition: () => new Map(Object.entries(parts)),
    });
    expect(() => checkLinearizability(split({ a: [first] }), [first, second])).toThrow(/exactly one part/);
    expect(() => checkLinearizability(split({ a: [first], b: [first] }), [first, second])).toThrow(/exactly one part/);
    expect(checkLinearizability(split({ a: [first], b: [second] }), [first, second]).verdict).toBe("linearizable");
  });

  it("is split by key in order of first use", () => {
    const operations = ["b", "a", "b"].map((input, call) => ({ client: 0, input, output: undefined, call, return: call }));
    expect([...partitionBy(operations, (input) => input)].map(([key, part]) => [key, part.length])).toEqual([
      ["b", 2],
      ["a", 1],
    ]);
  });
});
