import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { assertBytes, collect, dataOf, notAssertion, type SnapshotBench, type SnapshotLab } from "./lab.js";

async function oldestFirst(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  for (const index of [50, 4, 1_000, 7]) await bench.store(index);
  assert.deepEqual(await bench.list(), [4, 7, 50, 1_000]);
  for (const index of [50, 4, 1_000, 7]) await bench.expectData(index);
}

async function groups(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(5, dataOf(5, 1), 1);
  await bench.store(5, dataOf(5, 2), 2 ** 32);
  await bench.store(6, dataOf(6, 1), 1);
  await bench.storage.removeBelow(1, 6);
  assert.deepEqual([await bench.list(0), await bench.list(1), await bench.list(2 ** 32)], [[], [6], [5]]);
  await bench.expectNone(5, 1);
  await bench.expectData(6, dataOf(6, 1), 1);
  await bench.expectData(5, dataOf(5, 2), 2 ** 32);
  await bench.crash();
  // What was removed may be back.
  assert.deepEqual([await bench.list(0), (await bench.list(1)).includes(6), await bench.list(2 ** 32)], [[], true, [5]]);
  await bench.expectData(6, dataOf(6, 1), 1);
  await bench.expectData(5, dataOf(5, 2), 2 ** 32);
}

async function replaced(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(5, dataOf(5, 1));
  const given = await bench.write(5, dataOf(5, 2));
  await given.abort();
  await bench.expectData(5, dataOf(5, 1));
  const writer = await bench.write(5, dataOf(5, 3));
  await bench.expectData(5, dataOf(5, 1));
  await writer.commit();
  for (let time = 0; time < 2; time++) {
    await bench.expectData(5, dataOf(5, 3));
    assert.deepEqual(await bench.list(), [5]);
    await bench.crash();
  }
}

async function replacingCrash(lab: SnapshotLab): Promise<void> {
  for (let steps = 0; steps < lab.crashPoints; steps++) {
    const bench = await lab.open();
    await bench.store(5, dataOf(5, 1));
    const writer = await bench.write(5, dataOf(5, 2));
    const committed = writer.commit();
    committed.catch(() => undefined);
    for (let step = 0; step < steps; step++) await bench.step();
    await bench.crash();
    assert.deepEqual(await bench.list(), [5], "of the earlier and the later one, one is always there");
    const [first] = await bench.read(5);
    await bench.expectData(5, first === dataOf(5, 1)[0] ? dataOf(5, 1) : dataOf(5, 2));
  }
}

async function removed(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  for (const index of [3, 5, 8]) await bench.store(index);
  await bench.storage.removeBelow(0, 3);
  assert.deepEqual(await bench.list(), [3, 5, 8], "only what is below the index goes");
  await bench.storage.removeBelow(0, 6);
  assert.deepEqual(await bench.list(), [8]);
  await bench.expectNone(3);
  await bench.expectNone(5);
  await bench.expectData(8);
  await bench.crash();
  assert.ok((await bench.list()).includes(8));
  await bench.expectData(8);
}

/** Begins to read, does something, and reads on. */
async function readAround(bench: SnapshotBench, index: number, what: () => Promise<void>, data: Uint8Array): Promise<void> {
  const iterator = bench.storage.read(0, index)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const begun = first.done === true ? [] : [first.value.slice()];
  await what();
  assertBytes(await collect(iterator, begun), data, `snapshot ${index}, read while it went`);
}

async function readWhileRemoved(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  for (const index of [3, 8]) await bench.store(index);
  await readAround(bench, 3, () => bench.storage.removeBelow(0, 8), dataOf(3));
  await bench.expectNone(3);
  assert.deepEqual(await bench.list(), [8]);
}

async function readWhileReplaced(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(3, dataOf(3, 1));
  await readAround(bench, 3, () => bench.store(3, dataOf(3, 2)), dataOf(3, 1));
  await bench.expectData(3, dataOf(3, 2));
}

async function manyReaders(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  for (const index of [3, 8]) await bench.store(index);
  const others = async (): Promise<void> => {
    await Promise.all([3, 8, 3, 8].map((index) => bench.expectData(index)));
  };
  await readAround(bench, 3, others, dataOf(3));
}

async function readerGivesUp(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  for (const index of [3, 8]) await bench.store(index);
  for await (const chunk of bench.storage.read(0, 3)) {
    assert.ok(chunk.length > 0);
    break;
  }
  // Never begun: nothing is held for it.
  bench.storage.read(0, 3);
  await bench.storage.removeBelow(0, 8);
  await bench.expectNone(3);
  await bench.store(3);
  await bench.expectData(3);
}

async function writersSideBySide(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const [first, second] = [await bench.write(5), await bench.write(6)];
  await bench.store(5, dataOf(5, 9), 7);
  await second.commit();
  await bench.storage.removeBelow(0, 6);
  await bench.expectData(6);
  await first.commit();
  await bench.expectData(5);
  await bench.expectData(5, dataOf(5, 9), 7);
  assert.deepEqual(await bench.list(), [5, 6]);
}

async function damaged(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(5);
  assert.ok(bench.fixture.damage !== undefined, "the suite was told that the fixture has damage");
  await bench.fixture.damage(0, 5);
  await assert.rejects(bench.read(5), notAssertion, "damaged data is not given as if it were sound");
}

/** What becomes of snapshots that are there. */
export const keepingCases: CaseTable<SnapshotLab> = {
  "the list is ascending, whatever the order of writing": oldestFirst,
  "groups know nothing of each other": groups,
  "one of the same index replaces the earlier one when it is committed, not before": replaced,
  "a crash while one is replaced leaves one of the two": replacingCrash,
  "removeBelow removes what is below": removed,
  "one that is removed stays readable to the end": readWhileRemoved,
  "one that is replaced stays readable to the end": readWhileReplaced,
  "many may read at once": manyReaders,
  "a reader may stop early": readerGivesUp,
  "several may be written at once": writersSideBySide,
};

/** When the disk rots. */
export const damageCases: CaseTable<SnapshotLab> = {
  "data is checked as it is read": damaged,
};
