import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWalrus, verifyWalrus, type WalrusOptions } from "../src/index.js";
import { seededRandom } from "./support/crash-disk.js";
import { describeLog, payload } from "./support/model.js";
import { entryOf } from "./support/writer-entries.js";

const kills = process.env.OCTOPII_TEST_LONG === "1" ? 1000 : 50;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-walrus-`);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What a writer process said before it died. */
interface Acknowledged {
  readonly next: Map<string, number>;
  readonly first: Map<string, number>;
  tornBytes: number;
}

/** Runs a writer, kills it once it has said `lines` lines unless `before` in its command line does, and gives all that it said. */
async function writeAndKill(lines: number, before: readonly string[] = []): Promise<Acknowledged> {
  const script = fileURLToPath(new URL("./support/child/writer.ts", import.meta.url));
  const config = fileURLToPath(new URL("./support/child/tsconfig.json", import.meta.url));
  const [program = "", ...args] = [...before, process.execPath, "--import", "tsx", script, directory];
  const child: ChildProcess = spawn(program, args, {
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
  expect((await exited)[1]).toBe("SIGKILL");
  return said;
}

/** What all writers so far were promised, and what the log was found to hold. */
class Promised {
  readonly #next = new Map<string, number>();

  get entries(): number {
    return [...this.#next.values()].reduce((sum, end) => sum + end, 0);
  }

  /** Opens the log, holds it against what was said, and leaves it closed, or as a killed process does. */
  async check(said: Acknowledged, close: boolean): Promise<void> {
    const log = await openWalrus({ directory });
    for (const [topic, acknowledged] of said.next) this.#next.set(topic, acknowledged);
    for (const [topic, acknowledged] of this.#next) {
      const bounds = log.bounds(topic);
      expect(bounds.next, topic).toBeGreaterThanOrEqual(acknowledged);
      expect(bounds.next, "each writer has at most one append that it has not heard of").toBeLessThanOrEqual(acknowledged + 1);
      expect(bounds.first).toBeGreaterThanOrEqual(said.first.get(topic) ?? 1);
      let due = bounds.first;
      for await (const { index, payload: found } of log.entries(topic, bounds.first)) {
        if (index !== due++ || Buffer.compare(found, entryOf(topic, index)) !== 0) expect.fail(`entry ${index} of ${topic}`);
      }
      expect(due).toBe(bounds.next);
      this.#next.set(topic, bounds.next);
    }
    await log.close();
    // Without its mark the next writer finds it as after a crash.
    if (!close) await rm(`${directory}/closed.mark`);
  }
}

test(`a writer that is killed ${kills} times loses nothing that it acknowledged`, { timeout: 3_600_000 }, async () => {
  const promised = new Promised();
  const random = seededRandom(3);
  const long = [1, 700, 2500, 2501, 3333];
  for (let kill = 0; kill < kills; kill++) {
    const said = await writeAndKill(long[kill] ?? 1 + Math.floor(random() * 400));
    await promised.check(said, kill % 2 === 0);
  }
  expect((await verifyWalrus(directory)).problem).toBe(null);
  expect(promised.entries).toBeGreaterThan(8000);
});

/** Why the tracer cannot be used here; null if it can. */
function tracerProblem(): string | null {
  const { error, status, stderr } = spawnSync("strace", ["-o", "/dev/null", "true"], { encoding: "utf8" });
  return error !== undefined ? error.message : status === 0 ? null : stderr;
}

test("a writer that is killed at its n-th write loses nothing that it acknowledged", { timeout: 300_000 }, async () => {
  const problem = tracerProblem();
  // Where there is no tracer the loop above is all there is; this says so instead of seeming to test something.
  if (problem !== null) process.stderr.write(`No process was killed at its n-th write, for want of strace: ${problem}\n`);
  const promised = new Promised();
  for (const nth of problem === null ? [1, 2, 9, 40, 133] : []) {
    const inject = [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=pwrite64,pwritev",
      "-e",
      `inject=pwrite64,pwritev:signal=SIGKILL:when=${nth}`,
    ];
    await promised.check(await writeAndKill(Number.POSITIVE_INFINITY, inject), true);
  }
  expect(promised.entries === 0).toBe(problem !== null);
});

/** Fills the log until the disk says no. */
async function fillDisk(options: WalrusOptions): Promise<{ next: number; failure: unknown }> {
  const log = await openWalrus(options);
  let failure: unknown = null;
  while (failure === null) await log.append("a", payload("x", 20_000)).catch((error: unknown) => (failure = error));
  const { next } = log.bounds("a");
  await log.close();
  return { next, failure };
}

test("on a full disk the log says so, keeps what it acknowledged, and goes on when there is room", { timeout: 60_000 }, async () => {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "octopii-walrus", directory], { encoding: "utf8" });
  const isMounted = mounted.status === 0;
  if (!isMounted) process.stderr.write(`No disk was filled, for want of a mount: ${mounted.error?.message ?? mounted.stderr}\n`);
  try {
    const options = { directory: `${directory}/log`, segmentBytes: 256 * 1024, ...(isMounted ? {} : { maxDiskBytes: 1024 * 1024 }) };
    const { next, failure } = await fillDisk(options);
    const expected = isMounted ? { code: "OCTOPII_WALRUS_IO_FAILED", cause: { code: "ENOSPC" } } : { code: "OCTOPII_WALRUS_FULL" };
    expect(failure).toMatchObject(expected);
    const log = await openWalrus(options).catch((error: unknown) => error);
    if (isMounted && log instanceof Error) spawnSync("mount", ["-o", "remount,size=4m", directory]);
    const reopened = log instanceof Error ? await openWalrus(options) : (log as Awaited<ReturnType<typeof openWalrus>>);
    expect(reopened.bounds("a").next).toBeGreaterThanOrEqual(next - 1);
    await reopened.truncateFront("a", reopened.bounds("a").next - 1).catch(() => undefined);
    if (isMounted) spawnSync("mount", ["-o", "remount,size=8m", directory]);
    await reopened.close();
    const again = await openWalrus(options);
    await again.truncateFront("a", again.bounds("a").next - 1);
    await again.append("a", payload("after"));
    expect(await describeLog(again)).toContain(Buffer.from(payload("after")).toString("hex"));
    await again.close();
  } finally {
    if (isMounted) spawnSync("umount", ["-l", directory]);
  }
});
