import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createSimulation } from "@octopii/testing";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { viewOf } from "../src/format/bytes.js";
import { openHasher } from "../src/format/hasher.js";
import { openWalrus, prepareWalrus, type WalrusOptions } from "../src/index.js";
import { payload } from "./support/model.js";
import { simulatedSnapshotOf, snapshotOf } from "./support/snapshot.js";

const segment = "0000000000000001.wal";

let directory: string;
beforeAll(prepareWalrus);
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-walrus-`);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function edit(name: string, change: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
  const bytes = await readFile(`${directory}/${name}`);
  await change(bytes);
  await writeFile(`${directory}/${name}`, bytes);
}

/** Why a log is refused: what is done to it, and the options that it is opened with. */
const refusals: Record<string, { code: string; spoil: () => Promise<void>; options?: Partial<WalrusOptions> }> = {
  "damage in the middle": { code: "CORRUPT", spoil: () => edit(segment, (bytes) => void bytes.fill(0xee, 120, 124)) },
  "a damaged mark": { code: "CORRUPT", spoil: () => edit("closed.mark", (bytes) => void bytes.fill(7, 33, 40)) },
  "a missing segment": { code: "CORRUPT", spoil: () => unlink(`${directory}/${segment}`) },
  "a later version": {
    code: "UNSUPPORTED_VERSION",
    spoil: () =>
      edit(segment, async (bytes) => {
        bytes[8] = 9;
        viewOf(bytes).setBigUint64(56, (await openHasher()).hash(bytes.subarray(0, 56), 0n), true);
      }),
  },
  "another log": { code: "WRONG_LOG", spoil: async () => undefined, options: { expectedLogId: "0123456789abcdef".repeat(2) } },
};

async function writeClaim(name: string, pid: number, nonce: string): Promise<void> {
  await writeFile(`${directory}/${name}`, JSON.stringify({ version: 1, pid, bootId: null, startTime: null, nonce }));
}

/** Who was there before, and what is left of them. */
const owners: Record<string, () => Promise<void>> = {
  nobody: async () => undefined,
  "a killed owner": async () => writeClaim("lock", spawnSync(process.execPath, ["--version"]).pid, "aa"),
  "a killed owner and one that was killed while it opened the log": async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await writeClaim("lock", pid, "aa");
    await writeClaim("lock.takeover.aa", pid, "bb");
    await writeClaim("lock.claim.cc", pid, "cc");
  },
};

const cases = Object.keys(refusals).flatMap((why) => Object.keys(owners).map((who) => [why, who] as const));

test.each(cases)("refused for %s after %s, a directory is left as it was, to the last byte", async (why, who) => {
  const log = await openWalrus({ directory });
  for (let index = 0; index < 3; index++) await log.append("a", payload(`${index}`, 100));
  await log.close();
  const { code, spoil, options } = refusals[why] ?? expect.fail();
  await spoil();
  await owners[who]?.();
  await writeFile(`${directory}/0000000000000009.wal.tmp`, "half a segment");
  const before = await snapshotOf(directory);
  for (let round = 0; round < 2; round++) {
    await expect(openWalrus({ directory, ...options })).rejects.toMatchObject({ code: `OCTOPII_WALRUS_${code}` });
    expect(await snapshotOf(directory)).toEqual(before);
  }
});

test("a log that opens leaves only its own lock of all those that were left, and none when it is closed", async () => {
  await owners["a killed owner and one that was killed while it opened the log"]?.();
  const log = await openWalrus({ directory });
  expect(await readdir(directory)).toEqual([segment, "lock"]);
  expect(JSON.parse(await readFile(`${directory}/lock`, "utf8"))).toMatchObject({ pid: process.pid });
  await log.close();
  expect(await readdir(directory)).toEqual([segment, "closed.mark"]);
});

test("a live owner's directory is left as it was", async () => {
  await (await openWalrus({ directory })).close();
  await writeClaim("lock", process.ppid, "aa");
  const before = await snapshotOf(directory);
  await expect(openWalrus({ directory })).rejects.toMatchObject({ code: "OCTOPII_WALRUS_LOCKED" });
  expect(await snapshotOf(directory)).toEqual(before);
});

test("on a simulated disk too, with and without the lock of a killed owner, which the next open takes", async () => {
  const world = createSimulation({ seed: 1 });
  let process = world.process("node");
  const open = (options: Partial<WalrusOptions> = {}) => {
    const { fileSystem, scheduler, random } = process;
    return world.runUntilSettled(openWalrus({ directory: "log", ...options }, { fileSystem, scheduler, random }));
  };
  const refuse = async (code: string, options: Partial<WalrusOptions> = {}): Promise<void> => {
    const before = await simulatedSnapshotOf(world, process, "log");
    await expect(open(options)).rejects.toMatchObject({ code: `OCTOPII_WALRUS_${code}` });
    expect(await simulatedSnapshotOf(world, process, "log")).toEqual(before);
  };
  const path = `log/${segment}`;
  for (const killed of [false, true]) {
    const log = await open();
    for (let index = 0; index < 3; index++) await world.runUntilSettled(log.append("a", payload(`${index}`, 100)));
    if (!killed) await world.runUntilSettled(log.close());
    process.kill();
    process = process.restart();
    expect(process.disk.readCached("log/lock") !== null).toBe(killed);
    process.disk.flipByte(path, 120);
    await refuse("CORRUPT");
    process.disk.flipByte(path, 120);
    await refuse("WRONG_LOG", { expectedLogId: "0123456789abcdef".repeat(2) });
    process.disk.failNext("read", { code: "EIO" });
    await refuse("IO_FAILED");
  }
  const former = process.disk.readCached("log/lock");
  const log = await open();
  expect(process.disk.readCached("log/lock")).not.toEqual(former);
  await world.runUntilSettled(log.close());
  expect(process.disk.readCached("log/lock")).toBe(null);
});
