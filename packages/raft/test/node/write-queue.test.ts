import { describe, expect, it } from "vitest";
import { createMemoryLogStorage } from "../../src/conformance/index.js";
import type { Entry, HardState, LogStorage, LogWrite, SnapshotMetadata } from "../../src/index.js";
import { WriteQueue } from "../../src/node/write-queue.js";
import { drain, votersOf } from "./group.js";

const entry = (index: number): Entry => ({ index, term: 1, kind: "command", data: new Uint8Array(1) });
const snapshot: SnapshotMetadata = { index: 5, term: 1, configuration: votersOf(1) };

/** A write of the core; lazy ones carry a commit index at most. */
function write(sequence: number, parts: Partial<LogWrite>): LogWrite {
  const lazy = parts.entries === undefined && parts.snapshot === undefined && parts.lazy !== false;
  return { sequence, hardState: null, snapshot: null, entries: [], releases: [], lazy, awaited: false, ...parts };
}

const committed = (commitIndex: number): HardState => ({ currentTerm: 1, votedFor: 1, commitIndex });

interface Held {
  readonly hardState: HardState | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A queue over storage whose calls the test completes, in any order; `null` among the answers stands for "done at once". */
function lab(answersAtOnce: (call: number) => boolean = () => false) {
  const held: Held[] = [];
  const told: (number | string)[] = [];
  let calls = 0;
  const take = (hardState: HardState | null): Promise<void> | undefined =>
    answersAtOnce(calls++) ? undefined : new Promise((resolve, reject) => held.push({ hardState, resolve, reject }));
  const storage: LogStorage = {
    ...createMemoryLogStorage(),
    append: (_group, hardState) => take(hardState),
    install: (_group, hardState) => take(hardState) ?? Promise.resolve(),
  };
  const queue = new WriteQueue(storage, 0, {
    durable: (sequence) => told.push(sequence),
    installed: ({ index }) => told.push(`installed ${index}`),
    failed: (error) => told.push(`failed: ${String(error)}`),
  });
  return { queue, held, told };
}

describe("the write queue", () => {
  it("reports writes as they become durable, several of them on their way", async () => {
    const { queue, held, told } = lab();
    for (const sequence of [1, 2, 3]) queue.push(write(sequence, { entries: [entry(sequence)] }));
    expect(held).toHaveLength(3);
    held[0]?.resolve();
    await drain();
    expect(told).toEqual([1]);
    held[1]?.resolve();
    held[2]?.resolve();
    await drain();
    expect(told).toEqual([1, 2, 3]);
  });

  it("never counts a write as durable while an earlier one is on its way, whatever storage says first", async () => {
    const { queue, held, told } = lab();
    for (const sequence of [1, 2, 3]) queue.push(write(sequence, { entries: [entry(sequence)] }));
    held[2]?.resolve();
    held[1]?.resolve();
    await drain();
    expect(told).toEqual([]);
    held[0]?.resolve();
    await drain();
    expect(told.at(-1)).toBe(3);
  });

  it("waits for what is on its way also where a later write is done at once", async () => {
    const { queue, held, told } = lab((call) => call === 1);
    queue.push(write(1, { snapshot }));
    queue.push(write(2, { entries: [entry(6)] }));
    await drain();
    expect(told).toEqual([]);
    held[0]?.resolve();
    await drain();
    expect(told).toEqual(["installed 5", 2]);
  });

  it("reports a write that is done at once, at once", () => {
    const { queue, told } = lab(() => true);
    queue.push(write(1, { entries: [entry(1)] }));
    queue.push(write(2, { entries: [entry(2)] }));
    expect(told).toEqual([1, 2]);
  });

  it("has what needs no flush ride along with the next write that does", async () => {
    const { queue, held, told } = lab();
    queue.push(write(1, { hardState: committed(3) }));
    expect(told).toEqual([1]);
    queue.push(write(2, { entries: [entry(1)] }));
    expect(held.map(({ hardState }) => hardState?.commitIndex)).toEqual([3]);
    queue.push(write(3, { hardState: committed(4) }));
    queue.push(write(4, {}));
    await drain();
    expect(told).toEqual([1]);
    held[0]?.resolve();
    await drain();
    expect(told).toEqual([1, 4]);
    const settled = queue.settle();
    expect(held[1]?.hardState?.commitIndex).toBe(4);
    held[1]?.resolve();
    await settled;
    await queue.settle();
    expect(held).toHaveLength(2);
  });

  it("counts an install, and the entries of the same write, as one", async () => {
    const { queue, held, told } = lab();
    queue.push(write(1, { snapshot, entries: [entry(6)], hardState: committed(6) }));
    // After a crash between the two, the log ends with the snapshot: nothing is committed beyond it.
    expect(held.map(({ hardState }) => hardState?.commitIndex)).toEqual([5, 6]);
    held[0]?.resolve();
    await drain();
    expect(told).toEqual([]);
    held[1]?.resolve();
    await drain();
    expect(told).toEqual(["installed 5", 1]);
  });

  it("flushes the carried commit index after all that is on its way, and waits for all of it", async () => {
    const { queue, held } = lab();
    queue.push(write(1, { entries: [entry(1)] }));
    queue.push(write(2, { hardState: committed(1) }));
    let isFlushed = false;
    void queue.flush()?.then(() => {
      isFlushed = true;
    });
    expect(held.map(({ hardState }) => hardState?.commitIndex)).toEqual([undefined, 1]);
    held[1]?.resolve();
    await drain();
    expect(isFlushed).toBe(false);
    held[0]?.resolve();
    await drain();
    expect(isFlushed).toBe(true);
  });

  it("is flushed only when the commit index that it carries last is durable, too", async () => {
    const { queue, held } = lab();
    queue.push(write(1, { entries: [entry(1)] }));
    queue.push(write(2, { hardState: committed(1) }));
    let isFlushed = false;
    void queue.flush()?.then(() => {
      isFlushed = true;
    });
    held[0]?.resolve();
    await drain();
    expect(isFlushed).toBe(false);
    held[1]?.resolve();
    await drain();
    expect(isFlushed).toBe(true);
  });

  it("reports a failure, and nothing behind it", async () => {
    const { queue, held, told } = lab();
    for (const sequence of [1, 2]) queue.push(write(sequence, { entries: [entry(sequence)] }));
    held[0]?.reject("EIO");
    held[1]?.resolve();
    await drain();
    expect(told).toEqual(["failed: EIO"]);
  });
});
