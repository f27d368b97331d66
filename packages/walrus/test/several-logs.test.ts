import { createSimulation, type SimulatedProcess } from "@octopii/testing";
import { beforeAll, expect, test } from "vitest";
import { openWalrus, prepareWalrus, type Walrus, type WalrusOptions } from "../src/index.js";
import { payload } from "./support/model.js";

/** Several logs in one process share nothing: neither numbers, nor files, nor when they flush. */

beforeAll(prepareWalrus);

function open({ fileSystem, scheduler, random }: SimulatedProcess, name: string, options: Partial<WalrusOptions> = {}): Promise<Walrus> {
  return openWalrus({ directory: `/data/${name}`, segmentBytes: 4096, ...options }, { fileSystem, scheduler, random });
}

test("each has its own segments, from 1 on, and what one gives up is nobody else's loss", async () => {
  const world = createSimulation({ seed: 1 });
  const process = world.process("n");
  const names = ["log", "peers", "meta"];
  const logs = await world.runUntilSettled(Promise.all(names.map((name) => open(process, name))));
  const [first, ...others] = logs as [Walrus, Walrus, Walrus];
  expect(new Set(logs.map((log) => log.status().logId)).size).toBe(3);
  for (let i = 1; i <= 60; i++) {
    const appended = await world.runUntilSettled(Promise.all(logs.map((log) => log.append("t", payload(`${i}`.repeat(100))))));
    expect(appended).toEqual([i, i, i]);
  }
  for (const log of logs) expect(log.status()).toMatchObject({ firstSegment: 1, topics: 1 });
  const segments = others.map((log) => log.status().segments);
  expect(Math.min(...segments)).toBeGreaterThan(2);
  await world.runUntilSettled(first.truncateFront("t", 61));
  for (let i = 0; i < 60; i++) await world.runUntilSettled(first.append("t", payload("x".repeat(100))));
  await world.runUntil(() => first.status().firstSegment > 1);
  expect(others.map((log) => log.status().segments)).toEqual(segments);
  for (const log of others) expect(await world.runUntilSettled(log.read("t", 1))).toHaveLength(60);
});

test("each flushes as its own options say, whichever was opened first", async () => {
  const world = createSimulation({ seed: 2, disk: {} });
  const process = world.process("n");
  const lazy = await world.runUntilSettled(open(process, "lazy", { flush: "never" }));
  const strict = await world.runUntilSettled(open(process, "strict", { flush: "always" }));
  for (let i = 1; i <= 20; i++) {
    await world.runUntilSettled(lazy.append("t", payload(`lazy ${i}`)));
    await world.runUntilSettled(strict.append("t", payload(`strict ${i}`)));
  }
  expect(lazy.status().flushes).toBeLessThan(3);
  expect(strict.status().flushes).toBeGreaterThanOrEqual(20);
  process.crash();
  const again = await world.runUntilSettled(open(process.restart(), "strict"));
  expect(again.count("t")).toBe(20);
});

test("a segment that cannot be made rejects who waits for it, blocks nobody, and the log opens again with all that it acknowledged", async () => {
  const world = createSimulation({ seed: 3 });
  const process = world.process("n");
  const log = await world.runUntilSettled(open(process, "log"));
  const other = await world.runUntilSettled(open(process, "other"));
  process.disk.failNext("open", { code: "EMFILE", path: "/data/log", times: 1 });
  let acknowledged = 0;
  let failure: unknown = null;
  for (let i = 0; i < 100 && failure === null; i++) {
    await world.runUntilSettled(log.append("t", payload("x".repeat(200)))).then(
      () => {
        acknowledged += 1;
      },
      (error: unknown) => {
        failure = error;
      },
    );
  }
  expect(failure).toMatchObject({ code: expect.stringMatching(/^OCTOPII_WALRUS_/) });
  expect(await world.runUntilSettled(other.append("t", payload("goes on")))).toBe(1);
  await world.runUntilSettled(log.close().catch(() => undefined));
  const again = await world.runUntilSettled(open(process, "log"));
  expect(again.count("t")).toBeGreaterThanOrEqual(acknowledged);
  expect(await world.runUntilSettled(again.append("t", payload("goes on")))).toBe(again.count("t"));
});
