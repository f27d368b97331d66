import { AsyncLocalStorage } from "node:async_hooks";
import type { FileLock } from "@octopii/interfaces";
import { expect, test, vi } from "vitest";

/*
 * Processes that claim one directory in memory, their file operations interleaved in an order that a seed gives, and killed between any
 * two of them. What the claims do to one another depends on nothing else.
 */

interface Claimant {
  readonly pid: number;
  alive: boolean;
}

const sandbox = vi.hoisted(() => ({ current: null as Sandbox | null }));
const self = new AsyncLocalStorage<Claimant>();

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

class Sandbox {
  readonly files = new Map<string, string>();
  readonly living = new Set<number>();
  readonly #waiting: { readonly claimant: Claimant; readonly run: () => void }[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  /** Carries `run` out when it is this operation's turn; never, if its process is dead by then. */
  step<T>(run: () => T): Promise<T> {
    const claimant = self.getStore();
    if (claimant === undefined) throw new Error("an operation of nobody");
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        try {
          resolve(run());
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ claimant, run: settle });
    });
  }

  /** Runs operations one by one until none is waiting. @param onStep - sees the claimant whose operation is next. */
  async run(onStep: (next: Claimant) => void): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#waiting.splice(this.below(this.#waiting.length || 1), 1);
      if (next === undefined) return;
      onStep(next.claimant);
      if (next.claimant.alive) next.run();
    }
  }
}

vi.mock("node:fs/promises", () => {
  const box = (): Sandbox => sandbox.current as Sandbox;
  const name = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  const get = (path: string): string => {
    const text = box().files.get(name(path));
    if (text === undefined) throw failure("ENOENT");
    return text;
  };
  const put = (path: string, text: string): void => {
    if (box().files.has(name(path))) throw failure("EEXIST");
    box().files.set(name(path), text);
  };
  return {
    // Each process has a name of its own for the directory, since they share this one's table of what it holds.
    realpath: async () => `/directory/${self.getStore()?.pid}`,
    readdir: () => box().step(() => [...box().files.keys()]),
    readFile: (path: string) => box().step(() => get(path)),
    link: (from: string, to: string) => box().step(() => put(to, get(from))),
    copyFile: () => Promise.reject(failure("ENOSYS")),
    unlink: (path: string) =>
      box().step(() => {
        if (!box().files.delete(name(path))) throw failure("ENOENT");
      }),
    rename: (from: string, to: string) =>
      box().step(() => {
        const text = get(from);
        box().files.delete(name(from));
        box().files.set(name(to), text);
      }),
    open: (path: string) =>
      box().step(() => {
        put(path, "");
        const writeFile = (text: string): Promise<void> => box().step(() => void box().files.set(name(path), text));
        return { writeFile, sync: async () => undefined, close: async () => undefined };
      }),
  };
});

vi.mock("../src/file-system/process-identity.js", () => ({
  ownIdentity: () => ({ pid: self.getStore()?.pid, bootId: null, startTime: null }),
  isAlive: ({ pid }: { pid: number }) => sandbox.current?.living.has(pid) === true,
}));

const { lockDirectory } = await import("../src/file-system/directory-lock.js");

interface Outcome {
  held: number;
  refused: number;
  killed: number;
  restored: number;
}

/** Claims, perhaps confirms, and releases, a few times over. `holders` are those that were told that the directory is theirs. */
async function live(box: Sandbox, claimant: Claimant, holders: Set<Claimant>, outcome: Outcome): Promise<void> {
  for (let round = 0; round < 3; round++) {
    let lock: FileLock;
    try {
      lock = await lockDirectory("directory");
    } catch (error) {
      expect(error).toMatchObject({ code: "ELOCKED", message: expect.stringMatching(/process \d+/) });
      outcome.refused++;
      continue;
    }
    holders.add(claimant);
    outcome.held++;
    if (box.below(2) === 0) {
      await lock.confirm();
      expect(JSON.parse(box.files.get("lock") ?? "null")).toMatchObject({ pid: claimant.pid });
    }
    await box.step(() => undefined);
    holders.delete(claimant);
    await lock.release();
  }
}

async function race(seed: number, outcome: Outcome): Promise<void> {
  const box = new Sandbox(seed);
  sandbox.current = box;
  const holders = new Set<Claimant>();
  const lives: Promise<void>[] = [];
  const begin = (pid: number): void => {
    const claimant = { pid, alive: true };
    box.living.add(pid);
    lives.push(self.run(claimant, () => live(box, claimant, holders, outcome)));
  };
  const dead = { version: 1, bootId: null, startTime: null };
  if (seed % 3 > 0) box.files.set("lock", JSON.stringify({ ...dead, pid: 1, nonce: "a" }));
  if (seed % 3 > 1) box.files.set("lock.takeover.a", JSON.stringify({ ...dead, pid: 2, nonce: "b" }));
  // Pids are never used again: a killed one would still be in the shared table.
  const pids = [1, 2, 3].map((at) => 100 * seed + at);
  for (const pid of pids) begin(pid);
  const failures: unknown[] = [];
  for (const one of lives) one.catch((error: unknown) => failures.push(error));
  let kills = seed % 4;
  await box.run((next) => {
    if (kills > 0 && box.below(25) === 0) {
      kills--;
      outcome.killed++;
      next.alive = false;
      box.living.delete(next.pid);
      holders.delete(next);
    }
    expect(holders.size, "holders at the same time").toBeLessThan(2);
  });
  expect(failures).toEqual([]);
  // Who lives to the end clears up.
  for (const pid of box.living) expect([...box.files.values()].join()).not.toContain(`"pid":${pid},`);
  // Whatever is left, the next process can have the directory, and leaves it as it was or clean.
  box.living.clear();
  for (const isConfirmed of [false, true]) {
    const before = new Map(box.files);
    const next = { pid: 100 * seed + (isConfirmed ? 11 : 10), alive: true };
    box.living.add(next.pid);
    const done = self.run(next, async () => {
      const lock = await lockDirectory("directory");
      if (isConfirmed) await lock.confirm();
      await lock.release();
    });
    await Promise.all([box.run(() => undefined), done]);
    // A claim that its process never got to write names nobody, stands in nobody's way, and stays.
    if (isConfirmed) expect([...box.files.values()].filter((text) => text !== "")).toEqual([]);
    else expect(new Map(box.files)).toEqual(before);
    outcome.restored++;
  }
}

test("however their steps interleave, and wherever they are killed, no two processes hold a directory", { timeout: 60_000 }, async () => {
  const outcome: Outcome = { held: 0, refused: 0, killed: 0, restored: 0 };
  for (let seed = 1; seed <= 400; seed++) {
    await race(seed, outcome).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }
  expect(outcome.held).toBeGreaterThan(500);
  expect(outcome.refused).toBeGreaterThan(500);
  expect(outcome.killed).toBeGreaterThan(200);
});
