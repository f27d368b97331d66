import assert from "node:assert/strict";
import type { Entry } from "../../types.js";
import type { CaseTable } from "../case.js";
import { entriesOf, hardStateOf, sampleBytes, sampleEntries } from "../samples.js";
import type { LogLab } from "./lab.js";
import { append, assertEntries, modelContents, modelOf } from "./model.js";

async function empty(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const { hardState, compactedIndex, lastIndex, terms } = await bench.storage.load(0);
  assert.deepEqual({ hardState, compactedIndex, lastIndex }, { hardState: null, compactedIndex: 0, lastIndex: 0 });
  assert.deepEqual(
    terms.map((run) => ({ ...run })),
    [{ firstIndex: 0, term: 0 }],
  );
}

async function kept(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const operations = [append(sampleEntries(1, 12, 1), hardStateOf(1, 2, 0)), append(sampleEntries(13, 40, 3), hardStateOf(3, 1, 12))];
  await bench.perform(operations);
  await bench.expect(operations);
  await bench.crash();
  await bench.expect(operations);
}

async function keptOneByOne(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const operations = Array.from({ length: 8 }, (_, at) => append(sampleEntries(at + 1, at + 1, at + 1), hardStateOf(at + 1, 1, at)));
  for (const [at, operation] of operations.entries()) {
    await bench.perform([operation]);
    await bench.crash();
    await bench.expect(operations.slice(0, at + 1));
  }
}

async function hardStateAlone(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const operations = [
    append([], hardStateOf(4, 3, 0)),
    append(sampleEntries(1, 3, 4)),
    // Of a change of the membership the commit must be durable before it takes effect, though neither term nor vote is new.
    append([], hardStateOf(4, 3, 2)),
    append([], hardStateOf(4, 3, 3)),
    append([], hardStateOf(2 ** 50, 2 ** 51, 3)),
  ];
  for (const [at, operation] of operations.entries()) {
    await bench.perform([operation]);
    await bench.crash();
    await bench.expect(operations.slice(0, at + 1));
  }
}

async function largeNumbers(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const high = 2 ** 52;
  const snapshot = {
    index: high,
    term: high,
    configuration: { voters: [high], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
  };
  await bench.storage.install(0, hardStateOf(high, high, high), snapshot);
  await bench.append(entriesOf(3, high + 1, high + 2, high + 1));
  await bench.crash();
  const contents = await bench.contents();
  assert.deepEqual(contents.hardState, hardStateOf(high, high, high));
  assert.deepEqual([contents.compactedIndex, contents.lastIndex, ...contents.terms], [high, high + 2, high, high + 1, high + 1]);
}

async function largeData(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const entries: Entry[] = [{ index: 1, term: 1, kind: "command", data: sampleBytes(300_000, 5) }, ...entriesOf(0, 2, 2)];
  await bench.append(entries);
  await bench.crash();
  assertEntries(await bench.readAll(1, 2), entries);
}

async function replaced(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const operations = [
    append(sampleEntries(1, 10, 1)),
    append(sampleEntries(6, 7, 2)),
    append(sampleEntries(8, 9, 3)),
    append(sampleEntries(2, 2, 4), hardStateOf(4, 1, 1)),
    append(sampleEntries(1, 1, 5)),
  ];
  for (const [at, operation] of operations.entries()) {
    await bench.perform([operation]);
    await bench.expect(operations.slice(0, at + 1));
    await bench.crash();
    await bench.expect(operations.slice(0, at + 1));
  }
}

async function replacedByEqual(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const operations = [append(sampleEntries(1, 9, 2)), append(sampleEntries(4, 6, 2))];
  await bench.perform(operations);
  await bench.crash();
  await bench.expect(operations);
}

async function groups(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const [first, second, third] = [
    [append(sampleEntries(1, 5, 1), hardStateOf(1, 1, 0))],
    [append(sampleEntries(1, 9, 2), hardStateOf(2, 2, 4)), append(sampleEntries(3, 4, 3))],
    [append(sampleEntries(1, 2, 7), hardStateOf(7, 3, 1))],
  ] as const;
  // As a 32-bit number it would be group 7, and as one of 48 bits, too.
  const far = 2 ** 52 + 7;
  await Promise.all([bench.perform(first, 0), bench.perform(second, 7), bench.perform(third, far)]);
  await bench.storage.compact(7, 2);
  await bench.crash();
  await bench.expect(first, 0);
  await bench.expect(third, far);
  assert.equal((await bench.contents(7)).lastIndex, 4);
  await bench.expect([], 1);
}

async function reopened(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const first = append(sampleEntries(1, 5, 1));
  await bench.perform([first]);
  const before = await bench.contents();
  assert.deepEqual(await bench.contents(), before, "load changes nothing");
  for (let time = 0; time < 3; time++) await bench.crash();
  assert.deepEqual(await bench.contents(), modelContents(modelOf([first])));
}

/** What one append stores, and that it is there whatever happens. */
export const appendCases: CaseTable<LogLab> = {
  "a storage to which nothing was written is empty": empty,
  "what was acknowledged is there after a crash": kept,
  "every single acknowledgement holds through a crash": keptOneByOne,
  "a hard state alone is stored, and entries alone leave it as it is": hardStateAlone,
  "terms and indexes may be large": largeNumbers,
  "data may be large, or none": largeData,
  "entries replace everything from the first one's index on": replaced,
  "entries replace what follows even if they are the same": replacedByEqual,
  "groups know nothing of each other": groups,
  "crashes and loads alone change nothing": reopened,
};
