import { rmSync } from "node:fs";
import { openWalrus, type Walrus, type WalrusOptions } from "@octopii/walrus";

/** Does something with a log in a directory of its own, which is gone afterwards. */
async function withLog<T>(directory: string, options: Partial<WalrusOptions>, use: (log: Walrus) => Promise<T>): Promise<T> {
  const path = `${directory}/log`;
  rmSync(path, { recursive: true, force: true });
  const log = await openWalrus({ directory: path, ...options });
  try {
    return await use(log);
  } finally {
    await log.close();
    rmSync(path, { recursive: true, force: true });
  }
}

/** Appends per second of so many writers, each of which waits for its entry before it appends the next. */
export function appendsPerSecond(
  directory: string,
  writers: number,
  bytes: number,
  milliseconds: number,
  blocking = false,
): Promise<number> {
  return withLog(directory, { blocking }, async (log) => {
    const payload = new Uint8Array(bytes).fill(1);
    await log.append("a", payload);
    let count = 0;
    const start = performance.now();
    const writer = async (): Promise<void> => {
      while (performance.now() - start < milliseconds) {
        await log.append("a", payload);
        count++;
      }
    };
    await Promise.all(Array.from({ length: writers }, writer));
    return (count / (performance.now() - start)) * 1000;
  });
}

/** Entries per second of batches under `never`, two on their way at a time. */
export function batchedEntriesPerSecond(directory: string, batch: number, bytes: number, total: number): Promise<number> {
  return withLog(directory, { flush: "never", segmentBytes: 1024 * 1024 * 1024 }, async (log) => {
    const append = Array.from({ length: batch }, () => new Uint8Array(bytes).fill(2));
    await log.appendBatch([{ topic: "a", append }]);
    const start = performance.now();
    let flying: Promise<unknown> = Promise.resolve();
    for (let count = 0; count < total; count += batch) {
      const next = log.appendBatch([{ topic: "a", append }]);
      await flying;
      flying = next;
    }
    await flying;
    return (total / (performance.now() - start)) * 1000;
  });
}

/** Gigabytes per second of reading a topic from front to back, every checksum verified, from the page cache. */
export function readGigabytesPerSecond(directory: string, bytes: number, total: number): Promise<number> {
  return withLog(directory, { flush: "never" }, async (log) => {
    const append = Array.from({ length: 1000 }, () => new Uint8Array(bytes).fill(3));
    for (let count = 0; count < total; count += append.length) await log.appendBatch([{ topic: "a", append }]);
    await log.flush();
    const start = performance.now();
    let read = 0;
    for (let from = 1; from < log.bounds("a").next; ) {
      const entries = await log.read("a", from, { maxEntries: 16_384, maxBytes: 8 * 1024 * 1024 });
      for (const { payload } of entries) read += payload.length;
      from += entries.length;
    }
    return read / (performance.now() - start) / 1e6;
  });
}

/** The 99.9th percentile, in microseconds, of appends that come at a steady rate. */
export function latencyUnderLoad(directory: string, perSecond: number, milliseconds: number): Promise<number> {
  return withLog(directory, {}, async (log) => {
    const payload = new Uint8Array(256).fill(4);
    await log.append("a", payload);
    const taken: number[] = [];
    const pending: Promise<unknown>[] = [];
    const start = performance.now();
    for (let due = start; due < start + milliseconds; due += 1000 / perSecond) {
      while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
      const called = performance.now();
      pending.push(log.append("a", payload).then(() => taken.push(performance.now() - called)));
    }
    await Promise.all(pending);
    taken.sort((a, b) => a - b);
    return (taken[Math.min(taken.length - 1, Math.floor(taken.length * 0.999))] ?? Number.NaN) * 1000;
  });
}
