import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWalrus } from "../src/index.js";
import { describeLog, payload } from "./support/model.js";
import { entryOf } from "./support/writer-entries.js";

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

/** What a writer process said before it died. */
interface Acknowledged {
  readonly next: Map<string, number>;
  readonly first: Map<string, number>;
  tornBytes: number;
}

/** Runs a writer, kills it once it has acknowledged `lines` more, and gives all that it said. */
async function writeAndKill(lines: number): Promise<Acknowledged> {
  const script = fileURLToPath(new URL("./support/child/writer.ts", import.meta.url));
  const config = fileURLToPath(new URL("./support/child/tsconfig.json", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", script, directory], {
    env: { ...process.env, TSX_TSCONFIG_PATH: config },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: Acknowledged = { next: new Map(), first: new Map(), tornBytes: 0 };
  const exited = once(child, "exit");
  if (child.stdout === null) throw new Error("no standard output");
  let left = lines;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, topic, front, index] = /^(topic \d) (front )?(\d+)$/.exec(line) ?? [];
    if (topic !== undefined && front !== undefined) said.first.set(topic, Number(index));
    else if (topic !== undefined) said.next.set(topic, Number(index) + 1);
    else said.tornBytes = Number(/^ready (\d+)$/.exec(line)?.[1]);
    if (--left === 0) child.kill("SIGKILL");
  }
  expect(await exited).toEqual([null, "SIGKILL"]);
  return said;
}

test("a writer that is killed again and again loses nothing that it acknowledged", { timeout: 60_000 }, async () => {
  const next = new Map<string, number>();
  for (const lines of [1, 700, 2500, 2501, 3333]) {
    const said = await writeAndKill(lines);
    const log = await openWalrus({ directory });
    for (const [topic, acknowledged] of said.next) next.set(topic, acknowledged);
    for (const [topic, acknowledged] of next) {
      const bounds = log.bounds(topic);
      expect(bounds.next, topic).toBeGreaterThanOrEqual(acknowledged);
      expect(bounds.next, "each writer has at most one append that it has not heard of").toBeLessThanOrEqual(acknowledged + 1);
      expect(bounds.first).toBeGreaterThanOrEqual(said.first.get(topic) ?? 1);
      let due = bounds.first;
      for await (const { index, payload: found } of log.entries(topic, bounds.first)) {
        if (index !== due++ || Buffer.compare(found, entryOf(topic, index)) !== 0) expect.fail(`entry ${index} of ${topic}`);
      }
      expect(due).toBe(bounds.next);
      next.set(topic, bounds.next);
    }
    // Every other time the next writer finds a log that was not closed since it was killed.
    if (lines % 2 === 0) await log.close();
    else {
      await log.close();
      await rm(`${directory}/closed.mark`);
    }
  }
  expect([...next.values()].reduce((sum, end) => sum + end, 0)).toBeGreaterThan(8000);
});
