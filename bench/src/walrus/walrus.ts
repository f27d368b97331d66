import { mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { type Row, rowOf } from "../row.js";
import { bareAsynchronousLoop, type FioResult, fioWriteAndSync } from "./bare-disk.js";
import { appendsPerSecond, batchedEntriesPerSecond, latencyUnderLoad, readGigabytesPerSecond } from "./log-runs.js";
import { indexMegabytes, openingFigures } from "./opening.js";

const rounds = 5;
const milliseconds = 1500;

/** The samples of each round, by what was measured. */
type Samples = Record<
  "bare" | "one" | "blocking" | "many" | "most" | "batches" | "long" | "read" | "latency" | "fioRate" | "fioLatency",
  number[]
>;

/** The log beside the bare disk and fio, on the file system of the working directory, round by round in turn. */
export async function benchWalrus(progress: (line: string) => void): Promise<Row[]> {
  const directory = mkdtempSync(resolve(process.env.OCTOPII_BENCH_DIRECTORY ?? ".", "walrus-"));
  try {
    const samples: Samples = {
      bare: [],
      one: [],
      blocking: [],
      many: [],
      most: [],
      batches: [],
      long: [],
      read: [],
      latency: [],
      fioRate: [],
      fioLatency: [],
    };
    for (let round = 1; round <= rounds; round++) {
      await measure(directory, samples);
      progress(
        `walrus, round ${round} of ${rounds}: ${JSON.stringify(Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, all.at(-1)])))}`,
      );
    }
    const opening = await openingFigures(directory, 10e9, rounds, progress);
    const memory = await indexMegabytes(directory);
    return [...diskRows(samples), ...speedRows(samples), ...openingRows(opening, memory)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string, samples: Samples): Promise<void> {
  const fio: FioResult | null = fioWriteAndSync(directory, milliseconds / 1000);
  const bare = await bareAsynchronousLoop(directory, milliseconds);
  const one = await appendsPerSecond(directory, 1, 256, milliseconds);
  samples.bare.push(bare);
  samples.one.push(one);
  samples.blocking.push(await appendsPerSecond(directory, 1, 256, milliseconds, true));
  samples.many.push(await appendsPerSecond(directory, 256, 256, milliseconds));
  samples.most.push(await appendsPerSecond(directory, 4096, 256, milliseconds));
  samples.batches.push(await batchedEntriesPerSecond(directory, 1000, 256, 2_000_000));
  samples.long.push(((await batchedEntriesPerSecond(directory, 100, 4096, 150_000)) * 4096) / 1e9);
  samples.read.push(await readGigabytesPerSecond(directory, 1024, 300_000));
  samples.latency.push(await latencyUnderLoad(directory, one / 2, milliseconds));
  if (fio === null) return;
  samples.fioRate.push(fio.perSecond);
  samples.fioLatency.push(fio.p999Microseconds);
}

/** Figures whose goal is so many times what the disk gives somebody else in the same run. */
function diskRows(samples: Samples): Row[] {
  const fio = "fio write + fdatasync, 256 B, in this run";
  const row = (name: string, ours: readonly number[], goalRatio: number, peer: string, peers: readonly number[]): Row =>
    rowOf({ name, unit: "1/s", better: "more", samples: ours, goalRatio, peer: { name: peer, samples: peers } });
  const loop = "asynchronous O_DSYNC loop on a zero-filled file, in this run";
  return [
    row("walrus/append-always-1-writer", samples.one, 0.95, loop, samples.bare),
    row("walrus/append-always-blocking", samples.blocking, 0.9, fio, samples.fioRate),
    row("walrus/append-always-256-writers", samples.many, 90, fio, samples.fioRate),
    row("walrus/append-always-4096-writers", samples.most, 180, fio, samples.fioRate),
    rowOf({
      name: "walrus/append-p99.9-at-half-load",
      unit: "µs",
      better: "less",
      samples: samples.latency,
      peer: { name: `${fio}, p99.9 of its syncs`, value: samples.fioLatency.length === 0 ? null : middle(samples.fioLatency) },
    }),
  ];
}

function speedRows(samples: Samples): Row[] {
  return [
    rowOf({
      name: "walrus/append-never-batches-of-1000",
      unit: "1/s",
      better: "more",
      samples: samples.batches,
      goal: 2_500_000,
      peer: { name: "Walrus in Rust, ten threads, published", value: 1_205_762 },
    }),
    rowOf({ name: "walrus/append-never-4-kib", unit: "GB/s", better: "more", samples: samples.long, goal: 1.5 }),
    rowOf({ name: "walrus/read-and-verify-1-kib", unit: "GB/s", better: "more", samples: samples.read, goal: 1.5 }),
  ];
}

function openingRows(opening: Awaited<ReturnType<typeof openingFigures>>, memory: number): Row[] {
  return [
    rowOf({ name: "walrus/recovery-scan", unit: "GB/s", better: "more", samples: opening.recoveryGigabytesPerSecond, goal: 2 }),
    rowOf({ name: "walrus/verify", unit: "GB/s", better: "more", samples: opening.verifyGigabytesPerSecond }),
    rowOf({ name: "walrus/open-10-gb", unit: "ms", better: "less", samples: opening.openMilliseconds, goal: 200 }),
    rowOf({ name: "walrus/index-of-10-million-entries", unit: "MB", better: "less", samples: [memory], goal: 200 }),
  ];
}

function middle(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1] ?? Number.NaN;
}
