import { expect, test } from "vitest";
import { openWalrus, type Walrus } from "../src/index.js";
import { CrashDisk, type Operation, seededRandom } from "./support/crash-disk.js";
import { describeLog, payload } from "./support/model.js";

const options = { directory: "/log", segmentBytes: 4096 };
const failure = (code: string): Error => Object.assign(new Error(`${code}: made to fail`), { code });

function failOnce(disk: CrashDisk, operation: Operation, path: RegExp, code = "EIO"): void {
  disk.fault = (done, at) => {
    if (done !== operation || !path.test(at)) return null;
    disk.fault = null;
    return failure(code);
  };
}

async function opened(): Promise<{ disk: CrashDisk; log: Walrus }> {
  const disk = new CrashDisk();
  const log = await openWalrus(options, { fileSystem: disk });
  await log.append("a", payload("a1"));
  return { disk, log };
}

async function expectPoisoned(log: Walrus): Promise<void> {
  const poisoned = { code: "OCTOPII_WALRUS_POISONED", outcome: "failed" };
  await expect(log.append("a", payload("x"))).rejects.toMatchObject(poisoned);
  await expect(log.appendBatch([{ topic: "b", append: [payload("x")] }])).rejects.toMatchObject(poisoned);
  await expect(log.truncateFront("a", 2)).rejects.toMatchObject(poisoned);
  await expect(log.flush()).rejects.toMatchObject(poisoned);
  await expect(log.read("a", 1)).rejects.toMatchObject(poisoned);
  expect(log.status()).toMatchObject({ state: "poisoned", queuedBytes: 0 });
}

test("a write that fails poisons the log: its callers cannot know, those behind it failed, and so does everything later", async () => {
  const { disk, log } = await opened();
  const behind: Promise<unknown>[] = [];
  failOnce(disk, "write", /\.wal$/);
  disk.onIo = async (operation) => {
    if (operation !== "write") return;
    disk.onIo = null;
    behind.push(log.append("a", payload("behind")), log.truncateFront("a", 2), log.flush());
  };
  const results = await Promise.allSettled([log.append("a", payload("a2")), log.append("b", payload("b1"))]);
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "OCTOPII_WALRUS_IO_FAILED", outcome: "unknown" } });
  }
  const later = await Promise.allSettled(behind);
  expect(later).toHaveLength(3);
  for (const result of later) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "OCTOPII_WALRUS_IO_FAILED", outcome: "failed" } });
  }
  await expectPoisoned(log);
  await log.close();
  expect([...disk.files().keys()], "a poisoned log gets no mark of a clean close").toEqual(["/log/0000000000000001.wal"]);
});

test("what a failed write left behind is on stable storage before the reopened log says that it is there", async () => {
  const { disk, log } = await opened();
  failOnce(disk, "write", /\.wal$/);
  await expect(log.append("a", payload("a2"))).rejects.toMatchObject({ outcome: "unknown" });
  await log.close();
  // The system took the failed pages for clean: readers see them, and no later flush writes them.
  disk.forgetPending();
  const reopened = await openWalrus(options, { fileSystem: disk });
  const seen = await describeLog(reopened);
  expect(reopened.bounds("a").next).toBe(3);
  for (const crashed of disk.crashes(seededRandom(1))) {
    expect(await describeLog(await openWalrus(options, { fileSystem: crashed }))).toBe(seen);
  }
});

test.each<[string, Operation, RegExp]>([
  ["the seal", "write", /1\.wal$/],
  ["the head of the next segment", "write", /2\.wal\.tmp$/],
  ["the flush of the head", "sync", /2\.wal\.tmp$/],
  ["its creation", "open", /2\.wal\.tmp$/],
  ["its renaming", "rename", /2\.wal$/],
  ["the flush of the directory", "syncDirectory", /./],
])("a failure of %s while a segment rolls poisons the log, and nothing of the waiting calls was written", async (_, operation, path) => {
  const { disk, log } = await opened();
  await log.append("a", payload("a2", 3700));
  failOnce(disk, operation, path, "ENOSPC");
  const results = await Promise.allSettled([log.append("a", payload("a3", 200)), log.append("a", payload("a4"))]);
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "OCTOPII_WALRUS_IO_FAILED", outcome: "failed" } });
  }
  await expectPoisoned(log);
  await log.close();
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.bounds("a")).toEqual({ first: 1, next: 3 });
  expect(await reopened.append("a", payload("a3", 200))).toBe(3);
  await reopened.close();
});

test("a segment that cannot be removed is tried again later; a removal that cannot be flushed poisons", async () => {
  const { disk, log } = await opened();
  await log.append("a", payload("a2", 3600));
  await log.append("a", payload("a3", 3000));
  disk.fault = (operation) => (operation === "remove" ? failure("EBUSY") : null);
  await log.truncateFront("a", 3);
  await log.append("a", payload("a4", 10));
  expect(log.status()).toMatchObject({ state: "open", firstSegment: 1, segments: 2 });
  disk.fault = null;
  await log.append("a", payload("a5", 3000));
  await log.append("a", payload("a6", 10));
  await expect.poll(() => log.status().firstSegment).toBe(2);
  await log.truncateFront("a", 4);
  failOnce(disk, "syncDirectory", /./);
  await log.truncateFront("a", 5);
  await expect.poll(() => log.status().state).toBe("poisoned");
  await expectPoisoned(log);
  await log.close();
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.bounds("a")).toEqual({ first: 5, next: 7 });
});

test("a read that fails rejects and leaves the log as it is", async () => {
  const { disk, log } = await opened();
  failOnce(disk, "read", /\.wal$/);
  await expect(log.read("a", 1)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED" });
  expect((await log.read("a", 1)).length).toBe(1);
  await log.close();
  const reopened = await openWalrus(options, { fileSystem: disk });
  failOnce(disk, "open", /\.wal$/, "EMFILE");
  await expect(reopened.read("a", 1)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED", cause: { code: "EMFILE" } });
  expect((await reopened.read("a", 1)).length).toBe(1);
  expect(await reopened.append("a", payload("a2"))).toBe(2);
});

test("a read checks the bytes that it reads", async () => {
  const { disk, log } = await opened();
  await log.append("a", payload("secret"));
  disk.overwrite("/log/0000000000000001.wal", Buffer.from(disk.files().get("/log/0000000000000001.wal") ?? []).indexOf("secret"), 0);
  expect((await log.read("a", 1, { maxEntries: 1 })).length).toBe(1);
  await expect(log.read("a", 1)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT", message: expect.stringContaining("entry 2") });
});

test.each<[Operation, RegExp]>([
  ["read", /\.wal$/],
  ["open", /\.wal$/],
  ["remove", /\.mark$/],
  ["syncDirectory", /./],
])("a failure of %s while a log opens rejects, releases the lock and loses nothing", async (operation, path) => {
  const { disk, log } = await opened();
  await log.close();
  failOnce(disk, operation, path);
  await expect(openWalrus(options, { fileSystem: disk })).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED" });
  expect(disk.isLocked).toBe(false);
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.bounds("a")).toEqual({ first: 1, next: 2 });
});

test("a close that cannot leave its mark rejects and releases the directory", async () => {
  const { disk, log } = await opened();
  failOnce(disk, "write", /mark/, "ENOSPC");
  await expect(log.close()).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED" });
  expect(disk.isLocked).toBe(false);
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.status().recovery.clean).toBe(false);
  expect(reopened.bounds("a")).toEqual({ first: 1, next: 2 });
});

test("a payload that was transferred away while it waited fails the flush instead of corrupting the log", async () => {
  const { disk, log } = await opened();
  const large = new Uint8Array(100_000);
  const appended = log.append("a", large);
  structuredClone(large.buffer, { transfer: [large.buffer] });
  await expect(appended).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED", outcome: "failed" });
  await log.close();
  const reopened = await openWalrus(options, { fileSystem: disk });
  expect(reopened.bounds("a")).toEqual({ first: 1, next: 2 });
});
