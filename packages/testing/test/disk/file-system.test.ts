import { describe, expect, test } from "vitest";
import { DiskLab } from "./disk-lab.js";

describe("files", () => {
  test("are written, read, cut, extended and measured", async () => {
    const lab = new DiskLab(1);
    const file = await lab.open("/f");
    await lab.wait(file.write([new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array([3])], 4_095));
    expect(await lab.wait(file.size())).toBe(4_098);
    const buffer = new Uint8Array(6).fill(9);
    expect(await lab.wait(file.read(buffer, 4_094))).toBe(4);
    expect([...buffer]).toEqual([0, 1, 2, 3, 9, 9]);
    await lab.wait(file.truncate(4_096));
    await lab.wait(file.truncate(4_100));
    expect(await lab.wait(file.read(buffer, 4_095))).toBe(5);
    expect([...buffer.subarray(0, 5)]).toEqual([1, 0, 0, 0, 0]);
    expect(await lab.wait(file.read(buffer, 5_000))).toBe(0);
    await lab.wait(file.write([], 9_000));
    expect(await lab.wait(file.size())).toBe(4_100);
  });

  test("capture what is written at the call", async () => {
    const lab = new DiskLab(2);
    const file = await lab.open("/f");
    const bytes = new Uint8Array([1, 2, 3]);
    const written = file.write([bytes], 0);
    bytes.fill(7);
    await lab.wait(written);
    expect([...(lab.disk.readCached("/f") ?? [])]).toEqual([1, 2, 3]);
  });

  test("nothing happens before its latency has passed", async () => {
    const lab = new DiskLab(3, { writeLatency: { minMs: 5, meanMs: 1 }, syncLatency: { minMs: 50, meanMs: 0.001 } });
    const file = await lab.open("/f");
    const start = lab.world.now();
    await lab.write(file, "x");
    expect(lab.world.now() - start).toBeGreaterThanOrEqual(5);
    const before = lab.world.now();
    await lab.wait(file.sync());
    expect(lab.world.now() - before).toBeGreaterThanOrEqual(50);
    const stalled = lab.world.now();
    lab.disk.stall(1_000);
    await lab.write(file, "y");
    expect(lab.world.now() - stalled).toBeGreaterThanOrEqual(1_000);
  });

  test("errors carry the system's codes", async () => {
    const lab = new DiskLab(4);
    const file = await lab.open("/f");
    await lab.wait(lab.fs.makeDirectory("/d/e"));
    const rejects = (promise: Promise<unknown>, code: string) => expect(lab.wait(promise)).rejects.toMatchObject({ code });
    await rejects(lab.fs.open("/f", { mode: "create" }), "EEXIST");
    await rejects(lab.fs.open("/g", { mode: "read" }), "ENOENT");
    await rejects(lab.fs.open("/no/g", { mode: "create" }), "ENOENT");
    await rejects(lab.fs.open("/f/g", { mode: "create" }), "ENOTDIR");
    await rejects(lab.fs.open("/f/g", { mode: "read" }), "ENOTDIR");
    await rejects(lab.fs.open("/d", { mode: "readWrite" }), "EISDIR");
    await rejects(lab.fs.readDirectory("/f"), "ENOTDIR");
    await rejects(lab.fs.remove("/d"), "EISDIR");
    await rejects(lab.fs.remove("/g"), "ENOENT");
    await rejects(lab.fs.rename("/g", "/h"), "ENOENT");
    await rejects(lab.fs.rename("/f", "/d"), "EISDIR");
    await rejects(lab.fs.rename("/d", "/d/e/x"), "EINVAL");
    await rejects(lab.fs.makeDirectory("/f/x"), "ENOTDIR");
    await rejects(lab.fs.syncDirectory("/no"), "ENOENT");
    await rejects(file.write([new Uint8Array(1)], -1), "EINVAL");
    const reader = await lab.open("/f", { mode: "read" });
    await rejects(reader.write([new Uint8Array(1)], 0), "EBADF");
    await rejects(reader.truncate(0), "EBADF");
    await lab.wait(file.close());
    await lab.wait(file.close());
    await rejects(file.size(), "EBADF");
    await rejects(file.sync(), "EBADF");
  });

  test("directories list, rename and remove; an open file outlives its name", async () => {
    const lab = new DiskLab(5);
    const file = await lab.open("/b");
    await lab.open("/a");
    await lab.wait(lab.fs.makeDirectory("/d"));
    await lab.wait(lab.fs.makeDirectory("/d"));
    expect(await lab.names()).toEqual(["a", "b", "d"]);
    await lab.wait(lab.fs.rename("/b", "/d/../d/b"));
    await lab.wait(lab.fs.rename("/d", "/e"));
    expect(await lab.names("/e")).toEqual(["b"]);
    await lab.wait(lab.fs.remove("e/b"));
    await lab.write(file, "still here");
    expect(await lab.wait(file.size())).toBe(10);
    expect(await lab.names("/e/.")).toEqual([]);
  });

  test("a directory is locked by one, until it is released or its process dies", async () => {
    const lab = new DiskLab(6);
    await lab.wait(lab.fs.makeDirectory("/data"));
    const lock = await lab.wait(lab.fs.lock("/data"));
    await expect(lab.wait(lab.fs.lock("/data"))).rejects.toMatchObject({
      code: "ELOCKED",
      message: expect.stringMatching(/process \d+ \(n\)/),
    });
    await lab.wait(lock.release());
    const next = await lab.wait(lab.fs.lock("/data"));
    await lab.wait(lock.release());
    await expect(lab.wait(lab.fs.lock("/data"))).rejects.toMatchObject({ code: "ELOCKED" });
    expect(next).not.toBe(lock);
    lab.process.kill();
    lab.process = lab.process.restart();
    await lab.wait((await lab.wait(lab.fs.lock("/data"))).release());
    await expect(lab.wait(lock.confirm())).rejects.toMatchObject({ code: "EBADF" });
    await expect(lab.wait(lab.fs.lock("/missing"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a lock file", () => {
  test("is there while the directory is held, and goes with the lock, confirmed or not", async () => {
    const lab = new DiskLab(9);
    for (const confirms of [false, true]) {
      const lock = await lab.wait(lab.fs.lock("/"));
      if (confirms) await lab.wait(Promise.all([lock.confirm(), lock.confirm()]));
      expect(lab.text("/lock")).toMatch(/^process \d+ \(n\)\n$/);
      await lab.wait(lock.release());
      expect(await lab.names()).toEqual([]);
    }
    const faulty = await lab.wait(lab.fs.lock("/"));
    lab.disk.failNext("lock", { code: "EIO" });
    await expect(lab.wait(faulty.confirm())).rejects.toMatchObject({ code: "EIO" });
    await lab.wait(faulty.release());
    expect(await lab.names()).toEqual([]);
  });

  test("of a dead process stays as it is until the next lock is confirmed", async () => {
    const lab = new DiskLab(10);
    await lab.wait(lab.fs.lock("/"));
    const former = lab.text("/lock");
    const restart = (): void => {
      lab.process.kill();
      lab.process = lab.process.restart();
    };
    restart();
    const refused = await lab.wait(lab.fs.lock("/"));
    await expect(lab.wait(lab.fs.lock("/"))).rejects.toMatchObject({ code: "ELOCKED" });
    expect(lab.text("/lock")).toBe(former);
    await lab.wait(refused.release());
    expect(lab.text("/lock")).toBe(former);
    const lock = await lab.wait(lab.fs.lock("/"));
    await lab.wait(lock.confirm());
    expect(lab.text("/lock")).not.toBe(former);
    restart();
    const last = await lab.wait(lab.fs.lock("/"));
    await lab.wait(Promise.all([last.confirm(), last.release()]));
    expect(await lab.names()).toEqual([]);
  });
});

describe("limits", () => {
  test("a full disk refuses what would grow, takes the rest, and recovers", async () => {
    const lab = new DiskLab(7, { capacityBytes: 1_000 });
    const file = await lab.open("/f");
    const other = await lab.open("/g");
    await lab.write(file, "x".repeat(900));
    await expect(lab.write(other, "x".repeat(101))).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(lab.wait(other.truncate(101))).rejects.toMatchObject({ code: "ENOSPC" });
    await lab.write(file, "y".repeat(900));
    await lab.write(other, "x".repeat(100));
    await lab.wait(file.truncate(100));
    await lab.write(other, "x".repeat(900));
    lab.disk.configure({ capacityBytes: 2_000 });
    await lab.write(other, "x".repeat(1_900));
  });

  test("handles run out, and come back by close and by death", async () => {
    const lab = new DiskLab(8, { maxOpenFiles: 2 });
    const first = await lab.open("/a");
    await lab.open("/b");
    await expect(lab.open("/a", { mode: "read" })).rejects.toMatchObject({ code: "EMFILE" });
    await lab.wait(first.close());
    await lab.open("/a", { mode: "read" });
    expect(lab.disk.openFiles).toBe(2);
    lab.crash();
    expect(lab.disk.openFiles).toBe(0);
    void first.close();
    await lab.world.runFor(10);
    expect(lab.disk.openFiles).toBe(0);
  });

  test("bad options are refused together", () => {
    expect(() => new DiskLab(1, { capacityBytes: -1, maxOpenFiles: 0, readLatency: { minMs: -1, meanMs: 0 } })).toThrow(
      /readLatency\.minMs.*capacityBytes.*maxOpenFiles/,
    );
  });
});
