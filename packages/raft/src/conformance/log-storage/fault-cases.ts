import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { hardStateOf, sampleEntries } from "../samples.js";
import type { LogBench, LogLab } from "./lab.js";
import { append } from "./model.js";

/** The outcome of an append that may throw, reject, or give nothing. */
async function outcomeOf(bench: LogBench, from: number): Promise<"acknowledged" | "refused"> {
  try {
    await bench.append(sampleEntries(from, from, 2));
    return "acknowledged";
  } catch {
    return "refused";
  }
}

async function finalFailure(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const before = [append(sampleEntries(1, 5, 1), hardStateOf(1, 1, 3))];
  await bench.perform(before);
  assert.ok(bench.fixture.failWrites !== undefined, "the suite was told that the fixture has failWrites");
  bench.fixture.failWrites();
  assert.equal(await outcomeOf(bench, 6), "refused", "a write that failed is not acknowledged");
  for (let again = 0; again < 3; again++) {
    assert.equal(await outcomeOf(bench, 7), "refused", "nothing is acknowledged after a write that failed, until it is opened anew");
  }
  await bench.crash();
  const stored = await bench.expectPrefix([...before, append(sampleEntries(6, 6, 2))], before.length);
  assert.equal(await outcomeOf(bench, stored === before.length ? 6 : 7), "acknowledged", "once it is opened anew, it goes on");
}

async function failureAmongWrites(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  const before = [append(sampleEntries(1, 5, 1))];
  await bench.perform(before);
  const during = [append(sampleEntries(6, 6, 1)), append(sampleEntries(6, 8, 2)), append(sampleEntries(9, 9, 2))];
  const { acknowledged, all } = bench.begin(during);
  assert.ok(bench.fixture.failWrites !== undefined, "the suite was told that the fixture has failWrites");
  bench.fixture.failWrites();
  await all.catch(() => undefined);
  assert.equal(await outcomeOf(bench, 6), "refused");
  assert.deepEqual(
    [...acknowledged].sort(),
    [...Array(acknowledged.size).keys()],
    "what was acknowledged came before everything that was not",
  );
  await bench.crash();
  await bench.expectPrefix([...before, ...during], before.length + acknowledged.size);
}

async function damaged(lab: LogLab): Promise<void> {
  const bench = await lab.open();
  await bench.perform([append(sampleEntries(1, 40, 1), hardStateOf(1, 1, 20)), append(sampleEntries(41, 80, 1))]);
  assert.ok(bench.fixture.damage !== undefined, "the suite was told that the fixture has damage");
  await bench.fixture.damage();
  const opened = async (): Promise<unknown> => {
    await bench.crash();
    return bench.storage.load(0);
  };
  await assert.rejects(
    opened(),
    (error: unknown) => !(error instanceof assert.AssertionError),
    "what was acknowledged is not left out silently",
  );
}

/** When the disk fails. */
export const failWritesCases: CaseTable<LogLab> = {
  "a write that failed is final": finalFailure,
  "writes behind one that failed are not acknowledged": failureAmongWrites,
};

/** When the disk rots. */
export const damageCases: CaseTable<LogLab> = {
  "load rejects rather than leave out what was acknowledged": damaged,
};
