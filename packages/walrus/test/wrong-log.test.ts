import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createSimulation } from "@octopii/testing";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openWalrus, prepareWalrus } from "../src/index.js";
import { payload } from "./support/model.js";
import { simulatedSnapshotOf, snapshotOf } from "./support/snapshot.js";

const segment = "0000000000000001.wal";
const stranger = "00112233445566778899aabbccddeeff";

let root: string;
beforeAll(prepareWalrus);
beforeEach(async () => {
  root = await mkdtemp(`${tmpdir()}/octopii-walrus-`);
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function refusal(directory: string, expected: string, found: string | null): Record<string, unknown> {
  const fact = found === null ? `There is no log in ${directory}, but` : `The log in ${directory} is ${found}, but`;
  const details = { directory, expected, found };
  return {
    code: "OCTOPII_WALRUS_WRONG_LOG",
    outcome: "failed",
    details,
    message: expect.stringContaining(`${fact} log ${expected} was expected`),
  };
}

/** A closed log of one entry; gives its id. */
async function makeLog(directory: string): Promise<string> {
  const log = await openWalrus({ directory });
  await log.append("a", payload("1"));
  await log.close();
  return log.status().logId;
}

test("a log keeps its id, and opens for whoever expects it", async () => {
  const directory = `${root}/log`;
  const id = await makeLog(directory);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect((await readFile(`${directory}/${segment}`)).subarray(24, 40).toString("hex")).toBe(id);
  for (let round = 0; round < 2; round++) {
    const log = await openWalrus({ directory, expectedLogId: id });
    expect(log.status()).toMatchObject({ logId: id, state: "open" });
    await log.close();
  }
  expect(await makeLog(`${root}/other`)).not.toBe(id);
});

test("another log than the expected one is refused, with every byte as it was, whether or not it was closed", async () => {
  const directory = `${root}/log`;
  const id = await makeLog(directory);
  await writeFile(`${directory}/0000000000000002.wal.tmp`, "half a segment");
  for (const closed of [true, false]) {
    if (!closed) {
      await unlink(`${directory}/closed.mark`);
      await writeFile(`${directory}/${segment}`, "torn", { flag: "a" });
    }
    const before = await snapshotOf(root);
    await expect(openWalrus({ directory, expectedLogId: stranger })).rejects.toMatchObject(refusal(directory, stranger, id));
    expect(await snapshotOf(root)).toEqual(before);
  }
  const log = await openWalrus({ directory, expectedLogId: id });
  expect(log.status().recovery).toEqual({ clean: false, tornBytes: 4 });
  await log.close();
});

test("an expected log that is not there is not made, nor is its directory", async () => {
  const foreign = `${root}/foreign`;
  await makeLog(foreign);
  await unlink(`${foreign}/${segment}`);
  await unlink(`${foreign}/closed.mark`);
  await writeFile(`${foreign}/${segment}.tmp`, "half a segment");
  await writeFile(`${foreign}/notes.txt`, "not ours");
  const before = await snapshotOf(root);
  for (const directory of [root, foreign, `${root}/missing`, `${root}/missing/deeper`]) {
    await expect(openWalrus({ directory, expectedLogId: stranger })).rejects.toMatchObject(refusal(directory, stranger, null));
    expect(await snapshotOf(root)).toEqual(before);
  }
});

test("damage is reported as such, whatever log was expected", async () => {
  const directory = `${root}/log`;
  await makeLog(directory);
  await unlink(`${directory}/${segment}`);
  await expect(openWalrus({ directory, expectedLogId: stranger })).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT" });
});

test.each(["", "abc", stranger.toUpperCase(), `${stranger}0`, 7 as unknown as string])("%j is no id of a log", async (expectedLogId) => {
  const opening = openWalrus({ directory: `${root}/log`, expectedLogId });
  await expect(opening).rejects.toMatchObject({
    code: "OCTOPII_WALRUS_INVALID_OPTIONS",
    message: expect.stringContaining("expectedLogId"),
  });
  expect(await readdir(root)).toEqual([]);
});

test("on a simulated disk too, neither another log nor an empty directory is changed", async () => {
  const world = createSimulation({ seed: 1 });
  const process = world.process("node");
  const { fileSystem, scheduler, random } = process;
  const open = (directory: string, expectedLogId?: string) =>
    world.runUntilSettled(openWalrus({ directory, expectedLogId }, { fileSystem, scheduler, random }));
  const log = await open("data/log");
  const { logId } = log.status();
  await world.runUntilSettled(log.close());
  await world.runUntilSettled(fileSystem.makeDirectory("empty"));
  const before = await simulatedSnapshotOf(world, process, "data/log");
  await expect(open("data/log", stranger)).rejects.toMatchObject(refusal("data/log", stranger, logId));
  await expect(open("empty", stranger)).rejects.toMatchObject(refusal("empty", stranger, null));
  await expect(open("missing", stranger)).rejects.toMatchObject(refusal("missing", stranger, null));
  expect(await simulatedSnapshotOf(world, process, "data/log")).toEqual(before);
  expect(await simulatedSnapshotOf(world, process, "empty")).toEqual({});
  expect(await world.runUntilSettled(fileSystem.readDirectory("."))).toEqual(["data", "empty"]);
  const same = await open("data/log", logId);
  expect(same.status().logId).toBe(logId);
  await world.runUntilSettled(same.close());
});
