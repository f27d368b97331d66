import { readdirSync, rmSync, statSync } from "node:fs";
import { openWalrus, verifyWalrus, type WalrusOptions } from "@octopii/walrus";

const GIB = 1024 ** 3;

/** What opening and reading a large log costs. */
export interface OpeningFigures {
  readonly openMilliseconds: readonly number[];
  /** Of reading every byte of the log and checking it. */
  readonly verifyGigabytesPerSecond: readonly number[];
  /** Of opening a log that was flushed and not closed, all of which is one unsealed segment. */
  readonly recoveryGigabytesPerSecond: readonly number[];
}

/** Makes a log of ten gigabytes, closes it, and opens it again and again. */
export async function openingFigures(
  directory: string,
  bytes: number,
  rounds: number,
  progress: (line: string) => void,
): Promise<OpeningFigures> {
  const path = `${directory}/large`;
  rmSync(path, { recursive: true, force: true });
  try {
    await fill(path, bytes, { segmentBytes: 64 * 1024 * 1024, flush: "never" }, progress);
    const openMilliseconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      const log = await openWalrus({ directory: path });
      openMilliseconds.push(performance.now() - start);
      await log.close();
    }
    rmSync(path, { recursive: true, force: true });
    // Flushed like most logs: of one that was not, opening also writes everything anew that may not have been on stable storage.
    await fill(path, GIB / 2, { segmentBytes: GIB }, progress);
    rmSync(`${path}/closed.mark`);
    const recovery: number[] = [];
    const verify: number[] = [];
    const [segment = ""] = readdirSync(path).filter((name) => name.endsWith(".wal"));
    const size = statSync(`${path}/${segment}`).size;
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      await verifyWalrus(path);
      verify.push(size / (performance.now() - started) / 1e6);
      const start = performance.now();
      const log = await openWalrus({ directory: path, segmentBytes: GIB });
      recovery.push(size / (performance.now() - start) / 1e6);
      await log.close();
      rmSync(`${path}/closed.mark`);
    }
    return { openMilliseconds, verifyGigabytesPerSecond: verify, recoveryGigabytesPerSecond: recovery };
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

async function fill(
  path: string,
  bytes: number,
  options: Omit<WalrusOptions, "directory">,
  progress: (line: string) => void,
): Promise<void> {
  const log = await openWalrus({ directory: path, ...options });
  const append = Array.from({ length: 1000 }, () => new Uint8Array(1024).fill(5));
  let told = 0;
  while (log.status().bytes < bytes) {
    await log.appendBatch([{ topic: "a", append }]);
    if (log.status().bytes < told + GIB) continue;
    told = log.status().bytes;
    progress(`walrus, filling: ${(told / GIB).toFixed(1)} GiB`);
  }
  await log.close();
}

/** The heap and buffers that the index of ten million entries takes, in megabytes. */
export async function indexMegabytes(directory: string): Promise<number> {
  const path = `${directory}/entries`;
  rmSync(path, { recursive: true, force: true });
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 1e6;
  };
  const log = await openWalrus({ directory: path, flush: "never", segmentBytes: GIB, indexCacheBytes: GIB });
  try {
    const append = Array.from({ length: 10_000 }, () => new Uint8Array(16));
    await log.appendBatch([{ topic: "a", append }]);
    const before = used();
    for (let count = append.length; count < 10_000_000; count += append.length) await log.appendBatch([{ topic: "a", append }]);
    return used() - before;
  } finally {
    await log.close();
    rmSync(path, { recursive: true, force: true });
  }
}
