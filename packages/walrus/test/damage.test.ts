import { beforeAll, expect, test } from "vitest";
import { type BatchOperation, isWalrusError, openWalrus, repairWalrus, verifyWalrus, type WalrusErrorCode } from "../src/index.js";
import { CrashDisk, seededRandom } from "./support/crash-disk.js";
import { describeLog, Model, payload } from "./support/model.js";

const options = { directory: "/log", segmentBytes: 4096 };

const calls: BatchOperation[][] = [
  [{ topic: "a", append: [payload("a1", 60), payload("a2")] }],
  [{ topic: "b", append: [payload("b1", 1500)] }],
  [{ topic: "a", truncateBack: 2 }],
  [{ topic: "b", append: [payload("b2", 2500)] }],
  [
    { topic: "c", append: [payload("c1")] },
    { topic: "a", append: [payload("a2 again", 30)] },
  ],
  [{ topic: "a", truncateFront: 2 }],
  [{ topic: "a", append: [payload("a3"), payload("a4", 70)] }],
];

/** The files of a small log of two segments, and what it held after each call. */
interface Fixture {
  readonly files: Map<string, Uint8Array>;
  readonly after: string[];
  /** Where the last commit begins and the log ends. */
  readonly lastCommit: { readonly start: number; readonly end: number };
}

async function makeLog(closed: boolean): Promise<Fixture> {
  const disk = new CrashDisk();
  const log = await openWalrus(options, { fileSystem: disk });
  const model = new Model();
  const after = [""];
  let start = 0;
  for (const operations of calls) {
    model.apply(operations);
    after.push(model.describe());
    start = disk.files().get(SECOND)?.length ?? 0;
    await log.appendBatch(operations);
  }
  if (closed) await log.close();
  const files = disk.files();
  expect([...files.keys()]).toEqual(closed ? [FIRST, SECOND, MARK] : [FIRST, SECOND]);
  return { files, after, lastCommit: { start, end: files.get(SECOND)?.length ?? 0 } };
}

const FIRST = "/log/0000000000000001.wal";
const SECOND = "/log/0000000000000002.wal";
const MARK = "/log/closed.mark";

let closedLog: Fixture;
let openLog: Fixture;
beforeAll(async () => {
  closedLog = await makeLog(true);
  openLog = await makeLog(false);
});

type Outcome = { readonly opened: string } | { readonly refused: WalrusErrorCode; readonly message: string } | { readonly unread: string };

function sameFiles(left: ReadonlyMap<string, Uint8Array>, right: ReadonlyMap<string, Uint8Array>): boolean {
  return left.size === right.size && [...left].every(([path, bytes]) => Buffer.compare(bytes, right.get(path) ?? bytes.subarray(1)) === 0);
}

/** Opens a log from files, and reads all of it. A refusal must leave the files, and the lock, as they were. */
async function tryOpen(files: ReadonlyMap<string, Uint8Array>, verifyOnOpen: "tail" | "all" = "tail"): Promise<Outcome> {
  const disk = new CrashDisk(files);
  let log: Awaited<ReturnType<typeof openWalrus>>;
  try {
    log = await openWalrus({ ...options, verifyOnOpen }, { fileSystem: disk });
  } catch (error) {
    if (!isWalrusError(error)) throw error;
    if (!sameFiles(disk.files(), files) || disk.isLocked) throw new Error(`a refusal changed the directory: ${error.message}`);
    return { refused: error.code, message: error.message };
  }
  try {
    return { opened: await describeLog(log) };
  } catch (error) {
    if (!isWalrusError(error, "OCTOPII_WALRUS_CORRUPT")) throw error;
    return { unread: error.message };
  }
}

function withFile(files: ReadonlyMap<string, Uint8Array>, path: string, bytes: Uint8Array): Map<string, Uint8Array> {
  return new Map(files).set(path, bytes);
}

function fileOf(fixture: Fixture, path: string): Uint8Array {
  const bytes = fixture.files.get(path);
  if (bytes === undefined) throw new Error(`${path} is not in the log`);
  return bytes;
}

const SENTENCE = /^\/log\/\S+ is corrupt at offset \d+: .+\. Nothing was changed; .+\.$/;

/** As an assertion, but cheap enough for tens of thousands of calls. */
function expectCorrupt(outcome: Outcome, what: string): void {
  const right = "refused" in outcome && outcome.refused === "OCTOPII_WALRUS_CORRUPT" && SENTENCE.test(outcome.message);
  if (!right) expect.fail(`${what}: ${JSON.stringify(outcome)}`);
}

interface Flip {
  readonly path: string;
  readonly at: number;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function flipEveryByte(fixture: Fixture, check: (flip: Flip) => Promise<void>): Promise<number> {
  const random = seededRandom(11);
  let flips = 0;
  for (const [path, bytes] of fixture.files) {
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      await check({ path, at, files: withFile(fixture.files, path, flipped) });
      flips++;
    }
  }
  return flips;
}

/** What a flip in a sealed segment may lead to: a refusal, a read that says so, or nothing at all where no live entry is touched. */
function expectNoWrongData(outcome: Outcome, right: string, what: string): keyof typeof seen {
  if ("refused" in outcome) {
    expectCorrupt(outcome, what);
    return "refused";
  }
  if ("unread" in outcome) return "unread";
  if (outcome.opened !== right) expect.fail(`${what}: wrong data\n${outcome.opened}\ninstead of\n${right}`);
  return "harmless";
}

const seen = { refused: 0, unread: 0, harmless: 0 };

async function expectFound(files: ReadonlyMap<string, Uint8Array>, what: string): Promise<void> {
  const report = await verifyWalrus("/log", {}, { fileSystem: new CrashDisk(files) });
  if (report.sound || report.problem === null) expect.fail(`${what}: verify found nothing`);
}

test("in a log that was closed, a flip of any byte in any file is refused, reported by a read, or harmless; verify finds each", {
  timeout: 120_000,
}, async () => {
  const right = closedLog.after.at(-1) ?? "";
  const counts = { ...seen };
  const flips = await flipEveryByte(closedLog, async ({ path, at, files }) => {
    const what = `${path} flipped at ${at}`;
    counts[expectNoWrongData(await tryOpen(files), right, what)]++;
    if (path !== FIRST) expectCorrupt(await tryOpen(files), what);
    await expectFound(files, what);
  });
  expect(counts.refused + counts.unread + counts.harmless).toBe(flips);
  expect(flips).toBe([...closedLog.files.values()].reduce((sum, bytes) => sum + bytes.length, 0));
  expect(counts.unread).toBeGreaterThan(1000);
  expect(counts.refused).toBeGreaterThan(1000);
});

test.each(["closed", "not closed"])(
  "where all is to be verified, every flip in a log that was %s is refused, but one in an open log's last commit",
  async (state) => {
    const fixture = state === "closed" ? closedLog : openLog;
    const { start } = openLog.lastCommit;
    await flipEveryByte(fixture, async ({ path, at, files }) => {
      const outcome = await tryOpen(files, "all");
      if (state === "not closed" && path === SECOND && at >= start) expect(outcome).toEqual({ opened: openLog.after.at(-2) });
      else expectCorrupt(outcome, `${path} flipped at ${at}`);
    });
  },
  120_000,
);

test("in a log that was not closed, only a flip in the very last commit passes for a torn write", { timeout: 120_000 }, async () => {
  const { start, end } = openLog.lastCommit;
  const right = openLog.after.at(-1) ?? "";
  let passed = 0;
  await flipEveryByte(openLog, async ({ path, at, files }) => {
    const what = `${path} flipped at ${at}`;
    const outcome = await tryOpen(files);
    if (path === SECOND && at >= start) {
      expect(outcome).toEqual({ opened: openLog.after.at(-2) });
      passed++;
      return;
    }
    if (path === SECOND) expectCorrupt(outcome, what);
    else expectNoWrongData(outcome, right, what);
    await expectFound(files, what);
  });
  expect(passed).toBe(end - start);
});

test("a repair of any flipped byte leaves a log that opens, holds what it held at some moment, and keeps a copy of what it changed", {
  timeout: 120_000,
}, async () => {
  const counts = { whole: 0, cut: 0, hopeless: 0 };
  const random = seededRandom(12);
  await flipEveryByte(closedLog, async ({ path, at, files }) => {
    if (random() > 0.25) return;
    const what = `${path} flipped at ${at}`;
    const disk = new CrashDisk(files);
    const report = await repairWalrus("/log", {}, { fileSystem: disk }).catch((error: unknown) => {
      if (!isWalrusError(error, "OCTOPII_WALRUS_CORRUPT")) throw error;
      return null;
    });
    expect(disk.isLocked).toBe(false);
    if (report === null) {
      counts.hopeless++;
      if (path !== FIRST) expect.fail(`${what}: given up`);
      return;
    }
    if (!report.changed || report.backup === null) expect.fail(`${what}: nothing was changed`);
    const kept = disk.files().get(`${report.backup}${path.slice("/log".length)}`);
    if (kept !== undefined && Buffer.compare(kept, files.get(path) ?? kept) !== 0) expect.fail(`${what}: the copy is another`);
    const found = await describeLog(await openWalrus(options, { fileSystem: disk }));
    const moment = closedLog.after.lastIndexOf(found);
    if (moment === -1) expect.fail(`${what}: holds what it never held\n${found}`);
    if (moment === closedLog.after.length - 1) counts.whole++;
    else counts.cut++;
    if (moment < closedLog.after.length - 1 && report.lostBytes === 0) expect.fail(`${what}: does not say what was lost`);
  });
  expect(counts.whole).toBeGreaterThan(50);
  expect(counts.cut).toBeGreaterThan(500);
  expect(counts.hopeless).toBeLessThan(100);
});

test("a closed log is refused when any of its files is cut, at whatever length", { timeout: 60_000 }, async () => {
  for (const [path, bytes] of closedLog.files) {
    for (let length = 0; length < bytes.length; length++) {
      expectCorrupt(await tryOpen(withFile(closedLog.files, path, bytes.subarray(0, length))), `${path} cut at ${length}`);
    }
  }
});

test("a log that was not closed and is cut at any length holds whole calls, from the first on, or is refused", {
  timeout: 60_000,
}, async () => {
  // What a sealed segment has lost at its end, it has lost of its trailer.
  const first = fileOf(openLog, FIRST);
  for (let length = 0; length < first.length; length++) {
    expectCorrupt(await tryOpen(withFile(openLog.files, FIRST, first.subarray(0, length))), `${FIRST} cut at ${length}`);
  }
  const second = fileOf(openLog, SECOND);
  const opened = new Set<string>();
  for (let length = 0; length <= second.length; length++) {
    const outcome = await tryOpen(withFile(openLog.files, SECOND, second.subarray(0, length)));
    if ("opened" in outcome) {
      expect(openLog.after).toContain(outcome.opened);
      opened.add(outcome.opened);
    } else {
      expect(opened.size, "its head is never cut by a crash").toBe(0);
    }
  }
  expect([...opened]).toEqual(openLog.after.slice(-opened.size));
  expect(opened.size).toBeGreaterThan(2);
});

test("bytes after the end are cut if the log was not closed, and refused if it was", async () => {
  for (const garbage of [new Uint8Array(5), new Uint8Array(3000), payload("garbage", 200)]) {
    const open = withFile(openLog.files, SECOND, Buffer.concat([fileOf(openLog, SECOND), garbage]));
    expect(await tryOpen(open)).toEqual({ opened: openLog.after.at(-1) });
    const closed = withFile(closedLog.files, SECOND, Buffer.concat([fileOf(closedLog, SECOND), garbage]));
    expect(await tryOpen(closed)).toMatchObject({ refused: "OCTOPII_WALRUS_CORRUPT" });
    const sealed = withFile(openLog.files, FIRST, Buffer.concat([fileOf(openLog, FIRST), garbage]));
    expect(await tryOpen(sealed)).toMatchObject({ refused: "OCTOPII_WALRUS_CORRUPT" });
  }
});

test("a frame of an older state of the log, put in its place, is refused", async () => {
  // The same calls in another log: every byte of it is valid there.
  const other = await makeLog(false);
  for (const path of [FIRST, SECOND]) {
    expect(await tryOpen(withFile(openLog.files, path, fileOf(other, path)))).toMatchObject({ refused: "OCTOPII_WALRUS_CORRUPT" });
  }
  const swapped = new Map([
    [FIRST, fileOf(openLog, SECOND)],
    [SECOND, fileOf(openLog, FIRST)],
  ]);
  expect(await tryOpen(swapped)).toMatchObject({ refused: "OCTOPII_WALRUS_CORRUPT" });
});

test("a damaged byte before the last commit is reported with file, offset and what is wrong", async () => {
  const bytes = fileOf(openLog, SECOND).slice();
  const at = Buffer.from(bytes).indexOf("<c1>");
  bytes[at] = 0;
  const disk = new CrashDisk(withFile(openLog.files, SECOND, bytes));
  const error = await openWalrus(options, { fileSystem: disk }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "OCTOPII_WALRUS_CORRUPT",
    details: { file: SECOND, offset: at - 24, problem: expect.stringContaining("the checksum of a record does not match") },
  });
});

test("a cut tail is logged with its place, and without a claim about where it came from", async () => {
  const bytes = fileOf(openLog, SECOND).slice(0, -1);
  const lines: unknown[] = [];
  const quiet = (): void => undefined;
  const warn = (fields: unknown, message: string): void => void lines.push([fields, message]);
  const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet };
  const log = await openWalrus(options, { fileSystem: new CrashDisk(withFile(openLog.files, SECOND, bytes)), logger });
  const { start } = openLog.lastCommit;
  expect(log.status().recovery).toEqual({ clean: false, tornBytes: bytes.length - start });
  const words = expect.stringMatching(/an interrupted write, or damage to the last commit, which looks the same$/);
  expect(lines).toEqual([[{ file: SECOND, offset: start, bytes: bytes.length - start }, words]]);
});
