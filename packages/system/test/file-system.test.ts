import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { File } from "@octopii/interfaces";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { remainder } from "../src/file-system/node-file.js";
import { ownIdentity } from "../src/file-system/process-identity.js";
import { nodeFileSystem as fileSystem } from "../src/index.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/octopii-system-`);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function readAll(file: File): Promise<string> {
  const buffer = new Uint8Array(await file.size());
  expect(await file.read(buffer, 0)).toBe(buffer.length);
  return Buffer.from(buffer).toString();
}

describe("files", () => {
  test("are made only if they are missing, and opened only if they are there", async () => {
    const path = `${directory}/file`;
    await expect(fileSystem.open(path, { mode: "readWrite" })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fileSystem.open(path, { mode: "read" })).rejects.toMatchObject({ code: "ENOENT" });
    await (await fileSystem.open(path, { mode: "create" })).close();
    await expect(fileSystem.open(path, { mode: "create" })).rejects.toMatchObject({ code: "EEXIST" });
    const file = await fileSystem.open(path, { mode: "read" });
    await expect(file.write([bytes("x")], 0)).rejects.toMatchObject({ code: "EBADF" });
    await file.close();
  });

  test.each([false, true])("write back to back, read at any place, are cut and extended (durable writes: %s)", async (durableWrites) => {
    const file = await fileSystem.open(`${directory}/file`, { mode: "create", durableWrites });
    await file.write([bytes("hello"), bytes(""), bytes(" world")], 2);
    await file.write([], 0);
    await file.write([bytes("H")], 2);
    expect(await readAll(file)).toBe("\0\0Hello world");
    const buffer = new Uint8Array(20);
    expect(await file.read(buffer, 8)).toBe(5);
    expect(await file.read(buffer, 100)).toBe(0);
    await file.truncate(4);
    await file.truncate(6);
    await file.sync();
    expect(await readAll(file)).toBe("\0\0He\0\0");
    await file.close();
  });

  test("take more buffers than one vectored write does", async () => {
    const file = await fileSystem.open(`${directory}/file`, { mode: "create" });
    const parts = Array.from({ length: 3000 }, (_, at) => bytes(`${at},`));
    await file.write(parts, 0);
    expect(await readAll(file)).toBe(parts.map((part) => Buffer.from(part).toString()).join(""));
    await file.close();
  });

  test("go on after a short count where it ended", () => {
    const parts = ["abc", "", "de", "f"].map(bytes);
    const rest = Array.from({ length: 7 }, (_, written) => Buffer.concat(remainder(parts, written)).toString());
    expect(rest).toEqual(["abcdef", "bcdef", "cdef", "def", "ef", "f", ""]);
  });

  test("may be closed twice, and refuse everything afterwards", async () => {
    const file = await fileSystem.open(`${directory}/file`, { mode: "create" });
    await file.close();
    await file.close();
    const closed = { code: "EBADF" };
    await expect(file.write([bytes("x")], 0)).rejects.toMatchObject(closed);
    await expect(file.read(new Uint8Array(1), 0)).rejects.toMatchObject(closed);
    await expect(file.sync()).rejects.toMatchObject(closed);
    await expect(file.truncate(0)).rejects.toMatchObject(closed);
    await expect(file.size()).rejects.toMatchObject(closed);
  });

  test.runIf(process.platform === "linux")("with durable writes carry O_DSYNC, and others do not", async () => {
    const flagsOf = async (path: string): Promise<number | null> => {
      for (const descriptor of await readdir("/proc/self/fdinfo")) {
        const target = spawnSync("readlink", [`/proc/${process.pid}/fd/${descriptor}`], { encoding: "utf8" }).stdout.trim();
        if (target !== path) continue;
        return Number.parseInt(/flags:\s+(\d+)/.exec(await readFile(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "", 8);
      }
      return null;
    };
    const durable = await fileSystem.open(`${directory}/durable`, { mode: "create", durableWrites: true });
    const plain = await fileSystem.open(`${directory}/plain`, { mode: "create" });
    expect((await flagsOf(`${directory}/durable`)) ?? 0).toSatisfy((flags: number) => (flags & 0o10000) !== 0);
    expect((await flagsOf(`${directory}/plain`)) ?? 0o10000).toSatisfy((flags: number) => (flags & 0o10000) === 0);
    await durable.close();
    await plain.close();
  });

  test.runIf(process.platform === "linux")("report a full disk", async () => {
    const file = await fileSystem.open("/dev/full", { mode: "readWrite" });
    await expect(file.write([bytes("x")], 0)).rejects.toMatchObject({ code: "ENOSPC" });
    await file.close();
  });
});

describe("directories", () => {
  test("are made with their parents, listed in order, and flushed", async () => {
    await fileSystem.makeDirectory(`${directory}/a/b/c`);
    await fileSystem.makeDirectory(`${directory}/a/b/c`);
    for (const name of ["b", "a", "B", "ä", "10", "9"])
      await (await fileSystem.open(`${directory}/a/${name}.x`, { mode: "create" })).close();
    expect(await fileSystem.readDirectory(`${directory}/a`)).toEqual(["10.x", "9.x", "B.x", "a.x", "b", "b.x", "ä.x"]);
    await fileSystem.syncDirectory(`${directory}/a`);
    await fileSystem.rename(`${directory}/a/9.x`, `${directory}/a/10.x`);
    await fileSystem.remove(`${directory}/a/B.x`);
    expect(await fileSystem.readDirectory(`${directory}/a`)).toEqual(["10.x", "a.x", "b", "b.x", "ä.x"]);
    await expect(fileSystem.remove(`${directory}/none`)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fileSystem.readDirectory(`${directory}/none`)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fileSystem.syncDirectory(`${directory}/none`)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

async function lockFile(fields: Record<string, unknown>): Promise<void> {
  await writeFile(`${directory}/lock`, JSON.stringify({ version: 1, ...ownIdentity(), nonce: "1234", ...fields }));
}

/** The pid of a process that is no more. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

describe("locks", () => {
  test("are held once, released, and taken again", async () => {
    const lock = await fileSystem.lock(directory);
    await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining(`${process.pid}`) });
    await symlink(directory, `${directory}/same`);
    await expect(fileSystem.lock(`${directory}/same`)).rejects.toMatchObject({ code: "ELOCKED" });
    await lock.release();
    await lock.release();
    expect(await readdir(directory)).toEqual(["same"]);
    await (await fileSystem.lock(directory)).release();
  });

  test("of a live process are respected", async () => {
    await lockFile({});
    await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED" });
    await lockFile({ pid: 1, startTime: null });
    await expect(fileSystem.lock(directory)).rejects.toMatchObject({ code: "ELOCKED", message: expect.stringContaining("process 1;") });
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test.each<[string, () => Record<string, unknown>]>([
    ["a dead process", () => ({ pid: deadPid() })],
    ["a process whose pid another has now", () => ({ startTime: "1" })],
    ["a time before the last boot", () => ({ bootId: "another boot" })],
  ])("of %s are taken over, and nothing is left behind", async (_, fields) => {
    await lockFile(fields());
    const lock = await fileSystem.lock(directory);
    expect(JSON.parse(await readFile(`${directory}/lock`, "utf8"))).toMatchObject({ ...ownIdentity(), version: 1 });
    expect(await readdir(directory)).toEqual(["lock"]);
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
  });

  test("that cannot be read are respected, and the message says what to do", async () => {
    for (const text of ["", "{", "[]", '{"version":1}', '{"version":2,"pid":1,"nonce":"1","bootId":null,"startTime":null}']) {
      await writeFile(`${directory}/lock`, text);
      await expect(fileSystem.lock(directory)).rejects.toMatchObject({
        code: "ELOCKED",
        message: expect.stringContaining(`${directory}/lock`),
      });
    }
  });

  test("are taken over even where the last to try died half way", async () => {
    await lockFile({ pid: deadPid(), nonce: "aa" });
    const half = { version: 1, ...ownIdentity(), pid: deadPid(), nonce: "bb" };
    await writeFile(`${directory}/lock.takeover.aa`, JSON.stringify(half));
    await writeFile(`${directory}/lock.claim.bb`, JSON.stringify(half));
    const lock = await fileSystem.lock(directory);
    expect(await readdir(directory)).toEqual(["lock"]);
    await lock.release();
  });

  test("in a directory that does not exist are refused", async () => {
    await expect(fileSystem.lock(`${directory}/none`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("go to one of many processes that want to take over a dead one's at the same time", { timeout: 30_000 }, async () => {
    const script = fileURLToPath(new URL("./support/child/locker.ts", import.meta.url));
    const config = fileURLToPath(new URL("./support/child/tsconfig.json", import.meta.url));
    const env = { ...process.env, TSX_TSCONFIG_PATH: config };
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, ["--import", "tsx", script, directory], { env }));
    const lines = children.map(linesOf);
    for (const line of lines) expect((await line.next()).value).toBe("ready");
    for (let round = 0; round < 25; round++) {
      await lockFile({ pid: deadPid() });
      for (const child of children) child.stdin.write("lock\n");
      const results = await Promise.all(lines.map(async (line) => (await line.next()).value));
      expect(results.filter((result) => result === "locked")).toHaveLength(1);
      expect(results.filter((result) => result === "ELOCKED")).toHaveLength(3);
      for (const child of children) child.stdin.write("release\n");
      for (const line of lines) expect((await line.next()).value).toBe("released");
      expect(await readdir(directory)).toEqual([]);
    }
    for (const child of children) child.stdin.end();
    await Promise.all(children.map((child) => once(child, "exit")));
  });
});

async function* linesOf(child: ChildProcessWithoutNullStreams): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of child.stdout) {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
