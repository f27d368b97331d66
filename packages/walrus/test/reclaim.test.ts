import { describe, expect, it } from "vitest";
import { openWalrus, type Walrus, type WalrusOptions } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";

const open = (disk: CrashDisk, options: Partial<WalrusOptions> = {}): Promise<Walrus> =>
  openWalrus({ directory: "/log", segmentBytes: 4096, ...options }, { fileSystem: disk });

/** So many turns of the event loop as everything in memory takes to come to rest. */
async function rest(turns = 200): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `a topic with a name of some length ${i}`);

describe("a log in which nothing is dead", () => {
  it.each([
    ["in which heads are most of each segment", 40, 100],
    ["whose heads are longer than a segment", 100, 100],
    ["of a few bytes per topic, each in a frame of its own", 30, 1],
  ])("%s is left as it is, also when it is opened again", async (_, count, bytes) => {
    const disk = new CrashDisk();
    let log = await open(disk);
    for (const topic of topics(count)) await log.append(topic, new Uint8Array(bytes));
    await rest();
    // Frames of their own may be made one; after that there is nothing to gain.
    for (let round = 0; round < 3; round++) {
      const before = log.status();
      await rest();
      expect(log.status()).toMatchObject({ records: before.records, bytes: before.bytes, firstSegment: before.firstSegment });
      await log.close();
      log = await open(disk);
      await rest();
    }
    for (const topic of topics(count)) expect(log.count(topic)).toBe(1);
    await log.close();
  });
});

describe("an idle topic", () => {
  it("does not hold the disk that entries of others had, which were truncated", async () => {
    const log = await open(new CrashDisk());
    await log.append("idle", new Uint8Array(10));
    for (let i = 1; i <= 400; i++) {
      await log.append("busy", new Uint8Array(200));
      await log.truncateFront("busy", Math.max(1, i - 5));
    }
    await rest();
    expect(log.status().bytes).toBeLessThan(8 * 4096);
    expect((await log.read("idle", 1)).length).toBe(1);
    await log.close();
  });

  it("does not hold the disk that the places of cursors took", async () => {
    const log = await open(new CrashDisk());
    for (let i = 0; i < 10; i++) await log.append("idle", new Uint8Array(10));
    const cursor = log.cursor("idle", "reader");
    for (let i = 0; i < 1_000; i++) {
      await cursor.seek((i % 9) + 1);
    }
    await rest();
    expect(log.status().bytes).toBeLessThan(8 * 4096);
    await log.close();
  });
});

describe("many topics in the oldest segment", () => {
  const wasteful = async (): Promise<{ log: Walrus; disk: CrashDisk }> => {
    const disk = new CrashDisk();
    const log = await open(disk, { segmentBytes: 256 * 1024 });
    await log.appendBatch(topics(500).map((topic) => ({ topic, append: [new Uint8Array(50)] })));
    const big = Array.from({ length: 25 }, () => new Uint8Array(9_000));
    for (let i = 0; i < 8; i++) await log.appendBatch([{ topic: "busy", append: big }]);
    return { log, disk };
  };

  it("are moved together, in a few flushes", async () => {
    const { log } = await wasteful();
    const before = log.status().flushes;
    await log.truncateFront("busy", 200);
    await rest();
    expect(log.status().firstSegment).toBeGreaterThan(1);
    expect(log.status().flushes - before).toBeLessThan(20);
    for (const topic of topics(500)) expect(log.count(topic)).toBe(1);
    await log.close();
  });

  it("do not hold up a close", async () => {
    const { log, disk } = await wasteful();
    await log.truncateFront("busy", 200);
    const before = log.status().flushes;
    await log.close();
    expect(log.status().flushes - before).toBeLessThan(5);
    const again = await open(disk, { segmentBytes: 256 * 1024 });
    for (const topic of topics(500)) expect(again.count(topic)).toBe(1);
    await again.close();
  });

  it("settle when the disk fails in the middle, and nothing is left unhandled", async () => {
    const { log, disk } = await wasteful();
    await log.truncateFront("busy", 200);
    disk.fault = (operation) => (operation === "write" ? Object.assign(new Error("EIO"), { code: "EIO" }) : null);
    const failed = log.append("other", new Uint8Array(1)).catch((error: unknown) => error);
    await rest();
    expect(await failed).toMatchObject({ code: "OCTOPII_WALRUS_IO_FAILED" });
    await log.close();
  });
});
