import assert from "node:assert/strict";
import type { SnapshotStorage, SnapshotWriter } from "../../ports.js";
import type { Disposable } from "../case.js";
import { sampleBytes, sampleSnapshot } from "../samples.js";
import type { SnapshotStorageFactory, SnapshotStorageFixture } from "./options.js";

/** What is written for an index. Of each index and `version` it is another, and not of a length that a chunk would have. */
export const dataOf = (index: number, version = 0): Uint8Array => sampleBytes(3_000 + index * 7, index + 1_000 * version);

/** One storage under test. */
export class SnapshotBench {
  readonly fixture: SnapshotStorageFixture;
  storage: SnapshotStorage;

  constructor(fixture: SnapshotStorageFixture) {
    this.fixture = fixture;
    this.storage = fixture.storage;
  }

  /** Begins a snapshot, and writes `data` to it in chunks. */
  async write(index: number, data: Uint8Array = dataOf(index), group = 0, chunkBytes = 1_000): Promise<SnapshotWriter> {
    const writer = await this.storage.create(group, sampleSnapshot(index, 1));
    for (let at = 0; at < data.length; at += chunkBytes) await writer.write(data.slice(at, at + chunkBytes));
    return writer;
  }

  /** Writes a whole snapshot. */
  async store(index: number, data: Uint8Array = dataOf(index), group = 0): Promise<void> {
    const writer = await this.write(index, data, group);
    await writer.commit();
  }

  /** The indexes that are listed. */
  async list(group = 0): Promise<number[]> {
    return (await this.storage.list(group)).map(({ index }) => index);
  }

  async read(index: number, group = 0): Promise<Uint8Array> {
    return collect(this.storage.read(group, index)[Symbol.asyncIterator]());
  }

  async expectData(index: number, data: Uint8Array = dataOf(index), group = 0): Promise<void> {
    assertBytes(await this.read(index, group), data, `the data of snapshot ${index}`);
  }

  /** It is not there: neither in the list, nor for readers. */
  async expectNone(index: number, group = 0): Promise<void> {
    assert.ok(!(await this.list(group)).includes(index), `snapshot ${index} must not be listed`);
    // `read` itself throws nothing: that comes from the iteration.
    const iterator = this.storage.read(group, index)[Symbol.asyncIterator]();
    await assert.rejects(collect(iterator), notAssertion, `snapshot ${index} must not be readable`);
  }

  async crash(): Promise<void> {
    this.storage = await this.fixture.crash();
  }

  step(): Promise<void> {
    return this.fixture.step?.() ?? Promise.resolve();
  }
}

export const notAssertion = (error: unknown): boolean => !(error instanceof assert.AssertionError);

/** What is left of an iteration. */
export async function collect(iterator: AsyncIterator<Uint8Array>, before: readonly Uint8Array[] = []): Promise<Uint8Array> {
  const chunks = [...before];
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) chunks.push(next.value.slice());
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Compares without printing megabytes. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const differs = actual.findIndex((byte, at) => byte !== expected[at]);
  assert.equal(differs, -1, `${what}: byte ${differs} is wrong`);
  assert.equal(actual.length, expected.length, `${what}: the length is wrong`);
}

/** Makes storages for one case. */
export class SnapshotLab implements Disposable {
  readonly crashPoints: number;
  readonly largeBytes: number;
  readonly #factory: SnapshotStorageFactory;
  readonly #fixtures: SnapshotStorageFixture[] = [];

  constructor(factory: SnapshotStorageFactory, crashPoints: number, largeBytes: number) {
    this.#factory = factory;
    this.crashPoints = crashPoints;
    this.largeBytes = largeBytes;
  }

  async open(): Promise<SnapshotBench> {
    const fixture = await this.#factory();
    this.#fixtures.push(fixture);
    return new SnapshotBench(fixture);
  }

  async dispose(): Promise<void> {
    for (const fixture of this.#fixtures.splice(0)) await fixture.dispose?.();
  }
}
