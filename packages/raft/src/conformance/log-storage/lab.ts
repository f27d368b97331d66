import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { LogStorage } from "../../ports.js";
import type { Entry, HardState } from "../../types.js";
import type { Disposable } from "../case.js";
import { contentsOf, type LogContents, modelContents, modelOf, type Operation, perform } from "./model.js";
import type { LogStorageFactory, LogStorageFixture } from "./options.js";

/** Data bytes asked for at once when a log is read in full. */
const readBytes = 200;

/** One storage under test. */
export class LogBench {
  readonly fixture: LogStorageFixture;
  storage: LogStorage;

  constructor(fixture: LogStorageFixture) {
    this.fixture = fixture;
    this.storage = fixture.storage;
  }

  async append(entries: readonly Entry[], hardState: HardState | null = null, group = 0): Promise<void> {
    await this.storage.append(group, hardState, entries);
  }

  /** One after the other, each awaited. */
  async perform(operations: readonly Operation[], group = 0): Promise<void> {
    for (const operation of operations) await perform(this.storage, group, operation);
  }

  /** Begins all at once. @returns which are acknowledged, at any moment, in the order in which they resolved; and a promise for all. */
  begin(operations: readonly Operation[], group = 0): { acknowledged: Set<number>; resolved: number[]; all: Promise<unknown> } {
    const acknowledged = new Set<number>();
    const resolved: number[] = [];
    const pending = operations.map(async (operation, at) => {
      const result = perform(this.storage, group, operation);
      // Durable already, although its turn to be told of comes later.
      if (result === undefined) acknowledged.add(at);
      return Promise.resolve(result).then(() => {
        acknowledged.add(at);
        resolved.push(at);
      });
    });
    const all = Promise.all(pending);
    // A crash may have them reject when nobody waits any more.
    for (const one of pending) one.catch(() => undefined);
    all.catch(() => undefined);
    return { acknowledged, resolved, all };
  }

  async crash(): Promise<void> {
    this.storage = await this.fixture.crash();
  }

  step(): Promise<void> {
    return this.fixture.step?.() ?? Promise.resolve();
  }

  /** Everything that is stored, as a node finds it when it starts. */
  async contents(group = 0): Promise<LogContents> {
    const log = await this.storage.load(group);
    assert.equal(log.terms[0]?.firstIndex, log.compactedIndex, "the first run of terms begins at compactedIndex");
    for (const [at, { firstIndex, term }] of log.terms.entries()) {
      const before = log.terms[at - 1];
      assert.ok(
        before === undefined || (before.firstIndex < firstIndex && before.term < term),
        "runs of terms ascend, each with its own term",
      );
    }
    return contentsOf(log, await this.readAll(log.compactedIndex + 1, log.lastIndex, group));
  }

  async readAll(from: number, to: number, group = 0): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let next = from; next <= to; ) {
      const read = await this.storage.read(group, next, to, readBytes);
      assert.ok(read.length > 0, `read gives at least one entry of [${next}, ${to}]`);
      entries.push(...read);
      next += read.length;
    }
    return entries;
  }

  /** The log is as `operations` make it. */
  async expect(operations: readonly Operation[], group = 0): Promise<void> {
    assert.deepEqual(await this.contents(group), modelContents(modelOf(operations)));
  }

  /** The log is as the first so many of `operations` make it: at least `least` of them. */
  async expectPrefix(operations: readonly Operation[], least: number, group = 0): Promise<number> {
    const found = await this.contents(group);
    for (let count = operations.length; count >= least; count--) {
      if (isDeepStrictEqual(found, modelContents(modelOf(operations.slice(0, count))))) return count;
    }
    const expected = `what the first ${least} to ${operations.length} of the writes make, each of them whole or not at all`;
    throw new assert.AssertionError({ message: `after a crash the log is not ${expected}`, actual: found, operator: "expectPrefix" });
  }
}

/** Makes storages for one case. */
export class LogLab implements Disposable {
  readonly crashPoints: number;
  readonly #factory: LogStorageFactory;
  readonly #fixtures: LogStorageFixture[] = [];

  constructor(factory: LogStorageFactory, crashPoints: number) {
    this.#factory = factory;
    this.crashPoints = crashPoints;
  }

  async open(): Promise<LogBench> {
    const fixture = await this.#factory();
    this.#fixtures.push(fixture);
    return new LogBench(fixture);
  }

  /**
   * Performs `before`, begins `operations` all at once, crashes in the midst, and checks that each is stored whole or not at all, in order, and
   * at least those that were acknowledged. Again and again, each time a step later.
   */
  async crashDuring(before: readonly Operation[], operations: readonly Operation[]): Promise<void> {
    for (let steps = 0; steps < this.crashPoints; steps++) {
      const bench = await this.open();
      await bench.perform(before);
      const { acknowledged } = bench.begin(operations);
      for (let step = 0; step < steps; step++) await bench.step();
      const least = before.length + 1 + Math.max(-1, ...acknowledged);
      await bench.crash();
      const stored = await bench.expectPrefix([...before, ...operations], least);
      // What is left is a log that goes on.
      const { lastIndex } = modelOf([...before, ...operations].slice(0, stored));
      await bench.append([{ index: lastIndex + 1, term: 99, kind: "command", data: Uint8Array.of(steps) }]);
      await bench.crash();
      assert.equal((await bench.contents()).lastIndex, lastIndex + 1);
    }
  }

  async dispose(): Promise<void> {
    for (const fixture of this.#fixtures.splice(0)) await fixture.dispose?.();
  }
}
