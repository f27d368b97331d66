import { describe, expect, test } from "vitest";
import { DiskLab } from "./disk-lab.js";

describe("a failed sync", () => {
  test("rejects once, drops what it covered, and the next one succeeds without it", async () => {
    const shown = new Set<string>();
    let lost = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const lab = new DiskLab(seed);
      const file = await lab.durableFile("/f", "old");
      await lab.write(file, "new");
      lab.disk.failNext("sync", { code: "EIO" });
      await expect(lab.wait(file.sync())).rejects.toMatchObject({ code: "EIO" });
      shown.add(`${lab.durableText("/f")} shown as ${lab.text("/f")}`);
      await lab.wait(file.sync());
      if (lab.durableText("/f") === "old") lost += 1;
      lab.crash({ unsynced: "keep" });
      expect(["old", "new"]).toContain(lab.text("/f"));
    }
    expect(lost).toBeGreaterThan(15);
    expect(shown).toContain("old shown as new");
    expect(shown).toContain("old shown as old");
  });

  test("of a directory drops the names it covered", async () => {
    const lab = new DiskLab(1);
    await lab.open("/f");
    lab.disk.failNext("syncDirectory", { code: "EIO" });
    await expect(lab.wait(lab.fs.syncDirectory("/"))).rejects.toMatchObject({ code: "EIO" });
    await lab.wait(lab.fs.syncDirectory("/"));
    expect(await lab.names()).toEqual(["f"]);
    lab.crash({ unsynced: "keep" });
    expect(await lab.names()).toEqual([]);
  });
});

describe("what an oracle may look for on a disk", () => {
  test("is what a power failure would leave, wherever it stands, across pages", async () => {
    const lab = new DiskLab(3);
    await lab.wait(lab.fs.makeDirectory("/d"));
    const holds = (text: string): boolean => lab.disk.durablyHolds("/d", new TextEncoder().encode(text));
    expect(holds("a")).toBe(false);
    await lab.durableFile("/d/1", `${"-".repeat(4_090)}across pages`);
    await lab.wait(lab.fs.syncDirectory("/"));
    const file = await lab.durableFile("/d/2", "first");
    expect([holds("-across pages"), holds("first"), holds("last")]).toEqual([true, true, false]);
    await lab.write(file, "last");
    expect(holds("last")).toBe(false);
    await lab.wait(file.sync());
    expect([holds("last"), holds("first"), lab.disk.durablyHolds("/none", new Uint8Array([1]))]).toEqual([true, false, false]);
  });
});

describe("other faults", () => {
  test("strike the planned operation on the planned path, after a while, so often", async () => {
    const lab = new DiskLab(2);
    await lab.wait(lab.fs.makeDirectory("/d"));
    const file = await lab.open("/d/f");
    const other = await lab.open("/g");
    lab.disk.failNext("write", { code: "ENOSPC", path: "/d", skip: 1, times: 2 });
    await lab.write(other, "fine");
    await lab.write(file, "fine");
    for (let count = 0; count < 2; count += 1) await expect(lab.write(file, "not fine")).rejects.toMatchObject({ code: "ENOSPC" });
    await lab.write(file, "fine again");
    lab.disk.failNext("read", { code: "EIO", times: Number.POSITIVE_INFINITY });
    for (let count = 0; count < 5; count += 1)
      await expect(lab.wait(file.read(new Uint8Array(1), 0))).rejects.toMatchObject({ code: "EIO" });
    lab.disk.faults.clear();
    await lab.wait(file.read(new Uint8Array(1), 0));
  });

  test("can be decided by a hook", async () => {
    const lab = new DiskLab(3);
    const seen: string[] = [];
    lab.disk.faults.hook = (operation, path) => {
      seen.push(`${operation} ${path}`);
      return operation === "rename" ? "EIO" : null;
    };
    await lab.open("/f");
    await expect(lab.wait(lab.fs.rename("/f", "/g"))).rejects.toMatchObject({ code: "EIO" });
    expect(seen).toEqual(["open /f", "rename /f"]);
    expect(lab.text("/f")).toBe("");
  });

  test("a failed write leaves any of its sectors, and only those", async () => {
    const shapes = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      for (const durableWrites of [false, true]) {
        const lab = new DiskLab(seed);
        await lab.durableFile("/f", "-".repeat(2_048));
        const file = await lab.open("/f", { mode: "readWrite", durableWrites });
        lab.disk.failNext("write", { code: "EIO" });
        await expect(lab.write(file, "x".repeat(2_048))).rejects.toMatchObject({ code: "EIO" });
        const text = lab.text("/f") ?? "";
        expect(text).toMatch(/^[-x]{2048}$/);
        shapes.add([0, 512, 1_024, 1_536].map((at) => text[at]).join(""));
      }
    }
    expect(shapes.size).toBeGreaterThan(4);
    expect(shapes).toContain("----");
  });

  test("a flipped byte stays flipped, for readers and across crashes", async () => {
    const lab = new DiskLab(4);
    await lab.durableFile("/f", "abc");
    lab.disk.flipByte("/f", 1, 0x20);
    expect([lab.text("/f"), lab.durableText("/f")]).toEqual(["aBc", "aBc"]);
    lab.crash();
    expect(lab.text("/f")).toBe("aBc");
    expect(() => lab.disk.flipByte("/f", 3)).toThrow(/EINVAL/);
    expect(() => lab.disk.flipByte("/nothing", 0)).toThrow(/ENOENT/);
  });

  test("a lying disk acknowledges and forgets", async () => {
    const lab = new DiskLab(5);
    const file = await lab.durableFile("/f", "old");
    lab.disk.lieAboutSync = true;
    await lab.write(file, "new");
    await lab.wait(file.sync());
    lab.crash({ unsynced: "lose" });
    expect(lab.text("/f")).toBe("old");
  });

  test("an image of the disk can be taken and put back, on this machine or another", async () => {
    const lab = new DiskLab(6);
    await lab.wait(lab.fs.makeDirectory("/d"));
    await lab.durableFile("/d/f", "backup");
    await lab.wait(lab.fs.syncDirectory("/"));
    const image = lab.disk.durableImage();
    expect([...image.keys()]).toEqual(["/d/f"]);
    expect(() => lab.disk.restore(image)).toThrow(/in use/);
    const file = await lab.open("/d/f", { mode: "readWrite" });
    await lab.write(file, "NEWER!");
    lab.crash({ unsynced: "keep" });
    lab.disk.restore(image);
    expect([lab.text("/d/f"), lab.durableText("/d/f")]).toEqual(["backup", "backup"]);
    const other = lab.world.process("other");
    other.disk.restore(image);
    expect(await lab.wait(other.fileSystem.readDirectory("/d"))).toEqual(["f"]);
    other.disk.restore(new Map());
    expect(other.disk.durableImage().size).toBe(0);
  });

  test("the page cache writes back on its own before it grows without bound", async () => {
    const lab = new DiskLab(7, { writeLatency: { minMs: 0, meanMs: 0 } });
    const file = await lab.durableFile("/f", "");
    for (let count = 0; count < 5_000; count += 1) await lab.write(file, "x", count);
    expect(lab.disk.unsyncedChanges).toBeLessThan(4_200);
    expect(lab.durableText("/f")?.length).toBeGreaterThan(0);
  });
});

describe("a silent fault", () => {
  test("shows a flipped bit to one read, and leaves the file as it is", async () => {
    const lab = new DiskLab(11);
    const file = await lab.durableFile("/f", "sound");
    lab.disk.failSilently("rotOnRead", { path: "/f", skip: 1 });
    const read = async (): Promise<string> => {
      const buffer = new Uint8Array(5);
      await lab.wait(file.read(buffer, 0));
      return new TextDecoder().decode(buffer);
    };
    expect(await read()).toBe("sound");
    expect(await read()).not.toBe("sound");
    expect(await read()).toBe("sound");
    expect(lab.disk.silentFaults.struck.rotOnRead).toBe(1);
  });

  test("sends a write to another place of its file, and says nothing", async () => {
    const lab = new DiskLab(12);
    const file = await lab.durableFile("/f", "a".repeat(2048));
    lab.disk.failSilently("misdirect");
    await lab.wait(file.write([new TextEncoder().encode("b".repeat(512))], 1024));
    const text = lab.text("/f") ?? "";
    expect(text.slice(1024, 1536)).toBe("a".repeat(512));
    expect(text.indexOf("b".repeat(512)) % 512).toBe(0);
  });
});
