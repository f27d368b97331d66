import assert from "node:assert/strict";
import type { StateMachine } from "../../ports.js";
import type { Entry } from "../../types.js";
import type { Disposable } from "../case.js";
import type { StateMachineFixture, StateMachineSuiteOptions } from "./options.js";

/** A state machine, and how far it has come. */
export class Replayed<Result> {
  readonly stateMachine: StateMachine<Result>;
  readonly #commands: readonly Uint8Array[];
  /** How many of the commands it has applied. */
  #applied = 0;

  constructor(stateMachine: StateMachine<Result>, commands: readonly Uint8Array[]) {
    this.stateMachine = stateMachine;
    this.#commands = commands;
  }

  /** Applies commands up to the `count`th, at most `batch` at once. @returns their results. */
  async applyTo(count: number, batch: number = this.#commands.length): Promise<Result[]> {
    const results: Result[] = [];
    while (this.#applied < count) {
      const from = this.#applied;
      const datas = this.#commands.slice(from, Math.min(count, from + batch));
      const entries = datas.map((data, at): Entry => ({ index: from + at + 1, term: 1, kind: "command", data: data.slice() }));
      const given = await this.stateMachine.apply(entries);
      assert.equal(given.length, entries.length, "apply gives one result for each command");
      results.push(...given);
      this.#applied += entries.length;
    }
    return results;
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const snapshot = this.stateMachine.snapshot?.();
    assert.ok(snapshot !== undefined, "the state machine has a method `snapshot`; otherwise set `snapshots: false`");
    return snapshot;
  }

  /** Becomes what a snapshot holds that was taken after `count` commands. */
  async restore(chunks: AsyncIterable<Uint8Array>, count: number): Promise<void> {
    assert.ok(this.stateMachine.restore !== undefined, "the state machine has a method `restore`; otherwise set `snapshots: false`");
    await this.stateMachine.restore(chunks);
    this.#applied = count;
  }
}

/** Reads a snapshot to its end, into one piece. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes: number[] = [];
  for await (const chunk of chunks) for (const byte of chunk) bytes.push(byte);
  return Uint8Array.from(bytes);
}

/** The same bytes, cut otherwise. */
export async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes);
}

/** Makes state machines for one case. */
export class MachineLab<Result> implements Disposable {
  readonly commands: readonly Uint8Array[];
  readonly #options: StateMachineSuiteOptions<Result>;
  readonly #fixtures: StateMachineFixture<Result>[] = [];
  #expected: readonly Result[] | null = null;

  constructor(options: StateMachineSuiteOptions<Result>) {
    this.#options = options;
    this.commands = options.commands;
  }

  async create(): Promise<Replayed<Result>> {
    const fixture = await this.#options.create();
    this.#fixtures.push(fixture);
    return new Replayed(fixture.stateMachine, this.commands);
  }

  /** Moments in the history: its ends, and what lies between, but not more than a few. */
  get cuts(): number[] {
    const { length } = this.commands;
    return [...new Set([0, 1, 2, Math.floor(length / 3), Math.floor(length / 2), length - 1])].sort((a, b) => a - b);
  }

  /** A snapshot of a fresh state machine after `count` commands, in one piece. */
  async snapshotAt(count: number): Promise<Uint8Array> {
    const machine = await this.create();
    await machine.applyTo(count);
    return readAll(machine.snapshot());
  }

  /** Goes on from the `count`th command, which `machine` is to have applied, and compares with a machine that has seen it all. */
  async expectAt(machine: Replayed<Result>, count: number, what: string): Promise<void> {
    this.#expected ??= await (await this.create()).applyTo(this.commands.length);
    const results = await machine.applyTo(this.commands.length);
    assert.deepEqual(results, this.#expected.slice(count), `${what}: later commands give other results than they should`);
  }

  async dispose(): Promise<void> {
    for (const fixture of this.#fixtures.splice(0)) await fixture.dispose?.();
  }
}
