import { describe, expect, it } from "vitest";
import { ConfigurationCache } from "../../src/linearizability/configuration-cache.js";
import { checkLinearizability, registerModel } from "../../src/linearizability/index.js";
import { LinearizedSet } from "../../src/linearizability/linearized-set.js";
import { bruteForce } from "./brute-force.js";
import { seeded } from "./seeded.js";
import { registerHistory } from "./workloads.js";

const UNBOUNDED = 2 ** 30;

describe("the cache of configurations", () => {
  it("tells equal hashes from equal configurations", () => {
    const set = new LinearizedSet(4, 0);
    const cache = new ConfigurationCache<string>({ hash: () => 1 }, set, UNBOUNDED);
    expect(cache.add(set, "a")).toBe(true);
    expect(cache.add(set, "b")).toBe(true);
    expect(cache.add(set, "a")).toBe(false);
    set.toggle(2);
    expect(cache.add(set, "a")).toBe(true);
    set.toggle(2);
    expect(cache.add(set, "b")).toBe(false);
    expect(cache.size).toBe(3);
  });

  it("covers a configuration that used more optional operations, not one that used fewer or others", () => {
    const set = new LinearizedSet(3, 40);
    const cache = new ConfigurationCache<string>({}, set, UNBOUNDED);
    set.toggle(1);
    set.toggle(3 + 35);
    expect(cache.add(set, "a")).toBe(true);
    set.toggle(3 + 2);
    expect(cache.add(set, "a")).toBe(false);
    set.toggle(3 + 35);
    expect(cache.add(set, "a")).toBe(true);
    set.toggle(3 + 2);
    expect(cache.add(set, "a")).toBe(true);
    expect(cache.size).toBe(3);
  });

  it("keeps everything while it grows, and no more than it may", () => {
    const set = new LinearizedSet(64, 0);
    const cache = new ConfigurationCache<number>({}, set, UNBOUNDED);
    for (let state = 0; state < 5_000; state += 1) {
      set.toggle(state % 64);
      expect(cache.add(set, state)).toBe(true);
    }
    expect(cache.size).toBe(5_000);
    const small = new ConfigurationCache<number>({}, set, 100);
    for (let state = 0; state < 50; state += 1) expect(small.add(set, state)).toBe(true);
    expect(small.size).toBe(2);
  });
});

describe("a set of operations", () => {
  it("hashes by its required members alone, whatever the order in which they came", () => {
    const random = seeded(11);
    const set = new LinearizedSet(100, 10);
    const members = Array.from({ length: 40 }, () => random.below(100));
    for (const member of members) set.toggle(member);
    const other = new LinearizedSet(100, 10);
    for (const member of members.reverse()) other.toggle(member);
    other.toggle(105);
    expect([other.hashLow, other.hashHigh]).toEqual([set.hashLow, set.hashHigh]);
    expect(other.words).not.toEqual(set.words);
    other.toggle(105);
    expect(other.words).toEqual(set.words);
    other.toggle(7);
    expect(other.hashLow).not.toBe(set.hashLow);
  });
});

it("a model whose states all hash alike gets the same verdicts", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const history = registerHistory(random, { operations: 6, clients: 3, unknownPercent: 30, values: 2 }).map((operation) =>
      operation.output?.kind === "read" && random.chance(20) ? { ...operation, output: { kind: "read", value: 1 } as const } : operation,
    );
    const expected = bruteForce(registerModel(), history) ? "linearizable" : "violation";
    expect(checkLinearizability({ ...registerModel(), hash: () => 0 }, history).verdict, `seed ${seed}`).toBe(expected);
  }
});
