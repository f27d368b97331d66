import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { TraceRecord } from "../../src/index.js";
import { runScenario, type ScenarioResult } from "./scenario.js";

const run = promisify(execFile);

describe("the same seed gives the same run", () => {
  test("twice in one process", async () => {
    const first = await runScenario(1);
    expect(first.events).toBeGreaterThan(2_000);
    expect(first.messages).toBeGreaterThan(500);
    expect(await runScenario(1)).toEqual(first);
  });

  test("whether or not somebody watches the trace", async () => {
    const records: TraceRecord[] = [];
    const watched = await runScenario(2, { traceSink: (record) => records.push(record) });
    expect(await runScenario(2)).toEqual(watched);
    expect(records.length).toBeGreaterThan(watched.events);
    const kinds = new Set(records.map(({ kind }) => kind));
    for (const kind of ["timer", "turn", "net:arrival", "disk:write", "disk:sync", "process:start"]) expect(kinds).toContain(kind);
    for (const [index, { time }] of records.entries()) expect(time).toBeGreaterThanOrEqual(records[index - 1]?.time ?? 0);
  });

  test("with promise jobs run by V8's checkpoint and by turns of the real loop", async () => {
    expect(await runScenario(3, { microtasks: "portable" })).toEqual(await runScenario(3, { microtasks: "auto" }));
  });

  test("in other processes, with other hash seeds, heaps and time zones", async () => {
    const child = new URL("./scenario-child.ts", import.meta.url).pathname;
    const inChild = async (flags: readonly string[], zone: string): Promise<ScenarioResult> => {
      const { stdout } = await run(process.execPath, [...flags, "--import", "tsx", child, "4"], { env: { ...process.env, TZ: zone } });
      return JSON.parse(stdout) as ScenarioResult;
    };
    const here = await runScenario(4);
    expect(await inChild(["--hash-seed=1", "--max-semi-space-size=1"], "Asia/Tokyo")).toEqual(here);
    expect(await inChild(["--hash-seed=12345", "--random-seed=99"], "America/Lima")).toEqual(here);
  });

  test("and another seed another run", async () => {
    const hashes = new Set<string>();
    for (let seed = 10; seed < 20; seed += 1) hashes.add((await runScenario(seed)).hash);
    expect(hashes.size).toBe(10);
  });
});
