import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { openWalrus, tailWalrus } from "@octopii/walrus";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { octopii } from "./support/in-process.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-wal-`);
  const log = await openWalrus({ directory, segmentBytes: 4096 });
  for (let at = 0; at < 12; at++) await log.append("jobs", new Uint8Array(900).fill(at));
  await log.cursor("jobs", "worker").consume({ maxEntries: 3 });
  await log.close();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const segment = (number: number): string => `${directory}/${String(number).padStart(16, "0")}.wal`;

async function spoil(number: number, at: number): Promise<void> {
  const bytes = await readFile(segment(number));
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  await writeFile(segment(number), bytes);
}

describe("octopii wal", () => {
  it("info tells of segments, topics and cursors, in words and as JSON, and changes nothing", async () => {
    const before = await readdir(directory);
    const words = await octopii("wal", "info", directory);
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(/format 2, closed properly/);
    expect(words.stdout).toMatch(/topic "jobs": 12 entries, \[1, 13\), "worker" at 4/);
    const json = JSON.parse((await octopii("wal", "info", directory, "--json")).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ clean: true, topics: [{ name: "jobs", first: 1, next: 13, cursors: { worker: 4 } }] });
    expect(await readdir(directory)).toEqual(before);
  });

  it("dump prints every record", async () => {
    const lines = (await octopii("wal", "dump", directory, "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ type }) => type === "append").map(({ index }) => index)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    expect(lines.filter(({ type, frame }) => type === "cursor" && frame === "commit")).toMatchObject([{ topic: "jobs", index: 4 }]);
    expect((await octopii("wal", "dump", directory)).stdout).toMatch(/^1:\d+ append "jobs" 1 900 bytes$/m);
  });

  it("verify finds a flipped bit in a sealed segment, repair cuts there and says what is lost, and the log opens again", async () => {
    expect((await octopii("wal", "verify", directory)).stdout).toMatch(/^sound: \d+ records/);
    await spoil(2, 600);
    const damaged = await octopii("wal", "verify", directory, "--json");
    expect(damaged.code).toBe(1);
    expect(JSON.parse(damaged.stdout)).toMatchObject({ sound: false, problem: { code: "OCTOPII_WALRUS_CORRUPT", file: segment(2) } });
    expect((await octopii("wal", "dump", directory)).code).toBe(1);
    const repaired = await octopii("wal", "repair", directory);
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toMatch(/^lost: entries \d+ to 12 of topic "jobs"$/m);
    expect(repaired.stdout).toMatch(/repair-backup-1\.$/m);
    expect((await octopii("wal", "verify", directory)).code).toBe(0);
    expect((await octopii("wal", "repair", directory)).stdout).toMatch(/^The log is sound; nothing was changed\.$/m);
    const log = await openWalrus({ directory });
    expect(log.bounds("jobs").next).toBeGreaterThan(1);
    await log.close();
  });

  it("repair makes a damaged index anew and loses nothing", async () => {
    const size = (await readFile(segment(1))).length;
    await spoil(1, size - 30);
    expect((await octopii("wal", "info", directory)).code).toBe(1);
    const report = JSON.parse((await octopii("wal", "repair", directory, "--json")).stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ changed: true, lost: [] });
    expect((await octopii("wal", "info", directory)).stdout).toMatch(/12 entries/);
  });

  it("refuses to repair a log that is in use, and says where there is none", async () => {
    const log = await openWalrus({ directory });
    const refused = await octopii("wal", "repair", directory);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/in use/);
    await log.close();
    const empty = `${directory}/empty`;
    await mkdir(empty);
    expect(await octopii("wal", "info", empty)).toMatchObject({ code: 1, stderr: `octopii: There is no log in ${empty}.\n` });
    for (const action of ["dump", "repair", "tail"]) {
      expect(await octopii("wal", action, empty)).toMatchObject({ code: 1, stdout: "", stderr: `octopii: There is no log in ${empty}.\n` });
    }
    const nowhere = await octopii("wal", "verify", `${directory}/nowhere`);
    expect(nowhere).toMatchObject({ code: 1, stderr: `octopii: There is no directory ${directory}/nowhere; check the path.\n` });
  });

  it("what tail follows comes in order, through segments that fill up, while another has the log open", async () => {
    const log = await openWalrus({ directory, segmentBytes: 4096 });
    const controller = new AbortController();
    const seen: number[] = [];
    const following = tailWalrus(directory, ({ type, index }) => void (type === "append" && seen.push(index)), {
      signal: controller.signal,
      pollIntervalMs: 5,
    });
    await expect
      .poll(async () => {
        await log.append("jobs", new Uint8Array(700));
        return seen.length;
      })
      .toBeGreaterThan(10);
    controller.abort();
    await following;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, at) => (seen[0] ?? 0) + at));
    await log.close();
  });
});
