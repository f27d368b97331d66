import type { FileSystem, Scheduler } from "@octopii/interfaces";
import { expect, test } from "vitest";
import { openWalrus } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";

/** Turns that pass when the test says so. */
class Turns implements Scheduler {
  readonly #waiting: (() => void)[] = [];
  setTimer(): never {
    throw new Error("no timers here");
  }
  nextTurn(callback: () => void): void {
    this.#waiting.push(callback);
  }
  get waiting(): number {
    return this.#waiting.length;
  }
  pass(): void {
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

async function settled(): Promise<void> {
  for (let at = 0; at < 50; at++) await Promise.resolve();
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test("who was alone goes on without waiting for the turn to end, and takes along what is appended beside it", async () => {
  const turns = new Turns();
  const log = await openWalrus({ directory: "/log" }, { fileSystem: new CrashDisk(), scheduler: turns });
  const first = log.append("a", text("1"));
  expect(turns.waiting).toBe(1);
  turns.pass();
  expect(await first).toBe(1);
  const { flushes } = log.status();
  expect(await log.append("a", text("2"))).toBe(2);
  expect(turns.waiting).toBe(0);
  expect(log.status().flushes).toBe(flushes + 1);
  expect(await Promise.all([log.append("a", text("3")), log.append("a", text("4")), log.append("b", text("x"))])).toEqual([3, 4, 1]);
  expect(log.status().flushes).toBe(flushes + 2);
  // Three were set free, and only one comes back: it waits for the others until the turn is over.
  const alone = log.append("a", text("5"));
  await settled();
  expect(log.status().flushes).toBe(flushes + 2);
  turns.pass();
  expect(await alone).toBe(5);
});

test("what is long is written at once, one write at a time, and everybody hears in the order of the calls", async () => {
  const turns = new Turns();
  const disk = new CrashDisk();
  let writing = 0;
  let most = 0;
  const watched: FileSystem = {
    ...bound(disk),
    open: async (path, options) => {
      const file = await disk.open(path, options);
      return {
        read: (buffer, position) => file.read(buffer, position),
        sync: () => file.sync(),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: () => file.close(),
        write: async (buffers, position) => {
          if (options.durableWrites === true) most = Math.max(most, ++writing);
          for (let at = 0; at < 20; at++) await Promise.resolve();
          await file.write(buffers, position);
          if (options.durableWrites === true) writing--;
        },
      };
    },
  };
  const log = await openWalrus({ directory: "/log" }, { fileSystem: watched, scheduler: turns });
  const heard: number[] = [];
  const calls = Array.from({ length: 2000 }, () => log.append("a", new Uint8Array(400).fill(1)).then((index) => heard.push(index)));
  expect(turns.waiting, "nothing waited for a turn but what came before there was much").toBe(1);
  await Promise.all(calls);
  expect(heard).toEqual(Array.from({ length: 2000 }, (_, at) => at + 1));
  expect(most).toBe(1);
  expect(log.status().flushes).toBeGreaterThan(1);
  const again = await openWalrus({ directory: "/log" }, { fileSystem: new CrashDisk(disk.files()) });
  expect(again.count("a")).toBe(2000);
  const read: number[] = [];
  for (let from = 1; from <= 2000; from = (read.at(-1) ?? 0) + 1) {
    const entries = await again.read("a", from, { maxBytes: 300_000 });
    for (const { index, payload } of entries) if (payload.every((byte) => byte === 1)) read.push(index);
  }
  expect(read).toEqual(heard);
});

test("entries over many spans of a file come back forwards and backwards", async () => {
  const disk = new CrashDisk();
  const log = await openWalrus({ directory: "/log" }, { fileSystem: disk });
  const payloadOf = (index: number): Uint8Array => new Uint8Array(1000).fill(index % 251);
  const count = 6000;
  for (let at = 1; at <= count; at += 500) {
    await log.appendBatch([
      { topic: "a", append: Array.from({ length: 500 }, (_, more) => payloadOf(at + more)) },
      // A gap that is read around.
      { topic: "b", append: [new Uint8Array(40_000)] },
    ]);
  }
  const options = { maxEntries: count, maxBytes: 64 * 1024 * 1024 };
  const forwards = await log.read("a", 1, options);
  const backwards = await log.readReverse("a", count, options);
  expect(forwards.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  expect(backwards.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, at) => count - at));
  for (const entries of [forwards, backwards]) {
    for (const { index, payload } of entries) if (Buffer.compare(payload, payloadOf(index)) !== 0) expect.fail(`entry ${index} differs`);
  }
  expect((await log.read("a", 10, { ...options, maxBytes: 2_500_000 })).length).toBe(2500);
  await log.close();
});

function bound(disk: CrashDisk): FileSystem {
  return {
    open: (path, options) => disk.open(path, options),
    readDirectory: (path) => disk.readDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    makeDirectory: () => disk.makeDirectory(),
    syncDirectory: (path) => disk.syncDirectory(path),
    lock: (path) => disk.lock(path),
  };
}
