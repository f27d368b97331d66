import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openWalrus, type Walrus, type WalrusOptions } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";
import { payload } from "./support/model.js";

async function open(options: Partial<WalrusOptions> = {}, disk: CrashDisk = new CrashDisk()): Promise<Walrus> {
  return openWalrus({ directory: "/log", segmentBytes: 4096, ...options }, { fileSystem: disk });
}

const indexes = (entries: readonly { index: number }[]): number[] => entries.map(({ index }) => index);

async function filled(count: number, options: Partial<WalrusOptions> = {}, disk = new CrashDisk()): Promise<Walrus> {
  const log = await open(options, disk);
  for (let at = 1; at <= count; at++) {
    await log.appendBatch([
      { topic: "a", append: [payload(`a${at}`, 200)] },
      { topic: "b", append: [payload(`b${at}`, 90)] },
    ]);
  }
  return log;
}

test("entries are read backwards, by index and in batches, through sealed segments and after a restart", async () => {
  const disk = new CrashDisk();
  const first = await filled(60, {}, disk);
  expect(first.status().segments).toBeGreaterThan(4);
  for (const log of [first, await open({}, new CrashDisk(disk.files()))]) {
    expect(indexes(await log.readReverse("a", 1000, { maxEntries: 3 }))).toEqual([60, 59, 58]);
    expect(indexes(await log.readReverse("a", 2))).toEqual([2, 1]);
    expect(indexes(await log.readReverse("a", 40, { maxEntries: 100 }))).toEqual(Array.from({ length: 40 }, (_, at) => 40 - at));
    expect(indexes(await log.readReverse("a", 30, { maxBytes: 500 }))).toEqual([30, 29]);
    expect(await log.readReverse("nobody", 5)).toEqual([]);
    for (const index of [1, 17, 42, 60])
      expect(await log.get("b", index)).toEqual({ index, payload: new Uint8Array(payload(`b${index}`, 90)) });
    expect(await log.get("b", 61)).toBe(null);
    expect(await log.get("nobody", 1)).toBe(null);
    expect(log.count("a")).toBe(60);
  }
  await first.truncateFront("a", 50);
  expect(await first.get("a", 49)).toBe(null);
  expect(indexes(await first.readReverse("a", 60))).toEqual([60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50]);
  await expect(first.readReverse("a", 49)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TRUNCATED" });
});

test("a small index cache gives the same entries", async () => {
  const disk = new CrashDisk();
  await (await filled(60, {}, disk)).close();
  const log = await open({ indexCacheBytes: 1024 * 1024 }, disk);
  for (let round = 0; round < 2; round++) {
    const seen: number[] = [];
    for await (const { index, payload: found } of log.entries("b", 1, { maxEntries: 7 })) {
      expect(Buffer.from(found).toString()).toContain(`<b${index}>`);
      seen.push(index);
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  }
});

test("a tail gives what is there and then what comes, in order, until its signal or the close", async () => {
  const log = await open();
  await log.append("a", payload("1"));
  const seen: number[] = [];
  const following = (async () => {
    for await (const { index } of log.tail("a", 1)) seen.push(index);
  })();
  for (let at = 2; at <= 30; at++) await log.append(at % 3 === 0 ? "other" : "a", payload(`${at}`, 300));
  await expect.poll(() => seen.length).toBe(20);
  const controller = new AbortController();
  const aborted = log.tail("a", 1000, { signal: controller.signal }).next();
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  await log.close();
  await following;
  expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
});

test("a tail of a topic that is truncated below its place says so, and a poisoned log ends it with the reason", async () => {
  const disk = new CrashDisk();
  const log = await filled(3, {}, disk);
  const tail = log.tail("a", 1, { maxEntries: 1 });
  expect(await tail.next()).toMatchObject({ value: { index: 1 } });
  await log.truncateFront("a", 3);
  await expect(tail.next()).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TRUNCATED" });
  const waiting = log.tail("a", 4).next();
  disk.fault = (operation) => (operation === "write" ? new Error("EIO: made to fail") : null);
  await expect(log.append("a", payload("x"))).rejects.toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED" });
  await expect(waiting).rejects.toMatchObject({ code: "OCTOPII_WALRUS_POISONED" });
});

test("a strictly-at-once cursor has stored its place before it gives entries; a peek moves nothing", async () => {
  const disk = new CrashDisk();
  const log = await filled(10, {}, disk);
  const cursor = log.cursor("a", "worker");
  expect(indexes(await cursor.peek({ maxEntries: 2 }))).toEqual([1, 2]);
  expect(log.cursors("a").size).toBe(0);
  expect(indexes(await cursor.consume({ maxEntries: 4 }))).toEqual([1, 2, 3, 4]);
  expect(cursor.position).toBe(5);
  const [left, right] = await Promise.all([cursor.consume({ maxEntries: 2 }), cursor.consume({ maxEntries: 2 })]);
  expect([...indexes(left), ...indexes(right)]).toEqual([5, 6, 7, 8]);
  const crashed = await open({}, new CrashDisk(disk.files()));
  expect(indexes(await crashed.cursor("a", "worker").consume())).toEqual([9, 10]);
  expect(indexes(await crashed.cursor("a", "another").peek({ maxEntries: 1 }))).toEqual([1]);
  expect(await crashed.cursor("a", "worker").consume()).toEqual([]);
  await crashed.dropCursor("a", "worker");
  expect(crashed.cursors("a").size).toBe(0);
  expect(crashed.cursor("a", "worker").position).toBe(1);
});

test("an at-least-once cursor stores its place every so often, on demand, and at the close", async () => {
  const disk = new CrashDisk();
  const log = await filled(30, {}, disk);
  const cursor = log.cursor("a", "worker", { mode: "at-least-once", persistEvery: 10 });
  const after = async (): Promise<number | undefined> => (await open({}, new CrashDisk(disk.files()))).cursors("a").get("worker");
  await cursor.consume({ maxEntries: 9 });
  expect(await after()).toBe(undefined);
  await cursor.consume({ maxEntries: 1 });
  expect(await after()).toBe(11);
  await cursor.consume({ maxEntries: 5 });
  expect(await after()).toBe(11);
  await cursor.checkpoint();
  expect(await after()).toBe(16);
  await cursor.consume({ maxEntries: 2 });
  await log.close();
  expect(await after()).toBe(18);
});

test("a cursor stays within its topic, and goes where it is told", async () => {
  const log = await filled(10);
  const cursor = log.cursor("a", "worker");
  await cursor.consume({ maxEntries: 8 });
  await log.truncateBack("a", 5);
  expect(cursor.position).toBe(5);
  expect(log.cursors("a").get("worker")).toBe(5);
  await log.append("a", payload("5 again"));
  expect(indexes(await cursor.consume())).toEqual([5]);
  await log.truncateFront("a", 6);
  await cursor.seek(1);
  expect(cursor.position).toBe(6);
  await cursor.seek(99);
  expect(cursor.position).toBe(6);
  for (const name of ["", "\ud800", "x".repeat(256)]) expect(() => log.cursor("a", name)).toThrow();
});

test("consumed entries go, if the log is told so, once every cursor has passed them", async () => {
  const log = await filled(60, { retention: "consumed" });
  const [one, two] = [log.cursor("a", "one"), log.cursor("a", "two")];
  await two.consume({ maxEntries: 5 });
  await one.consume({ maxEntries: 60 });
  expect(log.bounds("a").first).toBe(1);
  await two.consume({ maxEntries: 45 });
  await expect.poll(() => log.bounds("a").first).toBeGreaterThan(20);
  expect(log.bounds("a").first).toBeLessThanOrEqual(51);
  expect(log.bounds("b").first).toBe(1);
});

test.each(["never", "interval", "bytes"] as const)(
  "under %s an append resolves with the write, a flush is a barrier, and a call may ask for its own",
  async (flush) => {
    const disk = new CrashDisk();
    const log = await open({ flush, flushBytes: 5000, flushIntervalMs: 20, segmentBytes: 65536, fillAheadBytes: 0 }, disk);
    const lost = async (): Promise<number> => {
      const [nothing] = disk.crashes(() => 0, 0, 0);
      return (await open({ segmentBytes: 65536 }, nothing ?? disk)).bounds("a").next;
    };
    await log.append("a", payload("1"));
    expect(log.status()).toMatchObject({ flushes: 0 });
    expect(log.status().unflushedBytes).toBeGreaterThan(0);
    expect(indexes(await log.read("a", 1))).toEqual([1]);
    expect(await lost()).toBe(1);
    await log.flush();
    expect(await lost()).toBe(2);
    await log.append("a", payload("2"), { flush: true });
    expect(await lost()).toBe(3);
    await log.append("a", payload("3", 1000));
    expect(await lost()).toBe(3);
    if (flush === "interval") await expect.poll(lost).toBe(4);
    if (flush === "bytes") {
      await log.append("a", payload("4", 4500));
      expect(await lost()).toBe(5);
    }
    await log.append("a", payload("last"));
    await log.close();
    expect(await lost()).toBe(log.bounds("a").next);
  },
);

test("at its budget a log refuses appends until room is made, and never what makes room", async () => {
  const log = await open({ maxDiskBytes: 16384 });
  const fill = async (): Promise<unknown> => {
    for (;;) await log.append("a", payload("x", 1000));
  };
  await expect(fill()).rejects.toMatchObject({ code: "OCTOPII_WALRUS_FULL", outcome: "failed" });
  expect(log.status().bytes).toBeLessThanOrEqual(16384);
  const { next } = log.bounds("a");
  await log.truncateFront("a", next);
  await expect.poll(() => log.append("a", payload("y", 1000)).catch(() => 0)).toBeGreaterThan(0);
});

test("a log that may evict drops its oldest entries, topic by topic, and stays near its budget", async () => {
  const disk = new CrashDisk();
  const log = await open({ maxDiskBytes: 20_000, whenFull: "evict" }, disk);
  await log.append("quiet", payload("q"));
  for (let at = 1; at <= 200; at++) await log.append("a", payload(`${at}`, 500));
  await expect.poll(() => log.status().bytes).toBeLessThan(20_000 + 2 * 4096);
  const { first, next } = log.bounds("a");
  expect(next).toBe(201);
  expect(first).toBeGreaterThan(150);
  expect(indexes(await log.read("a", first))).toEqual(Array.from({ length: 201 - first }, (_, at) => first + at));
  expect(log.bounds("quiet")).toEqual({ first: 2, next: 2 });
  expect((await open({}, new CrashDisk(disk.files()))).bounds("a")).toEqual(log.bounds("a"));
});

test("an idle topic does not hold the disk: its entries are moved, more than once, and read as before", async () => {
  const disk = new CrashDisk();
  const log = await open({}, disk);
  const idle = Array.from({ length: 9 }, (_, at) => payload(`idle ${at}`, 100 + at));
  await log.appendBatch([{ topic: "idle", append: idle }]);
  for (let at = 1; at <= 300; at++) {
    await log.appendBatch([
      { topic: "busy", append: [payload(`${at}`, 600)] },
      { topic: "busy", truncateFront: Math.max(1, at - 2) },
    ]);
  }
  expect(log.status().lastSegment).toBeGreaterThan(40);
  await expect.poll(() => log.status().segments).toBeLessThan(8);
  const crashed = await open({}, new CrashDisk(disk.files()));
  for (const one of [log, crashed]) {
    expect((await one.read("idle", 1)).map((entry) => Buffer.compare(entry.payload, idle[entry.index - 1] ?? payload("")))).toEqual(
      Array.from({ length: 9 }, () => 0),
    );
    expect(indexes(await one.readReverse("idle", 9))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  }
});

test("a payload of any length is one write with its neighbours, and a blocking log does what the other does", async () => {
  const directory = await mkdtemp(`${tmpdir()}/octopii-walrus-`);
  try {
    for (const blocking of [true, false]) {
      const options = { directory: `${directory}/${blocking}`, blocking, segmentBytes: 65536 };
      const log = await openWalrus(options);
      const long = new Uint8Array(9_000_000).map((_, at) => at % 253);
      await Promise.all([log.append("a", payload("1")), log.append("a", long), log.append("a", payload("3"))]);
      await log.close();
      const reopened = await openWalrus(options);
      const entries = await reopened.read("a", 1, { maxBytes: 1e8 });
      expect(entries.map((entry) => Buffer.compare(entry.payload, [payload("1"), long, payload("3")][entry.index - 1] ?? long))).toEqual([
        0, 0, 0,
      ]);
      await reopened.close();
      await expect(reopened.read("a", 1)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CLOSED" });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
