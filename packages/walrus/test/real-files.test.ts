import { mkdtemp, readdir, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWalrus } from "../src/index.js";
import { describeLog, payload } from "./support/model.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-walrus-`);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("a log in a directory that does not exist yet is made, written, closed, opened and read", async () => {
  const options = { directory: `${directory}/not/there/yet`, segmentBytes: 4096 };
  const log = await openWalrus(options);
  await Promise.all(Array.from({ length: 200 }, (_, at) => log.append(`topic ${at % 3}`, payload(`${at}`, at * 5))));
  await log.append("long", new Uint8Array(200_000).fill(3));
  await log.truncateFront("topic 0", 20);
  await log.truncateBack("topic 1", 30);
  const before = await describeLog(log);
  await expect(openWalrus(options)).rejects.toMatchObject({
    code: "OCTOPII_WALRUS_LOCKED",
    message: expect.stringContaining(`${process.pid}`),
  });
  await log.close();
  expect((await readdir(options.directory)).filter((name) => !name.endsWith(".wal"))).toEqual(["closed.mark"]);
  const reopened = await openWalrus(options);
  expect(await describeLog(reopened)).toBe(before);
  expect(reopened.status().recovery).toEqual({ clean: true, tornBytes: 0 });
  await reopened.close();
});

test("a closed log whose file was cut is refused, with every file as it was and no lock left", async () => {
  const log = await openWalrus({ directory });
  await log.append("a", payload("1"));
  await log.close();
  const path = `${directory}/0000000000000001.wal`;
  await truncate(path, (await stat(path)).size - 1);
  const names = await readdir(directory);
  await expect(openWalrus({ directory })).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT", details: { file: path } });
  expect(await readdir(directory)).toEqual(names);
});
