import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownIdentity } from "../src/file-system/process-identity.js";
import { nodeFileSystem as fileSystem } from "../src/index.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-system-`);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function writeClaim(name: string, fields: Record<string, unknown>): Promise<void> {
  await writeFile(`${directory}/${name}`, JSON.stringify({ version: 1, ...ownIdentity(), nonce: "1234", ...fields }));
}

/** The pid of a process that is no more. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

/** All names in the directory with their bytes and inodes. */
async function snapshot(): Promise<Record<string, string>> {
  const names = await readdir(directory);
  const pairs = names.map(async (name) => {
    const path = `${directory}/${name}`;
    return [name, `${(await stat(path)).ino} ${await readFile(path, "utf8")}`] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

async function ownerPid(): Promise<unknown> {
  return (JSON.parse(await readFile(`${directory}/lock`, "utf8")) as { pid: unknown }).pid;
}

test("a directory is held once, released, and taken again", async () => {
  const lock = await fileSystem.lock(directory);
  await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining(`${process.pid}`) });
  await symlink(directory, `${directory}/same`);
  await expect(fileSystem.lock(`${directory}/same`)).rejects.toMatchObject({ code: "ELOCKED" });
  await lock.release();
  await lock.release();
  await expect(lock.confirm()).rejects.toMatchObject({ code: "EBADF" });
  expect(await readdir(directory)).toEqual(["same"]);
  const next = await fileSystem.lock(directory);
  await next.confirm();
  await next.confirm();
  expect(await ownerPid()).toBe(process.pid);
  await next.release();
  expect(await readdir(directory)).toEqual(["same"]);
});

test("a release waits for the confirmation before it", async () => {
  await writeClaim("lock", { pid: deadPid() });
  const lock = await fileSystem.lock(directory);
  await Promise.all([lock.confirm(), lock.release()]);
  expect(await readdir(directory)).toEqual([]);
  await (await fileSystem.lock(directory)).release();
});

test("a live process's lock is respected, and nothing is written beside it", async () => {
  await writeClaim("lock", {});
  const before = await stat(directory, { bigint: true });
  await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED" });
  await writeClaim("lock", { pid: 1, startTime: null });
  await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining("process 1;") });
  expect(await readdir(directory)).toEqual(["lock"]);
  expect((await stat(directory, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
});

test.each<[string, () => Record<string, unknown>]>([
  ["a dead process", () => ({ pid: deadPid() })],
  ["a process whose pid another has now", () => ({ startTime: "1" })],
  ["a time before the last boot", () => ({ bootId: "another boot" })],
])("the lock of %s stays until the new one is confirmed, and then makes room for it", async (_, fields) => {
  await writeClaim("lock", fields());
  const before = await snapshot();
  for (let round = 0; round < 2; round++) {
    const refused = await fileSystem.lock(directory);
    expect(await snapshot()).toMatchObject(before);
    await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining(`${process.pid}`) });
    await refused.release();
    expect(await snapshot()).toEqual(before);
  }
  const lock = await fileSystem.lock(directory);
  await lock.confirm();
  expect(JSON.parse(await readFile(`${directory}/lock`, "utf8"))).toMatchObject({ ...ownIdentity(), version: 1 });
  expect(await readdir(directory)).toEqual(["lock"]);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test("a lock that cannot be read is respected, and the message says what to do", async () => {
  for (const text of ["", "{", "[]", '{"version":1}', '{"version":2,"pid":1,"nonce":"1","bootId":null,"startTime":null}']) {
    await writeFile(`${directory}/lock`, text);
    await expect(fileSystem.lock(directory)).rejects.toMatchObject({
      code: "ELOCKED",
      message: expect.stringContaining(`${directory}/lock`),
    });
    expect(await readdir(directory)).toEqual(["lock"]);
  }
});

test("what killed claimants left stays too until the lock is confirmed", async () => {
  const pid = deadPid();
  await writeClaim("lock", { pid, nonce: "aa" });
  await writeClaim("lock.takeover.aa", { pid, nonce: "bb" });
  await writeClaim("lock.takeover.bb", { pid, nonce: "cc" });
  await writeClaim("lock.claim.bb", { pid, nonce: "bb" });
  await writeClaim("lock.takeover.0", { pid, nonce: "dd" });
  const before = await snapshot();
  await (await fileSystem.lock(directory)).release();
  expect(await snapshot()).toEqual(before);
  const lock = await fileSystem.lock(directory);
  expect(Object.keys(await snapshot())).toEqual([...Object.keys(before), "lock.takeover.cc"].sort());
  await lock.confirm();
  expect(await readdir(directory)).toEqual(["lock"]);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test("of more killed claimants than are kept only the lock itself stays, and a circle of them is refused", async () => {
  const pid = deadPid();
  await writeClaim("lock", { pid, nonce: "0" });
  for (let at = 0; at < 20; at++) await writeClaim(`lock.takeover.${at}`, { pid, nonce: `${at + 1}` });
  const { lock: former } = await snapshot();
  await (await fileSystem.lock(directory)).release();
  expect(await snapshot()).toEqual({ lock: former });
  await writeClaim("lock.takeover.0", { pid, nonce: "0" });
  await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining("lock.*") });
  expect(await readdir(directory)).toEqual(["lock", "lock.takeover.0"]);
});

test("a directory that does not exist is refused", async () => {
  await expect(fileSystem.lock(`${directory}/none`)).rejects.toMatchObject({ code: "ENOENT" });
});

/** A process that does with the directory's lock as it is told. */
class Locker {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncGenerator<string>;

  constructor() {
    const script = fileURLToPath(new URL("./support/child/locker.ts", import.meta.url));
    const config = fileURLToPath(new URL("./support/child/tsconfig.json", import.meta.url));
    const env = { ...process.env, TSX_TSCONFIG_PATH: config };
    this.#child = spawn(process.execPath, ["--import", "tsx", script, directory], { env });
    this.#lines = linesOf(this.#child);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async answer(): Promise<unknown> {
    return (await this.#lines.next()).value;
  }

  tell(line: string): Promise<unknown> {
    this.#child.stdin.write(`${line}\n`);
    return this.answer();
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

async function* linesOf(child: ChildProcessWithoutNullStreams): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of child.stdout) {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

async function startLockers(count: number): Promise<Locker[]> {
  const lockers = Array.from({ length: count }, () => new Locker());
  for (const locker of lockers) expect(await locker.answer()).toBe("ready");
  return lockers;
}

test("of many processes that want a dead one's directory at the same time one gets it", { timeout: 30_000 }, async () => {
  const lockers = await startLockers(4);
  for (let round = 0; round < 30; round++) {
    await writeClaim("lock", { pid: deadPid(), nonce: `${round}` });
    const before = await snapshot();
    const results = await Promise.all(lockers.map((locker) => locker.tell("lock")));
    expect(results.toSorted()).toEqual(["ELOCKED", "ELOCKED", "ELOCKED", "locked"]);
    const winner = lockers[results.indexOf("locked")] ?? expect.fail();
    const isConfirmed = round % 3 !== 0;
    if (isConfirmed) {
      // The others try again all the while, at any step of it.
      const [confirmed, ...others] = await Promise.all([winner.tell("confirm"), ...lockers.map((locker) => locker.tell("lock"))]);
      expect([confirmed, ...new Set(others)]).toEqual(["confirmed", "ELOCKED"]);
      expect(await ownerPid()).toBe(winner.pid);
    }
    for (const locker of lockers) expect(await locker.tell("release")).toBe("released");
    expect(await snapshot()).toEqual(isConfirmed ? {} : before);
  }
  await Promise.all(lockers.map((locker) => locker.kill()));
});

test("a process that is killed before or after it confirmed leaves what the next one can take or leave", { timeout: 30_000 }, async () => {
  const [first, second] = await startLockers(2);
  expect([await first?.tell("lock"), await first?.tell("confirm")]).toEqual(["locked", "confirmed"]);
  await first?.kill();
  expect(await readdir(directory)).toEqual(["lock"]);
  expect(await second?.tell("lock")).toBe("locked");
  await second?.kill();
  const before = await snapshot();
  expect(Object.keys(before)).toHaveLength(2);
  await (await fileSystem.lock(directory)).release();
  expect(await snapshot()).toEqual(before);
  const lock = await fileSystem.lock(directory);
  await lock.confirm();
  expect([await readdir(directory), await ownerPid()]).toEqual([["lock"], process.pid]);
  await lock.release();
});
