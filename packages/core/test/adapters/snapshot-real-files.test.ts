import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeFileSystem } from "@octopii/system";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSnapshotStorage } from "../../src/adapters/file-snapshot-storage.js";
import { content, errorOf, metadataOf, noting, print, printed, store } from "./snapshot-lab.js";

let parent: string;
let directory: string;
const warnings: string[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "octopii-snapshots-"));
  directory = `${parent}/data/snapshots`;
});

afterEach(async () => {
  await rm(parent, { recursive: true });
  expect(warnings.splice(0)).toEqual([]);
});

const open = (): FileSnapshotStorage => new FileSnapshotStorage(nodeFileSystem, directory, noting(warnings));

describe("snapshots in real files", () => {
  it("are found again, replaced and removed", async () => {
    await store(open(), 0, metadataOf(5), content(1_000_000, 1));
    await store(open(), 0, metadataOf(5), content(700_000, 2));
    await store(open(), 0, metadataOf(9), content(20_000_000, 3));
    const storage = open();
    expect(await storage.list(0)).toEqual([metadataOf(5), metadataOf(9)]);
    expect(await printed(storage.read(0, 5))).toBe(print(content(700_000, 2)));
    expect(await printed(storage.read(0, 9))).toBe(print(content(20_000_000, 3)));
    await storage.removeBelow(0, 9);
    expect(await readdir(directory)).toEqual(["0-0000000000000009-1-6.snapshot"]);
  });

  it("stay readable while they are removed", async () => {
    const storage = open();
    await store(storage, 0, metadataOf(5), content(1_000_000));
    const reader = storage.read(0, 5);
    const first = await reader.next();
    await storage.removeBelow(0, 6);
    expect(await printed(reader, [first.value as Uint8Array])).toBe(print(content(1_000_000)));
    expect(await readdir(directory)).toEqual([]);
  });

  it("that were never finished are removed, those of other groups by their own", async () => {
    const storage = open();
    await store(storage, 0, metadataOf(5), content(10));
    await (await storage.create(0, metadataOf(6))).write(content(300_000));
    const other = await storage.create(1, metadataOf(6));
    await other.write(content(300_000));
    expect(await readdir(directory)).toHaveLength(3);
    const reopened = open();
    expect(await reopened.list(0)).toEqual([metadataOf(5)]);
    expect(await readdir(directory)).toHaveLength(2);
    expect(await reopened.list(1)).toEqual([]);
    expect(await readdir(directory)).toHaveLength(1);
  });

  it("are refused when they are cut", async () => {
    await store(open(), 0, metadataOf(5), content(300_000));
    const [name = ""] = await readdir(directory);
    await writeFile(`${directory}/${name}`, content(1_000));
    expect(await errorOf(open().list(0))).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_DAMAGED" });
  });

  it("come back as they went in, however they are cut into chunks", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 2 ** 53 - 1 }),
      fc.integer({ min: 0, max: 2 ** 53 - 1 }),
      async (lengths, index, group) => {
        const storage = open();
        const chunks = lengths.map((length, at) => content(length, at));
        const metadata = metadataOf(index, Math.min(index, 2 ** 40));
        const writer = await storage.create(group, metadata);
        for (const chunk of chunks) await writer.write(chunk);
        await writer.commit();
        expect(await open().list(group)).toEqual([metadata]);
        expect(await printed(open().read(group, index))).toBe(print(Buffer.concat(chunks)));
        await storage.removeBelow(group, Number.MAX_SAFE_INTEGER);
        await rm(directory, { recursive: true });
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});
