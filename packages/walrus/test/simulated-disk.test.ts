import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import { beforeAll, expect, test } from "vitest";
import { type BatchOperation, isWalrusError, openWalrus, prepareWalrus, type Walrus } from "../src/index.js";
import { describeLog, Model, payload } from "./support/model.js";

beforeAll(prepareWalrus);

const options = { directory: "data/log", segmentBytes: 4096, maxRecordBytes: 8192, maxQueuedBytes: 65536 };

/** All calls that were ever taken on one disk, in order, and how many of them were acknowledged. */
class History {
  calls: BatchOperation[][] = [];
  acknowledged = 0;

  describeAfter(count: number): string {
    const model = new Model();
    for (const operations of this.calls.slice(0, count)) model.apply(operations);
    return model.describe();
  }

  /** What a crash left must be the acknowledged calls and then a prefix of the others; forgets those that are gone. */
  settle(found: string): void {
    for (let count = this.acknowledged; count <= this.calls.length; count++) {
      if (this.describeAfter(count) !== found) continue;
      this.calls = this.calls.slice(0, count);
      this.acknowledged = count;
      return;
    }
    expect.fail(
      `after ${this.acknowledged} acknowledged of ${this.calls.length} calls:\n${found}\n${this.describeAfter(this.acknowledged)}`,
    );
  }
}

/** One life of a process that writes until something stops it. */
async function live(process: SimulatedProcess, history: History, counts: Counts): Promise<void> {
  const { fileSystem, scheduler, random } = process;
  const log = await openWalrus(options, { fileSystem, scheduler, random });
  history.settle(await describeLog(log));
  if (log.status().recovery.tornBytes > 0) counts.torn++;
  for (;;) {
    const burst = Array.from({ length: 1 + (random.uint32() % 4) }, () => call(log, random.uint32()));
    const base = history.calls.length;
    history.calls.push(...burst);
    const results = await Promise.allSettled(
      burst.map(async (operations, at) => {
        await log.appendBatch(operations);
        history.acknowledged = base + at + 1;
      }),
    );
    for (const result of results) if (result.status === "rejected" && !isWalrusError(result.reason)) throw result.reason;
    if (log.status().state === "poisoned") {
      counts.poisoned++;
      await log.close();
      return live(process, history, counts);
    }
    if (random.uint32() % 12 === 0) {
      await log.close();
      counts.closed++;
      return live(process, history, counts);
    }
  }
}

function call(log: Walrus, dice: number): BatchOperation[] {
  const topic = `topic ${dice % 3}`;
  const { next } = log.bounds(topic);
  const size = (dice >>> 8) % 900;
  const append = Array.from({ length: 1 + ((dice >>> 4) % 3) }, (_, at) => payload(`${dice}.${at}`, size));
  // Of the calls of one burst none has been taken yet, so only what any order of them leaves possible may be asked for.
  if (dice % 11 === 0) return [{ topic, truncateFront: Math.max(1, next - 2) }];
  if (dice % 13 === 0)
    return [
      { topic, append },
      { topic, truncateBack: next },
      { topic: "other", append: [payload(`${dice}`)] },
    ];
  return [{ topic, append }];
}

interface Counts {
  powerLosses: number;
  kills: number;
  poisoned: number;
  closed: number;
  torn: number;
}

async function runWorld(world: World, counts: Counts): Promise<void> {
  const history = new History();
  let process = world.process("node");
  const random = world.random.fork("test");
  for (let life = 0; life < 8; life++) {
    let failure: unknown = null;
    live(process, history, counts).catch((error: unknown) => {
      failure = error;
    });
    if (random.uint32() % 3 === 0)
      process.disk.failNext(random.uint32() % 2 === 0 ? "write" : "sync", { code: "EIO", skip: random.uint32() % 30 });
    await world.runFor(1 + (random.uint32() % 60)).catch((error: unknown) => {
      failure ??= error;
    });
    // The disk may fail while the log is being opened, or while it is read and gives disk back meanwhile.
    const isExpected = isWalrusError(failure, "OCTOPII_WALRUS_IO_FAILED") || isWalrusError(failure, "OCTOPII_WALRUS_POISONED");
    if (failure !== null && !isExpected) throw failure;
    if (random.uint32() % 4 === 0) {
      process.kill();
      counts.kills++;
    } else {
      process.crash();
      counts.powerLosses++;
    }
    process = process.restart();
  }
}

test("worlds with power cuts, kills and failing writes never lose an acknowledged call, nor half of one", { timeout: 60_000 }, async () => {
  const counts: Counts = { powerLosses: 0, kills: 0, poisoned: 0, closed: 0, torn: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    await runWorld(createSimulation({ seed }), counts).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }
  expect(counts.powerLosses).toBeGreaterThan(150);
  expect(counts.kills).toBeGreaterThan(40);
  expect(counts.poisoned).toBeGreaterThan(10);
  expect(counts.closed).toBeGreaterThan(50);
  expect(counts.torn).toBeGreaterThan(5);
});
