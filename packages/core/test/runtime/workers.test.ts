import { createHash } from "node:crypto";
import { threadId } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import {
  type CreateWorkerPool,
  createRuntime,
  defineWorkerTask,
  type Runtime,
  type RuntimeEvent,
  type RuntimeOptions,
  transferred,
  type WorkerTask,
} from "../../src/index.js";

const module = new URL("./workers.mjs", import.meta.url);
const hash = defineWorkerTask<(bytes: Uint8Array) => string>(module, "hash");
const whichThread = defineWorkerTask<(nothing: undefined) => number>(module, "whichThread");
const fail = defineWorkerTask<(message: string) => never>(module, "fail");
const exit = defineWorkerTask<(nothing: undefined) => never>(module, "exit");
const spin = defineWorkerTask<(nothing: undefined) => never>(module, "spin");
const waitFor = defineWorkerTask<(cells: Int32Array) => string>(module, "waitFor");
const fill: WorkerTask<ArrayBuffer, ArrayBuffer> = defineWorkerTask<(buffer: ArrayBuffer) => ReturnType<typeof transferred<ArrayBuffer>>>(
  module,
  "fill",
);

const opened: Runtime[] = [];
afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close({ deadlineMs: 0 });
});
function open(options: RuntimeOptions = {}, onEvent: (event: RuntimeEvent) => void = () => undefined): Runtime {
  const runtime = createRuntime({ workers: 2, ...options }, { onEvent });
  opened.push(runtime);
  return runtime;
}
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
/** Cells that threads share: the first releases them, the second counts how many have begun. */
const sharedCells = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));
const release = (cells: Int32Array): void => {
  Atomics.store(cells, 0, 1);
  Atomics.notify(cells, 0);
};
async function begun(cells: Int32Array, count: number): Promise<void> {
  while (Atomics.load(cells, 1) < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("run", () => {
  it("calls a function on another thread and gives its result", async () => {
    const runtime = open();
    const bytes = new TextEncoder().encode("octopus");
    expect(await runtime.run(hash, bytes)).toBe(createHash("sha256").update("octopus").digest("hex"));
    expect(bytes.length).toBe(7);
    expect(await runtime.run(whichThread, undefined)).not.toBe(threadId);
  });

  it("hands over what is listed for transfer, both ways, instead of copying it", async () => {
    const runtime = open();
    const buffer = new ArrayBuffer(64 * 1024);
    const filled = await runtime.run(fill, buffer, { transfer: [buffer] });
    expect(buffer.byteLength).toBe(0);
    expect(new Uint8Array(filled).every((byte) => byte === 7)).toBe(true);
  });

  it("passes on what the function throws, and goes on", async () => {
    const runtime = open();
    expect(await caught(runtime.run(fail, "not like this"))).toMatchObject({ name: "TypeError", message: "not like this" });
    expect(await runtime.run(whichThread, undefined)).toBeGreaterThan(0);
  });

  it("tells that a thread ended before it answered, and replaces it", async () => {
    const runtime = open({ workers: 1 });
    expect(await caught(runtime.run(exit, undefined))).toMatchObject({ code: "OCTOPII_RUNTIME_WORKER_LOST", outcome: "unknown" });
    expect(await runtime.run(whichThread, undefined)).toBeGreaterThan(0);
  });

  it("ends the thread of a call that is aborted while it runs, and goes on with another", async () => {
    const runtime = open({ workers: 1 });
    const aborting = new AbortController();
    const spinning = caught(runtime.run(spin, undefined, { signal: aborting.signal }));
    const waiting = runtime.run(whichThread, undefined);
    setTimeout(() => aborting.abort("too long"), 200);
    expect(await spinning).toBe("too long");
    expect(await waiting).toBeGreaterThan(0);
  });

  it("never begins a call whose signal aborts while it waits", async () => {
    const runtime = open({ workers: 1 });
    const cells = sharedCells();
    const holding = runtime.run(waitFor, cells);
    await begun(cells, 1);
    const aborting = new AbortController();
    const waiting = caught(runtime.run(waitFor, cells, { signal: aborting.signal }));
    aborting.abort("changed my mind");
    expect(await waiting).toBe("changed my mind");
    release(cells);
    expect(await holding).toBe("waited");
    expect(Atomics.load(cells, 1)).toBe(1);
    expect(await caught(runtime.run(hash, new Uint8Array(1), { signal: aborting.signal }))).toBe("changed my mind");
  });

  it("refuses calls over the bound on what waits, and takes them again when there is room", async () => {
    const runtime = open({ workers: 1, maxQueuedRuns: 2 });
    const cells = sharedCells();
    const calls = Array.from({ length: 3 }, () => runtime.run(waitFor, cells));
    expect(await caught(runtime.run(waitFor, cells))).toMatchObject({ code: "OCTOPII_RUNTIME_QUEUE_FULL", outcome: "failed" });
    expect(runtime.stats().runs).toBe(3);
    release(cells);
    expect(await Promise.all(calls)).toEqual(["waited", "waited", "waited"]);
    expect(await runtime.run(waitFor, cells)).toBe("waited");
    expect(Atomics.load(cells, 1)).toBe(4);
  });
});

describe("the close of a runtime with workers", () => {
  it("waits for calls that come to their end, ends those that do not, and all threads", async () => {
    const runtime = open();
    const cells = sharedCells();
    const ending = runtime.run(waitFor, cells);
    const endless = caught(runtime.run(spin, undefined));
    await begun(cells, 1);
    const closed = runtime.close({ deadlineMs: 1_000 });
    release(cells);
    expect(await ending).toBe("waited");
    expect(await endless).toMatchObject({ code: "OCTOPII_RUNTIME_CLOSED", outcome: "unknown" });
    expect(await closed).toEqual({ abandoned: [] });
    expect(await caught(runtime.run(hash, new Uint8Array(1)))).toMatchObject({ code: "OCTOPII_RUNTIME_CLOSED", outcome: "failed" });
    expect(runtime.stats()).toMatchObject({ runs: 0, tasks: 0 });
  });

  it("ends the calls of a group with that group", async () => {
    const runtime = open({ workers: 1 });
    const group = runtime.group("node 1");
    const endless = caught(group.run(spin, undefined));
    await group.close({ deadlineMs: 100 });
    expect(await endless).toMatchObject({ code: "OCTOPII_RUNTIME_CLOSED", outcome: "unknown" });
    expect(await runtime.run(whichThread, undefined)).toBeGreaterThan(0);
  });
});

describe("a runtime that never runs anything on a worker", () => {
  it("makes no pool, and so loads no package and starts no thread", async () => {
    let pools = 0;
    const createWorkerPool: CreateWorkerPool = async () => {
      pools += 1;
      return { run: async ({ input }) => input, close: async () => undefined };
    };
    const runtime = createRuntime({ workers: 1 }, { createWorkerPool });
    expect(await runtime.spawn(() => 1).join()).toBe(1);
    expect(pools).toBe(0);
    expect(await Promise.all([1, 2].map((n) => runtime.run(defineWorkerTask<(n: number) => number>(module), n)))).toEqual([1, 2]);
    expect(pools).toBe(1);
    await runtime.close();
  });

  it("says so where there are no workers, or nothing to make them of", async () => {
    expect(await caught(open({ workers: 0 }).run(hash, new Uint8Array(1)))).toMatchObject({ code: "OCTOPII_RUNTIME_WORKERS_MISSING" });
  });

  it("names a module by URL or absolute path", () => {
    expect(() => defineWorkerTask("./hash.js")).toThrow(/file: URL or an absolute path/);
    expect(() => defineWorkerTask("/srv/hash.js", "")).toThrow(TypeError);
    expect(transferred(1, [])).toBeTypeOf("object");
  });
});
