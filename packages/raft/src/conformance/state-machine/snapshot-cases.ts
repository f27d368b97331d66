import assert from "node:assert/strict";
import type { CaseTable } from "../case.js";
import { inChunks, type MachineLab, readAll } from "./lab.js";

async function restored(lab: MachineLab<unknown>): Promise<void> {
  for (const cut of lab.cuts) {
    const machine = await lab.create();
    await machine.restore(inChunks(await lab.snapshotAt(cut), 1_000), cut);
    await lab.expectAt(machine, cut, `restored from a snapshot taken after ${cut} commands`);
  }
}

async function momentOfCall(lab: MachineLab<unknown>): Promise<void> {
  for (const cut of lab.cuts) {
    const source = await lab.create();
    await source.applyTo(cut);
    const snapshot = source.snapshot();
    // Nobody has begun to read it.
    await source.applyTo(lab.commands.length, 1);
    const machine = await lab.create();
    await machine.restore(inChunks(await readAll(snapshot), 1_000), cut);
    await lab.expectAt(machine, cut, `restored from a snapshot of ${cut} commands, which was read after all others were applied`);
  }
}

async function readInBetween(lab: MachineLab<unknown>): Promise<void> {
  for (const cut of lab.cuts) {
    const source = await lab.create();
    await source.applyTo(cut);
    const bytes: number[] = [];
    let applied = cut;
    for await (const chunk of source.snapshot()) {
      for (const byte of chunk) bytes.push(byte);
      applied = Math.min(lab.commands.length, applied + 1);
      await source.applyTo(applied);
    }
    const machine = await lab.create();
    await machine.restore(inChunks(Uint8Array.from(bytes), 1_000), cut);
    await lab.expectAt(machine, cut, `restored from a snapshot of ${cut} commands, between whose chunks others were applied`);
    await lab.expectAt(source, applied, "a state machine of which a snapshot was taken");
  }
}

async function otherChunks(lab: MachineLab<unknown>): Promise<void> {
  const cut = lab.commands.length - 1;
  const bytes = await lab.snapshotAt(cut);
  for (const chunkBytes of [1, 2, 3, 5, 64, bytes.length + 1]) {
    const machine = await lab.create();
    await machine.restore(inChunks(bytes, chunkBytes), cut);
    await lab.expectAt(machine, cut, `restored from chunks of ${chunkBytes} bytes`);
  }
  const gaps = async function* (): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of inChunks(bytes, 4)) {
      yield new Uint8Array(0);
      yield chunk;
    }
    yield new Uint8Array(0);
  };
  const machine = await lab.create();
  await machine.restore(gaps(), cut);
  await lab.expectAt(machine, cut, "restored from chunks of which some are empty");
}

async function overExisting(lab: MachineLab<unknown>): Promise<void> {
  const { length } = lab.commands;
  for (const cut of lab.cuts) {
    const machine = await lab.create();
    await machine.applyTo(length);
    await machine.restore(inChunks(await lab.snapshotAt(cut), 1_000), cut);
    await lab.expectAt(machine, cut, `a state of ${length} commands, replaced by a snapshot of ${cut}`);
  }
}

async function again(lab: MachineLab<unknown>): Promise<void> {
  const machine = await lab.create();
  for (const cut of [...lab.cuts, ...lab.cuts].reverse()) {
    await machine.restore(inChunks(await lab.snapshotAt(cut), 1_000), cut);
    const copy = await lab.create();
    await copy.restore(inChunks(await readAll(machine.snapshot()), 1_000), cut);
    await lab.expectAt(copy, cut, `a snapshot of what was restored from a snapshot of ${cut} commands`);
  }
  await lab.expectAt(machine, lab.cuts[0] ?? 0, "restored many times over");
}

async function snapshotOutlivesRestore(lab: MachineLab<unknown>): Promise<void> {
  const cut = lab.commands.length - 1;
  const source = await lab.create();
  await source.applyTo(cut);
  const snapshot = source.snapshot();
  await source.restore(inChunks(await lab.snapshotAt(1), 1_000), 1);
  await source.applyTo(2);
  const machine = await lab.create();
  await machine.restore(inChunks(await readAll(snapshot), 1_000), cut);
  await lab.expectAt(machine, cut, "restored from a snapshot of a state that was then replaced");
}

async function brokenOff(lab: MachineLab<unknown>): Promise<void> {
  const cut = lab.commands.length - 1;
  const bytes = await lab.snapshotAt(cut);
  const broken = new Error("the snapshot could not be read any further");
  const breaking = async function* (after: number): AsyncGenerator<Uint8Array, void, void> {
    yield bytes.slice(0, after);
    throw broken;
  };
  const machine = await lab.create();
  for (const after of [0, Math.floor(bytes.length / 2), bytes.length]) {
    await assert.rejects(
      machine.restore(breaking(after), cut),
      (error) => !(error instanceof assert.AssertionError),
      "restore rejects when its data does",
    );
  }
  await machine.restore(inChunks(bytes, 1_000), cut);
  await lab.expectAt(machine, cut, "restored in the second attempt, after data that broke off");
}

async function givenUp(lab: MachineLab<unknown>): Promise<void> {
  const cut = lab.commands.length - 1;
  const source = await lab.create();
  await source.applyTo(cut);
  for await (const chunk of source.snapshot()) if (chunk.length > 0) break;
  await source.snapshot()[Symbol.asyncIterator]().return?.();
  const machine = await lab.create();
  await machine.restore(inChunks(await readAll(source.snapshot()), 1_000), cut);
  await lab.expectAt(machine, cut, "restored from the snapshot after one that was given up");
  await lab.expectAt(source, cut, "a state machine whose snapshots were given up");
}

/** Snapshots, and what becomes of them. */
export const snapshotCases: CaseTable<MachineLab<unknown>> = {
  "a snapshot holds the whole state": restored,
  "a snapshot is of the moment of the call, not of the first read": momentOfCall,
  "commands may be applied while a snapshot is read": readInBetween,
  "a snapshot is restored from chunks of any size": otherChunks,
  "restore replaces what was there before": overExisting,
  "a restored state can be snapshotted, and restored over, again": again,
  "a snapshot outlives a restore over the state that it is of": snapshotOutlivesRestore,
  "restore rejects when its data breaks off, and can be repeated": brokenOff,
  "whoever reads a snapshot may give up": givenUp,
};
