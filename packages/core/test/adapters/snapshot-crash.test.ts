import type { PowerLossOptions } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { content, metadataOf, print, SnapshotLab, store } from "./snapshot-lab.js";

const old = content(700_000, 1);
const fresh = content(600_000, 2);

/** What is done when the crash comes: `index` 5 takes the place of the old one, a higher one comes beside it. */
interface Scenario {
  readonly index: number;
  readonly hasOld: boolean;
}

/** Writes a snapshot, and removes those before it. @param told - called when the commit has resolved. */
async function replace(lab: SnapshotLab, index: number, told: () => void): Promise<void> {
  await store(lab.storage, 0, metadataOf(index), fresh);
  told();
  await lab.storage.removeBelow(0, index);
}

async function prepared({ hasOld }: Scenario, seed: number): Promise<SnapshotLab> {
  const lab = new SnapshotLab(seed);
  if (hasOld) await lab.store(0, metadataOf(5), old);
  return lab;
}

/** Crashes after so many events of {@link replace}. @returns whether it had come to its end by then. */
async function crashAfter(events: number, scenario: Scenario, powerLoss: PowerLossOptions | null, seed: number): Promise<boolean> {
  const lab = await prepared(scenario, seed);
  const start = lab.world.events;
  let isCommitted = false;
  let isOver = false;
  const work = replace(lab, scenario.index, () => {
    isCommitted = true;
  });
  void work.then(() => {
    isOver = true;
  });
  await lab.world.runUntil(() => isOver || lab.world.events - start >= events);
  lab.restart(powerLoss);

  const label = `seed ${seed}, event ${events}, ${JSON.stringify(powerLoss)}`;
  const indexes = await lab.list();
  const contents = new Map<number, string>();
  for (const index of indexes) contents.set(index, await lab.read(0, index));
  const [isOld, isFresh] = [contents.get(5) === print(old), contents.get(scenario.index) === print(fresh)];
  // Never a damaged one, never none where there was one, and the new one for sure once that was said.
  expect([label, [...contents.values()].every((one) => one === print(old) || one === print(fresh))]).toEqual([label, true]);
  if (scenario.hasOld) expect([label, isOld || isFresh]).toEqual([label, true]);
  if (isCommitted) expect([label, isFresh]).toEqual([label, true]);
  expect([label, (await lab.names.catch(() => [])).length]).toEqual([label, indexes.length]);

  // And the work can be done again.
  await lab.wait(replace(lab, scenario.index, () => undefined));
  expect([label, await lab.list(), await lab.read(0, scenario.index)]).toEqual([label, [scenario.index], print(fresh)]);
  lab.restart({ unsynced: "lose" });
  // What was removed may be back, and is whole then.
  expect([label, (await lab.list()).at(-1)]).toEqual([label, scenario.index]);
  for (const index of await lab.list()) expect([print(old), print(fresh)]).toContain(await lab.read(0, index));
  return isOver;
}

describe("a power failure at any moment of a snapshot", () => {
  const scenarios: readonly (readonly [string, Scenario])[] = [
    ["the first one", { index: 5, hasOld: false }],
    ["one that takes the place of another", { index: 5, hasOld: true }],
    ["a newer one", { index: 9, hasOld: true }],
  ];
  const losses: readonly (PowerLossOptions | null)[] = [
    null,
    { unsynced: "lose" },
    { unsynced: "keep" },
    { unsynced: "prefix" },
    { unsynced: "subset" },
  ];

  it.each(scenarios)("leaves a complete one: %s", { timeout: 60_000 }, async (_what, scenario) => {
    for (const loss of losses) {
      let events = 0;
      while (!(await crashAfter(events, scenario, loss, events + 1))) events += 1;
      // The count of what must at least be waited for: makes sure that every moment was met.
      expect(events).toBeGreaterThan(10);
    }
  });
});
