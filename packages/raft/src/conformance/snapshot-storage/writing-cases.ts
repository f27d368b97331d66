import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { sampleBytes, sampleSnapshot } from "../samples.js";
import { dataOf, notAssertion, type SnapshotLab } from "./lab.js";

async function empty(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  assert.deepEqual(await bench.list(), []);
  await bench.expectNone(1);
  await bench.storage.removeBelow(0, 100);
}

async function kept(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(10);
  await bench.crash();
  await bench.expectData(10);
  assert.deepEqual(await bench.list(), [10]);
  await bench.expectData(10);
}

async function metadata(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const snapshots = [sampleSnapshot(4, 2), sampleSnapshot(5, 3), { ...sampleSnapshot(2 ** 52, 2 ** 50) }];
  for (const snapshot of snapshots) {
    const writer = await bench.storage.create(0, snapshot);
    await writer.write(Uint8Array.of(1));
    await writer.commit();
  }
  for (let time = 0; time < 2; time++) {
    const listed = (await bench.storage.list(0)).map(({ index, term, configuration }) => ({
      index,
      term,
      configuration: { ...configuration },
    }));
    assert.deepEqual(listed, snapshots);
    await bench.crash();
  }
}

async function chunks(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const data = dataOf(9);
  for (const [at, chunkBytes] of [1, 7, 1_024, data.length, 10_000].entries()) {
    const empty = await bench.write(at + 100, new Uint8Array(0));
    for (const chunk of [new Uint8Array(0), data, new Uint8Array(0)]) await empty.write(chunk);
    await empty.commit();
    await bench.expectData(at + 100, data);
    const writer = await bench.write(at + 1, data, 0, chunkBytes);
    await writer.commit();
    await bench.expectData(at + 1, data);
  }
}

async function sizes(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const large = sampleBytes(lab.largeBytes, 3);
  await bench.store(1, new Uint8Array(0));
  const writer = await bench.write(2, large, 0, 100_000);
  await writer.commit();
  await bench.crash();
  await bench.expectData(1, new Uint8Array(0));
  await bench.expectData(2, large);
  assert.deepEqual(await bench.list(), [1, 2]);
}

async function reusedBuffer(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const data = dataOf(4);
  const buffer = new Uint8Array(500);
  const writer = await bench.storage.create(0, sampleSnapshot(4, 1));
  for (let at = 0; at < data.length; at += buffer.length) {
    const piece = data.subarray(at, at + buffer.length);
    buffer.set(piece);
    await writer.write(buffer.subarray(0, piece.length));
    buffer.fill(0xee);
  }
  await writer.commit();
  await bench.expectData(4, data);
}

async function invisible(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(3);
  const writer = await bench.write(8);
  await bench.expectNone(8);
  assert.deepEqual(await bench.list(), [3]);
  await writer.commit();
  await bench.expectData(8);
  assert.deepEqual(await bench.list(), [3, 8]);
}

async function unfinished(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(3);
  const writer = await bench.write(8);
  await writer.write(sampleBytes(100_000, 1));
  await bench.crash();
  assert.deepEqual(await bench.list(), [3]);
  await bench.expectNone(8);
  await bench.store(8);
  await bench.expectData(8);
}

async function aborted(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  await bench.store(3);
  const untouched = await bench.storage.create(0, sampleSnapshot(7, 1));
  await untouched.abort();
  const writer = await bench.write(8);
  await writer.abort();
  await writer.abort();
  await bench.expectNone(7);
  await bench.expectNone(8);
  await assert.rejects(writer.commit(), notAssertion, "what was given up cannot be committed");
  await bench.expectNone(8);
  await bench.crash();
  assert.deepEqual(await bench.list(), [3]);
  await bench.store(8);
  await bench.expectData(8);
}

async function abortAfterCommit(lab: SnapshotLab): Promise<void> {
  const bench = await lab.open();
  const writer = await bench.write(8);
  await writer.commit();
  await writer.abort();
  await bench.expectData(8);
  await bench.crash();
  assert.deepEqual(await bench.list(), [8]);
  await bench.expectData(8);
}

async function commitCrash(lab: SnapshotLab): Promise<void> {
  for (let steps = 0; steps < lab.crashPoints; steps++) {
    const bench = await lab.open();
    await bench.store(3);
    const writer = await bench.write(8);
    let isCommitted = false;
    writer.commit().then(
      () => {
        isCommitted = true;
      },
      () => undefined,
    );
    for (let step = 0; step < steps; step++) await bench.step();
    const acknowledged = isCommitted;
    await bench.crash();
    const listed = await bench.list();
    assert.deepEqual(listed, acknowledged || listed.includes(8) ? [3, 8] : [3], "a snapshot that was committed is there");
    await bench.expectData(3);
    if (listed.includes(8)) await bench.expectData(8);
    else await bench.expectNone(8);
  }
}

/** How a snapshot comes to be. */
export const writingCases: CaseTable<SnapshotLab> = {
  "a storage to which nothing was written is empty": empty,
  "what was committed is there after a crash": kept,
  "the metadata comes back as it was, oldest first": metadata,
  "data may come in chunks of any size, none included": chunks,
  "a snapshot may be large, or empty": sizes,
  "a chunk is the writer's own again when `write` has resolved": reusedBuffer,
  "nobody sees a snapshot before it is committed": invisible,
  "one that a crash left unfinished is as if it had never been begun": unfinished,
  "one that was aborted is as if it had never been begun": aborted,
  "abort does nothing after commit": abortAfterCommit,
  "a crash during commit leaves the whole snapshot or none": commitCrash,
};
