import { type Row, rowOf } from "../row.js";
import { type Group, openGroup, proposalsPerSecond } from "./group.js";

const rounds = 5;

/** openraft's own figures for this set-up, in Rust, on an Apple M1 Max: nobody can run them here, so they stand as published. */
const published = { manyInFlight: 1_014_000, oneInFlight: 70_000 };

/** Raft alone: three nodes on one thread, memory storage and network, an empty state machine. */
export async function benchRaft(progress: (line: string) => void): Promise<Row[]> {
  const group = await openGroup();
  try {
    await proposalsPerSecond(group, 256, 500_000);
    const many: number[] = [];
    const one: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      many.push(await proposalsPerSecond(group, 256, 1_000_000));
      one.push(await proposalsPerSecond(group, 1, 100_000));
      progress(`raft, round ${round} of ${rounds}: ${show(many)}/s at 256 in flight, ${show(one)}/s at one`);
    }
    const growth = await heapGrowth(group, progress);
    return [
      rowOf({
        name: "raft/proposals-256-in-flight",
        unit: "1/s",
        better: "more",
        samples: many,
        goal: 1_000_000,
        peer: { name: "openraft 0.10, published", value: published.manyInFlight },
      }),
      rowOf({
        name: "raft/proposals-1-in-flight",
        unit: "1/s",
        better: "more",
        samples: one,
        goal: 100_000,
        peer: { name: "openraft 0.10, published", value: published.oneInFlight },
      }),
      rowOf({ name: "raft/heap-growth-over-10-million-entries", unit: "MiB", better: "less", samples: [growth], goal: 16 }),
    ];
  } finally {
    await group.close();
  }
}

const show = (samples: readonly number[]): string => Math.round(samples.at(-1) ?? 0).toLocaleString("en");

/** How much more the heap holds after ten million entries than after one million. */
async function heapGrowth(group: Group, progress: (line: string) => void): Promise<number> {
  await proposalsPerSecond(group, 4_096, 1_000_000);
  const before = heapMiB();
  await proposalsPerSecond(group, 4_096, 10_000_000);
  const after = heapMiB();
  progress(`raft, heap: ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB after ten million entries`);
  return after - before;
}

function heapMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / (1024 * 1024);
}
