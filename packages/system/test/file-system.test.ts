import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { File } from "@octopii/interfaces";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { remainder } from "../src/file-system/node-file.js";
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
  test.runIf(process.platform === "linux")("fail to be made where none can be, rather than to return never", async () => {
    await expect(fileSystem.makeDirectory("/proc/octopii/data")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(fileSystem.makeDirectory("/dev/null")).rejects.toMatchObject({ code: "EEXIST" });
    await expect(fileSystem.makeDirectory("/dev/null/data")).rejects.toMatchObject({ code: "ENOTDIR" });
  });

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
