import { expect, test } from "vitest";
import { setUint64, viewOf } from "../src/format/bytes.js";
import { openHasher } from "../src/format/hasher.js";
import { openWalrus } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";
import { describeLog, payload } from "./support/model.js";

const options = { directory: "/log", segmentBytes: 4096 };
const path = (number: number): string => `/log/${String(number).padStart(16, "0")}.wal`;

/** Five segments: each holds one entry of topic `a`. */
async function fiveSegments(closed: boolean): Promise<Map<string, Uint8Array>> {
  const disk = new CrashDisk();
  const log = await openWalrus(options, { fileSystem: disk });
  for (let index = 1; index <= 5; index++) await log.append("a", payload(`a${index}`, 3000));
  expect(log.status()).toMatchObject({ segments: 5, firstSegment: 1, lastSegment: 5 });
  if (closed) await log.close();
  return disk.files();
}

/** Nothing is changed by a refusal, not even what a crash left half made. */
async function expectRefusal(files: Map<string, Uint8Array>, code: string, message: RegExp): Promise<void> {
  files.set(`${path(9)}.tmp`, payload("half a segment"));
  const disk = new CrashDisk(files);
  const opening = openWalrus(options, { fileSystem: disk });
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(disk.files()).toEqual(files);
}

test.each([1, 2, 3, 4])("segment %i missing from five is corruption, and the message names it", async (number) => {
  const files = await fiveSegments(false);
  files.delete(path(number));
  await expectRefusal(files, "OCTOPII_WALRUS_CORRUPT", new RegExp(`^${path(number)} is missing: `));
});

test("the last segment missing from a closed log is corruption, and so are all of them", async () => {
  const files = await fiveSegments(true);
  files.delete(path(5));
  await expectRefusal(files, "OCTOPII_WALRUS_CORRUPT", new RegExp(`^${path(5)} is missing: `));
  for (let number = 1; number < 5; number++) files.delete(path(number));
  await expectRefusal(files, "OCTOPII_WALRUS_CORRUPT", new RegExp(`^${path(5)} is missing: `));
});

test("a segment more than a closed log had is corruption", async () => {
  const files = await fiveSegments(true);
  const disk = new CrashDisk(files);
  const log = await openWalrus(options, { fileSystem: disk });
  await log.append("a", payload("a6", 3000));
  const longer = disk.files().set("/log/closed.mark", files.get("/log/closed.mark") ?? new Uint8Array(0));
  await expectRefusal(longer, "OCTOPII_WALRUS_CORRUPT", /the log was closed, it ended with 0000000000000005\.wal/);
});

test("a truncated topic needs none of the segments before it", async () => {
  const disk = new CrashDisk();
  const log = await openWalrus(options, { fileSystem: disk });
  for (let index = 1; index <= 5; index++) await log.append("a", payload(`a${index}`, 3000));
  await log.truncateFront("a", 4);
  await log.close();
  expect([...disk.files().keys()]).toEqual([path(4), path(5), "/log/closed.mark"]);
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.bounds("a")).toEqual({ first: 4, next: 6 });
  expect(await describeLog(reopened)).toContain("a 4: ");
});

test.each([
  ["version", 8, "format version 9"],
  ["features", 12, "features 0x9"],
])("an unknown %s is refused in a sentence", async (_, at, words) => {
  const hasher = await openHasher();
  const files = await fiveSegments(true);
  const bytes = files.get(path(1))?.slice() ?? new Uint8Array(0);
  bytes[at] = 9;
  viewOf(bytes).setBigUint64(56, hasher.hash(bytes.subarray(0, 56), 0n), true);
  files.set(path(1), bytes);
  const message = new RegExp(`^${path(1)} has ${words}, which this release does not read; .+\\.$`);
  await expectRefusal(files, "OCTOPII_WALRUS_UNSUPPORTED_VERSION", message);
});

test("a mark of a later version is refused in a sentence", async () => {
  const hasher = await openHasher();
  const files = await fiveSegments(true);
  const bytes = files.get("/log/closed.mark")?.slice() ?? new Uint8Array(0);
  bytes[8] = 9;
  viewOf(bytes).setBigUint64(56, hasher.hash(bytes.subarray(0, 56), 0n), true);
  await expectRefusal(files.set("/log/closed.mark", bytes), "OCTOPII_WALRUS_UNSUPPORTED_VERSION", /format version 9/);
});

test("a segment under another name is corruption, even where its checksums are right", async () => {
  const hasher = await openHasher();
  const files = await fiveSegments(true);
  const bytes = files.get(path(1))?.slice() ?? new Uint8Array(0);
  setUint64(viewOf(bytes), 16, 7);
  viewOf(bytes).setBigUint64(56, hasher.hash(bytes.subarray(0, 56), 0n), true);
  await expectRefusal(files.set(path(1), bytes), "OCTOPII_WALRUS_CORRUPT", /segment 7 by its header, but 1 by its name/);
});

test("temporary files of a crashed roll are removed, and files of others are left alone", async () => {
  const files = await fiveSegments(false);
  const foreign = payload("not ours");
  files
    .set(`${path(6)}.tmp`, payload("half a segment"))
    .set("/log/README", foreign)
    .set("/log/123.wal", foreign)
    .set("/log/x.tmp", foreign);
  const disk = new CrashDisk(files);
  const log = await openWalrus(options, { fileSystem: disk });
  await log.append("a", payload("a6", 3000));
  await log.close();
  const names = [...disk.files().keys()];
  expect(names).not.toContain(`${path(6)}.tmp`);
  expect(names).toEqual(expect.arrayContaining(["/log/README", "/log/123.wal", "/log/x.tmp"]));
});
