import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DiskLab } from "./disk-lab.js";

/** Runs `body` for many seeds and gives how often each outcome came. */
async function outcomes(count: number, body: (lab: DiskLab) => Promise<string>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let seed = 0; seed < count; seed += 1) {
    const outcome = await body(new DiskLab(seed));
    found.set(outcome, (found.get(outcome) ?? 0) + 1);
  }
  return found;
}

describe("bytes at a power failure", () => {
  test("synced bytes stay, whatever the seed", async () => {
    const found = await outcomes(60, async (lab) => {
      const file = await lab.durableFile("/f", "old content");
      await lab.write(file, "new content");
      await lab.wait(file.sync());
      expect(lab.durableText("/f")).toBe("new content");
      lab.crash();
      return lab.text("/f") ?? "gone";
    });
    expect([...found.keys()]).toEqual(["new content"]);
  });

  test("unsynced bytes are kept or lost by the seed, as is the file's size", async () => {
    const found = await outcomes(80, async (lab) => {
      const file = await lab.durableFile("/f", "1");
      await lab.write(file, "1234");
      expect(lab.durableText("/f")).toBe("1");
      expect(lab.text("/f")).toBe("1234");
      lab.crash();
      return lab.text("/f") ?? "gone";
    });
    expect([...found.keys()].sort()).toEqual(["1", "1\0\0\0", "1234"]);
    expect(found.get("1")).toBeGreaterThan(10);
    expect(found.get("1234")).toBeGreaterThan(10);
  });

  test("a large unsynced write is torn at sectors", async () => {
    let torn = 0;
    let holes = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const lab = new DiskLab(seed);
      const file = await lab.durableFile("/f", "a".repeat(10_240));
      await lab.write(file, "b".repeat(10_240));
      lab.crash();
      const text = lab.text("/f") ?? "";
      expect(text).toHaveLength(10_240);
      const sectors = Array.from({ length: 20 }, (_, index) => new Set(text.slice(index * 512, index * 512 + 512)));
      for (const sector of sectors) expect(sector.size).toBe(1);
      const shape = sectors.map((sector) => [...sector][0]).join("");
      if (/ab|ba/.test(shape)) torn += 1;
      if (/ab/.test(shape)) holes += 1;
    }
    expect(torn).toBeGreaterThan(15);
    expect(holes).toBeGreaterThan(5);
  });

  test("records of one sector come and go in order, for a sector is written as a whole", async () => {
    const found = await outcomes(100, async (lab) => {
      const file = await lab.durableFile("/f", ".".repeat(512));
      for (const [index, letter] of ["A", "B", "C"].entries()) await lab.write(file, letter, index);
      lab.crash();
      return (lab.text("/f") ?? "").slice(0, 3);
    });
    expect([...found.keys()].sort()).toEqual(["...", "A..", "AB.", "ABC"]);
  });

  test("a lost cut brings the old bytes back; a kept one never does", async () => {
    const found = await outcomes(120, async (lab) => {
      const file = await lab.durableFile("/f", `${"x".repeat(512)}tail`);
      await lab.wait(file.truncate(512));
      await lab.write(file, "TAIL!", 512);
      lab.crash();
      return (lab.text("/f") ?? "").slice(512);
    });
    expect(found.has("tail")).toBe(true);
    expect(found.has("")).toBe(true);
    expect(found.has("TAIL!")).toBe(true);
    expect([...found.keys()].sort()).toEqual(["", "\0\0\0\0\0", "TAIL!", "tail"]);
  });

  test("durable writes stay when they were acknowledged, and may tear when they were not", async () => {
    const found = await outcomes(60, async (lab) => {
      await lab.durableFile("/f", "-");
      const file = await lab.open("/f", { mode: "readWrite", durableWrites: true });
      await lab.write(file, "acknowledged");
      void file.write([new Uint8Array(5_000).fill(120)], 512);
      lab.crash();
      expect(lab.text("/f")?.slice(0, 12)).toBe("acknowledged");
      return String(lab.text("/f")?.length);
    });
    expect(found.size).toBeGreaterThan(3);
  });

  test("a sync covers what was written before its call, not what came later", async () => {
    let missed = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const lab = new DiskLab(seed);
      const file = await lab.durableFile("/f", "..");
      await lab.write(file, "A", 0);
      const synced = file.sync();
      const late = file.write([new TextEncoder().encode("B")], 1);
      await lab.wait(Promise.all([synced, late]));
      expect(lab.durableText("/f")?.[0]).toBe("A");
      if (lab.durableText("/f")?.[1] === ".") missed += 1;
      lab.crash({ unsynced: "lose" });
      expect(lab.text("/f")?.[0]).toBe("A");
    }
    expect(missed).toBeGreaterThan(0);
  });

  test("a killed process leaves the page cache alone", async () => {
    const lab = new DiskLab(1);
    const file = await lab.open("/f");
    await lab.write(file, "unsynced");
    lab.process.kill();
    lab.process = lab.process.restart();
    expect(lab.text("/f")).toBe("unsynced");
    lab.crash({ unsynced: "lose" });
    expect(lab.text("/f")).toBeNull();
  });

  test("everything unsynced can be kept or lost on demand", async () => {
    const lab = new DiskLab(1);
    const file = await lab.durableFile("/f", "old");
    await lab.write(file, "new");
    expect(lab.disk.unsyncedChanges).toBe(1);
    lab.crash({ unsynced: "keep" });
    expect(lab.text("/f")).toBe("new");
    expect(lab.disk.unsyncedChanges).toBe(0);
  });
});

describe("names at a power failure", () => {
  test("a file whose directory was not synced may be gone, content and all", async () => {
    const found = await outcomes(40, async (lab) => {
      const file = await lab.open("/f");
      await lab.write(file, "synced");
      await lab.wait(file.sync());
      expect(lab.durableText("/f")).toBeNull();
      lab.crash();
      return lab.text("/f") ?? "gone";
    });
    expect([...found.keys()].sort()).toEqual(["gone", "synced"]);
  });

  test("a rename is old or new, never both or neither, and durable after a sync of its directory", async () => {
    for (const sync of [false, true]) {
      const found = await outcomes(40, async (lab) => {
        await lab.durableFile("/current", "old");
        await lab.durableFile("/next", "new");
        await lab.wait(lab.fs.rename("/next", "/current"));
        if (sync) await lab.wait(lab.fs.syncDirectory("/"));
        lab.crash();
        return `${lab.text("/current")}, ${lab.text("/next")}`;
      });
      expect([...found.keys()].sort()).toEqual(sync ? ["new, null"] : ["new, null", "old, new"]);
    }
  });

  test("a removed file may come back", async () => {
    const found = await outcomes(40, async (lab) => {
      await lab.durableFile("/f", "content");
      await lab.wait(lab.fs.remove("/f"));
      lab.crash();
      return lab.text("/f") ?? "gone";
    });
    expect([...found.keys()].sort()).toEqual(["content", "gone"]);
  });

  test("operations are lost as a suffix or as a subset, but in order on each name", async () => {
    const found = await outcomes(200, async (lab) => {
      for (const name of ["a", "b", "c"]) await lab.open(`/${name}`);
      await lab.wait(lab.fs.rename("/a", "/z"));
      lab.crash();
      return (await lab.names()).join("");
    });
    for (const possible of ["", "a", "ab", "abc", "bcz"]) expect(found.has(possible), possible).toBe(true);
    expect(found.has("b") || found.has("c") || found.has("bc")).toBe(true);
    for (const names of found.keys()) expect(names).not.toMatch(/a.*z/);
  });

  test("syncing one directory leaves others alone, and a made directory needs its parent's sync", async () => {
    const lab = new DiskLab(3);
    await lab.wait(lab.fs.makeDirectory("/d"));
    const file = await lab.open("/d/f");
    await lab.write(file, "x");
    await lab.wait(file.sync());
    await lab.wait(lab.fs.syncDirectory("/d"));
    expect(lab.durableText("/d/f")).toBeNull();
    await lab.wait(lab.fs.syncDirectory("/"));
    expect(lab.durableText("/d/f")).toBe("x");
    await lab.wait(lab.fs.rename("/d/f", "/g"));
    await lab.wait(lab.fs.syncDirectory("/"));
    expect([lab.durableText("/d/f"), lab.durableText("/g")]).toEqual([null, "x"]);
  });
});

describe("a model", () => {
  /** The simplest sound promise: each sector is as it was at the last sync, or as some later write left it. */
  test("every crash leaves each sector in a state that it had since the last sync", async () => {
    const change = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("write" as const), at: fc.nat(3_000), length: fc.integer({ min: 1, max: 1_500 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), at: fc.nat(4_000), length: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("sync" as const), at: fc.constant(0), length: fc.constant(0) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.array(change, { maxLength: 12 }), async (seed, changes) => {
        const lab = new DiskLab(seed);
        const file = await lab.durableFile("/f", "");
        let states: Uint8Array[] = [new Uint8Array()];
        for (const [index, { kind, at, length }] of changes.entries()) {
          if (kind === "write") await lab.wait(file.write([new Uint8Array(length).fill(index + 1)], at));
          if (kind === "truncate") await lab.wait(file.truncate(at));
          if (kind === "sync") await lab.wait(file.sync());
          const state = lab.disk.readCached("/f") ?? new Uint8Array();
          states = kind === "sync" ? [state] : [...states, state];
        }
        lab.crash();
        const after = lab.disk.readCached("/f") ?? new Uint8Array();
        // A torn write that made the file longer ends at a sector.
        const sizes = states.map((state) => state.length);
        expect(
          sizes.includes(after.length) || (after.length % 512 === 0 && after.length < Math.max(...sizes)),
          `size ${after.length}`,
        ).toBe(true);
        for (let start = 0; start < after.length; start += 512) {
          const sector = after.slice(start, start + 512);
          const known = states.some((state) => sector.every((byte, offset) => byte === 0 || byte === state[start + offset]));
          expect(known, `sector at ${start}`).toBe(true);
        }
        expect(lab.disk.readDurable("/f")).toEqual(after);
      }),
      { numRuns: 150 },
    );
  });
});
