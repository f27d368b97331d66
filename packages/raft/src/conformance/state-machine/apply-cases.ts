import assert from "node:assert/strict";
import type { Entry } from "../../types.js";
import type { CaseTable } from "../case.js";
import type { MachineLab } from "./lab.js";

async function deterministic(lab: MachineLab<unknown>): Promise<void> {
  const first = await lab.create();
  const second = await lab.create();
  const { length } = lab.commands;
  assert.deepEqual(await second.applyTo(length), await first.applyTo(length), "two replicas give the same results");
}

async function batches(lab: MachineLab<unknown>): Promise<void> {
  for (const batch of [1, 2, 3, 7]) {
    const machine = await lab.create();
    const results = await machine.applyTo(lab.commands.length, batch);
    const whole = await (await lab.create()).applyTo(lab.commands.length);
    assert.deepEqual(results, whole, `the results do not depend on how commands are batched; here ${batch} at once`);
  }
}

async function untouched(lab: MachineLab<unknown>): Promise<void> {
  const { stateMachine } = await lab.create();
  const entries = lab.commands.map((data, at): Entry => ({ index: at + 1, term: 1, kind: "command", data: data.slice() }));
  const results = await stateMachine.apply(entries);
  assert.equal(results.length, entries.length, "apply gives one result for each command");
  for (const [at, { data }] of entries.entries()) {
    assert.deepEqual(Array.from(data), Array.from(lab.commands[at] ?? []), "the bytes of an entry belong to the log: nobody changes them");
  }
}

/** What commands do. */
export const applyCases: CaseTable<MachineLab<unknown>> = {
  "the same commands give the same results": deterministic,
  "it does not matter how commands are batched": batches,
  "commands are left as they are": untouched,
};
