import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { entriesOf, hardStateOf, sampleEntries, sampleSnapshot } from "../samples.js";
import type { LogLab } from "./lab.js";
import { append, install, type Operation } from "./model.js";

/** The same indexes three times over, and the log cut short in between. */
const overwrites: readonly Operation[] = [
  append(sampleEntries(1, 6, 1), hardStateOf(1, 1, 0)),
  append(sampleEntries(7, 8, 1)),
  append(sampleEntries(3, 9, 2), hardStateOf(2, 3, 2)),
  append([], hardStateOf(3, 0, 2)),
  append(sampleEntries(3, 3, 3)),
  append(sampleEntries(4, 7, 3), hardStateOf(3, 2, 3)),
];

const installs: readonly Operation[] = [
  append(sampleEntries(1, 6, 1), hardStateOf(1, 1, 0)),
  install(sampleSnapshot(20, 2), hardStateOf(2, 1, 20)),
  append(sampleEntries(21, 24, 2)),
  append(sampleEntries(23, 23, 3), hardStateOf(3, 1, 21)),
  install(sampleSnapshot(31, 3)),
  append(sampleEntries(32, 33, 3)),
];

async function inOrder(lab: LogLab): Promise<void> {
  for (const operations of [overwrites, installs]) {
    const bench = await lab.open();
    const { resolved, all } = bench.begin(operations);
    await all;
    assert.deepEqual(resolved, [...operations.keys()], "calls resolve in the order in which they were made");
    await bench.expect(operations);
    await bench.crash();
    await bench.expect(operations);
  }
}

const appendsCrash = (lab: LogLab): Promise<void> => lab.crashDuring([], overwrites);

const replacingCrash = (lab: LogLab): Promise<void> =>
  lab.crashDuring([append(sampleEntries(1, 30, 1), hardStateOf(1, 1, 3))], [append(sampleEntries(5, 25, 2), hardStateOf(2, 2, 4))]);

const manyCrash = (lab: LogLab): Promise<void> =>
  lab.crashDuring([append(entriesOf(20, 1, 300), hardStateOf(1, 1, 3))], [append(entriesOf(20, 100, 2_100, 2), hardStateOf(2, 2, 4))]);

const bulkyCrash = (lab: LogLab): Promise<void> =>
  lab.crashDuring([append(entriesOf(8_192, 1, 8), hardStateOf(1, 1, 3))], [append(entriesOf(8_192, 5, 130, 2), hardStateOf(2, 2, 4))]);

const installCrash = (lab: LogLab): Promise<void> =>
  lab.crashDuring(
    [append(sampleEntries(1, 9, 1), hardStateOf(1, 1, 4)), append([], hardStateOf(2, 0, 4))],
    [install(sampleSnapshot(8, 2), hardStateOf(2, 0, 8))],
  );

const mixedCrash = (lab: LogLab): Promise<void> => lab.crashDuring(installs.slice(0, 1), installs.slice(1));

async function interleavedGroups(lab: LogLab): Promise<void> {
  for (let steps = 0; steps < lab.crashPoints; steps++) {
    const bench = await lab.open();
    const first = bench.begin(overwrites, 1);
    const second = bench.begin(installs, 2);
    for (let step = 0; step < steps; step++) await bench.step();
    const least = [first.acknowledged.size, second.acknowledged.size] as const;
    await bench.crash();
    await bench.expectPrefix(overwrites, least[0], 1);
    await bench.expectPrefix(installs, least[1], 2);
  }
}

/** Calls that overlap, and crashes in the midst of them. */
export const orderCases: CaseTable<LogLab> = {
  "calls that overlap take effect, and resolve, in order": inOrder,
  "a crash leaves each of many appends whole or not at all, in order": appendsCrash,
  "a crash leaves the entries and hard state of a replacing append together, or neither": replacingCrash,
  "a crash leaves thousands of entries of one append together, or none": manyCrash,
  "a crash leaves a megabyte of one append together, or nothing": bulkyCrash,
  "a crash leaves the log before an install or the one after it": installCrash,
  "a crash leaves appends and installs in order": mixedCrash,
  "a crash in the midst of two groups' writes leaves both in order": interleavedGroups,
};
