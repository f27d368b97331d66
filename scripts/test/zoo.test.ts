import { expect, it } from "vitest";
import { patched, stale } from "../zoo/breed.js";
import { bugs } from "../zoo/bugs.js";

it("plants bugs that fit the sources as they are, each under a name of its own", () => {
  expect(bugs.flatMap((bug) => stale(bug).map(({ file }) => `${bug.name}: ${file}`))).toEqual([]);
  expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length);
  expect(bugs.length).toBeGreaterThanOrEqual(40);
  expect(new Set(bugs.map(({ home }) => home))).toEqual(new Set(["raft", "walrus", "core", "rpc"]));
});

it("plants no bug where it does not fit", () => {
  const patch = { file: "f.ts", find: "a", replace: "$&b" };
  expect(patched("xay", [patch])).toBe("x$&by");
  expect(() => patched("aa", [patch])).toThrow(/exactly once in f.ts/);
  expect(() => patched("", [patch])).toThrow(/exactly once/);
});
