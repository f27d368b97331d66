import { expect, test } from "vitest";
import { type BatchOperation, isWalrusError, openWalrus, type Walrus, WalrusError, type WalrusOptions } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";
import { payload } from "./support/model.js";

async function open(options: Partial<WalrusOptions> = {}, disk: CrashDisk = new CrashDisk()): Promise<Walrus> {
  return openWalrus({ directory: "/log", ...options }, { fileSystem: disk });
}

async function textsOf(log: Walrus, topic: string, from: number, limits = {}): Promise<string[]> {
  return (await log.read(topic, from, limits)).map((entry) => `${entry.index}:${Buffer.from(entry.payload)}`);
}

test("entries get contiguous indexes from 1, per topic, and come back as they were", async () => {
  const log = await open();
  expect(await log.append("a", payload("x"))).toBe(1);
  expect(await log.append("b", payload("y"))).toBe(1);
  expect(await log.append("a", new Uint8Array(0))).toBe(2);
  expect(await textsOf(log, "a", 1)).toEqual(["1:<x>", "2:"]);
  expect(await textsOf(log, "b", 1)).toEqual(["1:<y>"]);
  expect(log.topics()).toEqual(["a", "b"]);
  expect(log.bounds("a")).toEqual({ first: 1, next: 3 });
  expect(log.bounds("nobody")).toEqual({ first: 1, next: 1 });
  expect(await log.read("nobody", 1)).toEqual([]);
  expect(log.topics()).not.toContain("nobody");
});

test("what is appended in one turn shares one flush, and what comes meanwhile shares the next", async () => {
  const log = await open();
  const order: number[] = [];
  const note = (index: number): void => void order.push(index);
  const first = Array.from({ length: 500 }, () => log.append("a", payload("x")).then(note));
  await new Promise((resolve) => setImmediate(resolve));
  const second = Array.from({ length: 500 }, () => log.append("a", payload("x")).then(note));
  await Promise.all([...first, ...second]);
  expect(log.status()).toMatchObject({ flushes: 2, records: 1001, queuedBytes: 0 });
  expect(order).toEqual(Array.from({ length: 1000 }, (_, at) => at + 1));
});

test("a payload below the vectored size may be changed as soon as append has returned", async () => {
  const log = await open();
  const bytes = new Uint8Array(60_000).fill(1);
  const appended = log.append("a", bytes);
  bytes.fill(2);
  await appended;
  expect((await log.read("a", 1))[0]?.payload.every((byte) => byte === 1)).toBe(true);
});

test("long payloads, alone and between short ones, come back whole, also after a restart", async () => {
  const disk = new CrashDisk();
  const log = await open({}, disk);
  const long = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251);
  const append = [payload("1"), long, payload("2"), long.subarray(0, 65_536), long.subarray(0, 65_535)];
  expect(await log.appendBatch([{ topic: "a", append }])).toEqual([{ first: 1, next: 6 }]);
  for (const opened of [log, await open({}, new CrashDisk(disk.files()))]) {
    const entries = await opened.read("a", 1, { maxBytes: 10_000_000 });
    expect(entries.map((entry) => Buffer.compare(entry.payload, append[entry.index - 1] ?? long))).toEqual([0, 0, 0, 0, 0]);
  }
});

test("a read returns at least one entry, and no more than asked for", async () => {
  const log = await open();
  await log.appendBatch([{ topic: "a", append: ["1", "2", "3", "4", "5"].map((name) => payload(name, 100)) }]);
  const indexes = async (from: number, limits: object): Promise<number[]> =>
    (await log.read("a", from, limits)).map((entry) => entry.index);
  expect(await indexes(1, { maxEntries: 2 })).toEqual([1, 2]);
  expect(await indexes(2, { maxBytes: 250 })).toEqual([2, 3]);
  expect(await indexes(2, { maxBytes: 300 })).toEqual([2, 3, 4]);
  expect(await indexes(4, { maxBytes: 1 })).toEqual([4]);
  expect(await indexes(5, {})).toEqual([5]);
  expect(await indexes(6, {})).toEqual([]);
  expect(await indexes(Number.MAX_SAFE_INTEGER, {})).toEqual([]);
  for (const wrong of [{ maxEntries: 0 }, { maxBytes: 0.5 }]) await expect(log.read("a", 1, wrong)).rejects.toThrow(RangeError);
  for (const from of [0, -1, 1.5, Number.NaN]) await expect(log.read("a", from)).rejects.toThrow(RangeError);
});

test("reads run over the records of other topics, and through many segments", async () => {
  const log = await open({ segmentBytes: 4096 });
  for (let at = 1; at <= 60; at++) {
    await log.appendBatch([
      { topic: "a", append: [payload(`a${at}`)] },
      { topic: "b", append: [payload(`b${at}`, 800)] },
    ]);
  }
  expect(log.status().segments).toBeGreaterThan(10);
  expect(await textsOf(log, "a", 1)).toEqual(Array.from({ length: 60 }, (_, at) => `${at + 1}:<a${at + 1}>`));
  const seen: number[] = [];
  for await (const entry of log.entries("b", 7, { maxEntries: 4 })) seen.push(entry.index);
  expect(seen).toEqual(Array.from({ length: 54 }, (_, at) => at + 7));
  // More segments at once than stay open.
  const reads = await Promise.all(Array.from({ length: 60 }, (_, at) => log.read("b", at + 1, { maxEntries: 1 })));
  expect(reads.map((entries) => entries[0]?.index)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  await log.close();
});

test("truncateBack keeps what is below, and the next append takes its index", async () => {
  const log = await open();
  await log.appendBatch([{ topic: "a", append: ["1", "2", "3", "4"].map((name) => payload(name)) }]);
  await log.truncateBack("a", 3);
  expect(log.bounds("a")).toEqual({ first: 1, next: 3 });
  expect(await log.append("a", payload("3 again"))).toBe(3);
  expect(await textsOf(log, "a", 1)).toEqual(["1:<1>", "2:<2>", "3:<3 again>"]);
  await log.truncateBack("a", 4);
  await log.truncateBack("a", 1000);
  await log.truncateBack("nobody", 1);
  expect(log.bounds("a")).toEqual({ first: 1, next: 4 });
  expect(log.topics()).toEqual(["a"]);
  await log.truncateFront("a", 3);
  const below = { code: "OCTOPII_WALRUS_OUT_OF_RANGE", outcome: "failed", details: { first: 3 } };
  await expect(log.truncateBack("a", 2)).rejects.toMatchObject(below);
  await log.truncateBack("a", 3);
  expect(log.bounds("a")).toEqual({ first: 3, next: 3 });
  expect(await log.append("a", payload("x"))).toBe(3);
});

test("truncateFront keeps what is above, and may pass the end", async () => {
  const log = await open();
  await log.appendBatch([{ topic: "a", append: ["1", "2", "3", "4"].map((name) => payload(name)) }]);
  await log.truncateFront("a", 3);
  expect(await textsOf(log, "a", 3)).toEqual(["3:<3>", "4:<4>"]);
  await expect(log.read("a", 2)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TRUNCATED", details: { first: 3 } });
  await log.truncateFront("a", 2);
  expect(log.bounds("a")).toEqual({ first: 3, next: 5 });
  await log.truncateFront("a", 100);
  expect(log.bounds("a")).toEqual({ first: 100, next: 100 });
  expect(await log.append("a", payload("100"))).toBe(100);
  await log.truncateFront("new", 1);
  expect(log.topics()).toEqual(["a"]);
  await log.truncateFront("new", 7);
  expect(log.bounds("new")).toEqual({ first: 7, next: 7 });
  for (const index of [0, -3, 2.5]) await expect(log.truncateFront("a", index)).rejects.toThrow(RangeError);
});

test("a batch is executed in order, and says which indexes it appended", async () => {
  const log = await open();
  const operations: BatchOperation[] = [
    { topic: "a", append: [payload("1"), payload("2"), payload("3")] },
    { topic: "a", truncateBack: 2 },
    { topic: "a", append: [payload("2 again")] },
    { topic: "b", truncateFront: 10 },
    { topic: "b", append: [payload("10")] },
    { topic: "c", append: [] },
  ];
  expect(await log.appendBatch(operations)).toEqual([
    { first: 1, next: 4 },
    { first: 2, next: 2 },
    { first: 2, next: 3 },
    { first: 10, next: 10 },
    { first: 10, next: 11 },
    { first: 1, next: 1 },
  ]);
  expect(await textsOf(log, "a", 1)).toEqual(["1:<1>", "2:<2 again>"]);
  expect(log.topics()).toEqual(["a", "b"]);
  expect(await log.appendBatch([])).toEqual([]);
});

test("a batch that cannot be done as a whole changes nothing", async () => {
  const log = await open({ maxRecordBytes: 100 });
  await log.append("a", payload("1"));
  await log.truncateFront("a", 2);
  const good: BatchOperation = { topic: "a", append: [payload("2")] };
  const tooLow: BatchOperation = { topic: "a", truncateBack: 1 };
  await expect(log.appendBatch([good, { topic: "new", append: [payload("x")] }, tooLow])).rejects.toMatchObject({ outcome: "failed" });
  await expect(log.appendBatch([good, { topic: "a", append: [payload("x", 101)] }])).rejects.toMatchObject({
    code: "OCTOPII_WALRUS_TOO_LARGE",
    outcome: "failed",
  });
  const wrong = [{ topic: "a", append: new Uint8Array(3) }] as unknown as BatchOperation[];
  await expect(log.appendBatch([good, ...wrong])).rejects.toThrow(TypeError);
  expect(log.bounds("a")).toEqual({ first: 2, next: 2 });
  expect(log.topics()).toEqual(["a"]);
  expect(await log.append("a", payload("2"))).toBe(2);
});

test("bounds count what was taken; reads return what is durable", async () => {
  const log = await open();
  const appended = log.append("a", payload("1"));
  expect(log.bounds("a")).toEqual({ first: 1, next: 2 });
  expect(await log.read("a", 1)).toEqual([]);
  await appended;
  expect((await log.read("a", 1)).length).toBe(1);
});

test("flush resolves after everything that was taken before it, and at once if nothing waits", async () => {
  const log = await open();
  let isAppended = false;
  void log.append("a", payload("1")).then(() => {
    isAppended = true;
  });
  await log.flush();
  expect(isAppended).toBe(true);
  const { flushes } = log.status();
  await log.flush();
  expect(log.status().flushes).toBe(flushes);
});

test("a queue that is full rejects, and takes again when it has drained", async () => {
  const log = await open({ maxRecordBytes: 1000, maxQueuedBytes: 4000 });
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => log.append("a", payload("x", 1000))));
  const rejected = results.filter((result) => result.status === "rejected");
  expect(results.length - rejected.length).toBe(3);
  for (const { reason } of rejected) expect(reason).toMatchObject({ code: "OCTOPII_WALRUS_BUSY", outcome: "failed" });
  expect(await log.append("a", payload("x", 1000))).toBe(4);
  const batch = [{ topic: "a", append: Array.from({ length: 5 }, () => payload("x", 1000)) }];
  await expect(log.appendBatch(batch)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TOO_LARGE" });
});

test("names, payloads and topics have limits", async () => {
  const log = await open({ maxTopics: 2, maxRecordBytes: 10 });
  await expect(log.append("a", payload("", 11))).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TOO_LARGE" });
  await expect(log.append("ä".repeat(128), payload(""))).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TOO_LARGE" });
  for (const name of ["", "\ud800"]) await expect(log.append(name, payload(""))).rejects.toThrow(TypeError);
  await expect(log.append(7 as unknown as string, payload(""))).rejects.toThrow(TypeError);
  await expect(log.append("a", "text" as unknown as Uint8Array)).rejects.toThrow(TypeError);
  expect(log.topics()).toEqual([]);
  await log.append("ä".repeat(127), payload(""));
  await log.append("b", payload(""));
  const tooMany = { code: "OCTOPII_WALRUS_TOO_MANY_TOPICS", outcome: "failed" };
  await expect(log.append("c", payload(""))).rejects.toMatchObject(tooMany);
  await expect(log.appendBatch([{ topic: "c", truncateFront: 5 }])).rejects.toMatchObject(tooMany);
});

test("indexes end at the largest safe integer, and survive a restart there", async () => {
  const disk = new CrashDisk();
  const log = await open({}, disk);
  const last = Number.MAX_SAFE_INTEGER - 1;
  await log.truncateFront("a", last);
  expect(await log.append("a", payload("last"))).toBe(last);
  await expect(log.append("a", payload("x"))).rejects.toMatchObject({ code: "OCTOPII_WALRUS_OUT_OF_RANGE", outcome: "failed" });
  await expect(log.truncateFront("a", Number.MAX_SAFE_INTEGER + 1)).rejects.toThrow(RangeError);
  await log.close();
  const reopened = await open({}, disk);
  expect(await textsOf(reopened, "a", last)).toEqual([`${last}:<last>`]);
});

test("segments in which nothing is live are removed, oldest first; the entries of a slow topic are moved out of the way", async () => {
  const disk = new CrashDisk();
  const log = await open({ segmentBytes: 4096 }, disk);
  for (let at = 1; at <= 20; at++) await log.append("a", payload(`${at}`, 1500));
  await log.append("slow", payload("here"));
  const slowSegment = log.status().lastSegment;
  for (let at = 21; at <= 40; at++) await log.append("a", payload(`${at}`, 1500));
  const { lastSegment } = log.status();
  await log.truncateFront("a", 40);
  await expect.poll(() => log.status().firstSegment).toBeGreaterThan(slowSegment);
  await expect.poll(() => log.status().segments).toBeLessThanOrEqual(2);
  expect(log.status().firstSegment).toBeGreaterThanOrEqual(lastSegment);
  expect(await textsOf(log, "slow", 1)).toEqual(["1:<here>"]);
  expect(await textsOf(await open({ segmentBytes: 4096 }, new CrashDisk(disk.files())), "slow", 1)).toEqual(["1:<here>"]);
  await log.truncateFront("slow", 2);
  const files = [...disk.files()].filter(([path]) => path.endsWith(".wal"));
  expect(files.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBe(log.status().bytes);
  expect(await textsOf(log, "a", 40)).toHaveLength(1);
  expect(log.bounds("slow")).toEqual({ first: 2, next: 2 });
});

test("a read that has begun ends with what it saw, whatever is truncated meanwhile", async () => {
  const disk = new CrashDisk();
  const log = await open({ segmentBytes: 4096 }, disk);
  for (let at = 1; at <= 6; at++) await log.append("a", payload(`${at}`, 3000));
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  disk.onIo = (operation) => (operation === "read" ? held : Promise.resolve());
  const reading = log.read("a", 1);
  await log.truncateFront("a", 6);
  await log.append("b", payload("x"));
  release();
  expect((await reading).map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5, 6]);
  await expect.poll(() => log.status().segments).toBe(1);
});

test("close makes everything durable, refuses more, and may be called again", async () => {
  const disk = new CrashDisk();
  const log = await open({}, disk);
  const appended = log.append("a", payload("1"));
  const closing = log.close();
  expect(log.status().state).toBe("closing");
  const closed = { code: "OCTOPII_WALRUS_CLOSED", outcome: "failed" };
  await expect(log.append("a", payload("2"))).rejects.toMatchObject(closed);
  await expect(log.flush()).rejects.toMatchObject(closed);
  await expect(log.read("a", 1)).rejects.toMatchObject(closed);
  expect(await appended).toBe(1);
  await closing;
  expect(log.close()).toBe(closing);
  await log[Symbol.asyncDispose]();
  expect(log.status()).toMatchObject({ state: "closed", queuedBytes: 0 });
  expect(disk.isLocked).toBe(false);
  expect((await open({}, disk)).status().recovery).toEqual({ clean: true, tornBytes: 0 });
});

test("a directory that is in use is refused", async () => {
  const disk = new CrashDisk();
  const log = await open({}, disk);
  await expect(open({}, disk)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_LOCKED", message: expect.stringContaining("process 1") });
  await log.close();
  await (await open({}, disk)).close();
});

test("options that cannot work are refused, all problems at once", async () => {
  const wrong = { directory: "", segmentBytes: 1, maxRecordBytes: 2 ** 30, maxQueuedBytes: 1000.5, maxTopics: 0 };
  const error: unknown = await openWalrus(wrong).catch((reason: unknown) => reason);
  expect(isWalrusError(error, "OCTOPII_WALRUS_INVALID_OPTIONS")).toBe(true);
  for (const name of Object.keys(wrong)) expect(String(error)).toContain(name);
});

test("isWalrusError goes by the shape, not by the class", () => {
  const foreign = Object.assign(new Error("x"), { code: "OCTOPII_WALRUS_BUSY" });
  expect(isWalrusError(foreign)).toBe(true);
  expect(isWalrusError(foreign, "OCTOPII_WALRUS_BUSY")).toBe(true);
  expect(isWalrusError(foreign, "OCTOPII_WALRUS_CLOSED")).toBe(false);
  expect(isWalrusError(new WalrusError("OCTOPII_WALRUS_CLOSED", "x"))).toBe(true);
  for (const other of [null, "OCTOPII_WALRUS_BUSY", new Error("x"), { code: "OCTOPII_WALRUS_BUSY" }])
    expect(isWalrusError(other)).toBe(false);
});
