import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { entriesOf, hardStateOf, sampleEntries, sampleSnapshot } from "../samples.js";
import type { LogLab } from "./lab.js";
import { append, assertEntries, install, modelOf, type Operation } from "./model.js";

async function reads(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.append(sampleEntries(1, 30, 2));
  assertEntries(await bench.readAll(1, 30), sampleEntries(1, 30, 2));
  assertEntries(await bench.readAll(7, 7), sampleEntries(7, 7, 2));
  assertEntries(await bench.readAll(11, 19), sampleEntries(11, 19, 2));
}

async function readLimits(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.append(entriesOf(100, 1, 50));
  for (const maxBytes of [1, 99, 100, 101, 250, 1_000, 4_999]) {
    const read = await bench.storage.read(0, 4, 50, maxBytes);
    assert.ok(read.length >= 1, "at least one entry, however small maxBytes is");
    assert.ok((read.length - 1) * 100 <= maxBytes, `${read.length} entries of 100 bytes are more than about ${maxBytes} bytes`);
    assertEntries(read, entriesOf(100, 4, 3 + read.length));
  }
  const whole = await bench.readAll(1, 50);
  assert.equal(whole.length, 50);
  const two = await bench.storage.read(0, 8, 9, 1_000_000);
  assert.ok(two.length >= 1 && two.every(({ index }) => index <= 9), "nothing beyond `to`");
}

async function compacted(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.append(sampleEntries(1, 10, 1), hardStateOf(1, 1, 9));
  await bench.append(sampleEntries(11, 20, 4));
  for (const index of [3, 10, 11, 20]) {
    await bench.storage.compact(0, index);
    assert.deepEqual(await bench.storage.read(0, index, 20, 1_000), [], "entries that were compacted away are not given");
    assertEntries(await bench.readAll(index + 1, 20), [...sampleEntries(1, 10, 1), ...sampleEntries(11, 20, 4)].slice(index));
    const { compactedIndex, lastIndex, terms, hardState } = await bench.contents();
    assert.deepEqual({ compactedIndex, lastIndex, hardState }, { compactedIndex: index, lastIndex: 20, hardState: hardStateOf(1, 1, 9) });
    assert.equal(terms[0], index <= 10 ? 1 : 4, "the term of the compacted index is kept");
  }
  await bench.append(sampleEntries(21, 22, 4));
  assertEntries(await bench.readAll(21, 22), sampleEntries(21, 22, 4));
}

async function compactedTwice(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.append(sampleEntries(1, 10, 1));
  await bench.storage.compact(0, 6);
  await bench.storage.compact(0, 6);
  assert.equal((await bench.contents()).compactedIndex, 6);
  assertEntries(await bench.readAll(7, 10), sampleEntries(7, 10, 1));
}

/** The log after a crash: as it was, or compacted up to at most `index`. */
async function expectCompactedAtMost(lab: LogLab, operations: readonly Operation[], index: number, steps: number): Promise<void> {
  const bench = await lab.open();
  await bench.perform(operations);
  const done = bench.storage.compact(0, index);
  done.catch(() => undefined);
  for (let step = 0; step < steps; step++) await bench.step();
  await bench.crash();
  const found = await bench.contents();
  const model = modelOf(operations);
  assert.ok(found.compactedIndex >= model.compactedIndex && found.compactedIndex <= index, `compacted to ${found.compactedIndex}`);
  model.compact(found.compactedIndex);
  assert.deepEqual([found.lastIndex, found.terms.length], [model.lastIndex, model.lastIndex - found.compactedIndex + 1]);
  assert.equal(found.terms[0], model.terms[0]?.term, "the term of the compacted index is kept");
  assert.deepEqual(found.hardState, model.hardState);
  const left = model.read(found.compactedIndex + 1, model.lastIndex, Number.POSITIVE_INFINITY);
  assertEntries(await bench.readAll(found.compactedIndex + 1, found.lastIndex), left);
}

async function compactionCrash(lab: LogLab): Promise<void> {
  const operations = [append(sampleEntries(1, 10, 1), hardStateOf(1, 1, 9)), append(sampleEntries(11, 20, 4))];
  for (let steps = 0; steps < lab.crashPoints; steps++) {
    for (const index of [4, 10, 11, 20]) await expectCompactedAtMost(lab, operations, index, steps);
  }
}

async function compactionAmongAppends(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const before = [append(sampleEntries(1, 10, 1), hardStateOf(1, 1, 8))];
  await bench.perform(before);
  const during = [
    append(sampleEntries(11, 12, 1)),
    append(sampleEntries(11, 15, 2), hardStateOf(2, 1, 8)),
    append(sampleEntries(16, 17, 2)),
  ];
  const { all } = bench.begin(during);
  await Promise.all([all, bench.storage.compact(0, 8)]);
  assert.equal((await bench.contents()).compactedIndex, 8);
  await bench.crash();
  const { compactedIndex, lastIndex, hardState } = await bench.contents();
  assert.ok(compactedIndex === 0 || compactedIndex === 8);
  assert.deepEqual({ lastIndex, hardState }, { lastIndex: 17, hardState: hardStateOf(2, 1, 8) });
  assertEntries(await bench.readAll(9, 17), [...sampleEntries(9, 10, 1), ...sampleEntries(11, 17, 2)]);
}

async function installed(lab: LogLab): Promise<void> {
  const histories: readonly (readonly Operation[])[] = [
    [install(sampleSnapshot(5, 2), hardStateOf(2, 1, 5))],
    [append(sampleEntries(1, 9, 1), hardStateOf(1, 1, 2)), install(sampleSnapshot(40, 3), hardStateOf(3, 0, 40))],
    // Below the last entry: what is beyond the snapshot goes as well.
    [append(sampleEntries(1, 9, 1), hardStateOf(1, 1, 2)), install(sampleSnapshot(5, 2))],
    [append(sampleEntries(1, 9, 1)), install(sampleSnapshot(9, 1))],
    [install(sampleSnapshot(7, 1)), install(sampleSnapshot(8, 6)), append(sampleEntries(9, 11, 6)), append(sampleEntries(10, 10, 7))],
  ];
  for (const operations of histories) {
    const bench = await lab.open();
    for (const [at, operation] of operations.entries()) {
      await bench.perform([operation]);
      await bench.expect(operations.slice(0, at + 1));
      if (operation.type === "install")
        assert.deepEqual(await bench.storage.read(0, operation.snapshot.index, operation.snapshot.index, 1), []);
      await bench.crash();
      await bench.expect(operations.slice(0, at + 1));
    }
  }
}

async function compactedAfterInstall(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.perform([append(sampleEntries(1, 9, 1)), install(sampleSnapshot(20, 2)), append(sampleEntries(21, 30, 3))]);
  await bench.storage.compact(0, 25);
  const { compactedIndex, lastIndex, terms } = await bench.contents();
  assert.deepEqual([compactedIndex, lastIndex, terms[0]], [25, 30, 3]);
}

/** What the log no longer has. */
export const installCases: CaseTable<LogLab> = {
  "read gives what was appended, oldest first": reads,
  "read gives at least one entry, and no more than about maxBytes, nor beyond `to`": readLimits,
  "compact forgets the entries up to an index, but not the term of that one": compacted,
  "to compact once more changes nothing": compactedTwice,
  "a compaction may come back in a crash, but nothing else": compactionCrash,
  "compact may be called while appends are on their way": compactionAmongAppends,
  "install forgets all entries, and the log begins after the snapshot": installed,
  "a log that began with a snapshot can be compacted further": compactedAfterInstall,
};
