import { describe, expect, it } from "vitest";
import { FileSnapshotStorage } from "../../src/adapters/file-snapshot-storage.js";
import { content, directory, errorOf, metadataOf, noting, print, printed, SnapshotLab, store, watched } from "./snapshot-lab.js";

const missing = { code: "OCTOPII_CORE_SNAPSHOT_MISSING" };
const chunkBytes = 256 * 1024;

describe("snapshots in files", () => {
  it.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 1_000_000])("keep %i bytes as they were", async (length) => {
    const lab = new SnapshotLab();
    expect(await lab.list()).toEqual([]);
    await lab.store(7, metadataOf(42, 3), content(length));
    expect(await lab.read(7, 42)).toBe(print(content(length)));
    lab.restart({ unsynced: "lose" });
    expect(await lab.wait(lab.storage.list(7))).toEqual([metadataOf(42, 3)]);
    expect(await lab.read(7, 42)).toBe(print(content(length)));
    expect(lab.disk.openFiles).toBe(0);
  });

  it("lists oldest first, each group its own", async () => {
    const lab = new SnapshotLab();
    for (const index of [100, 9, 20]) await lab.store(0, metadataOf(index), content(index, 1));
    for (const index of [8, 100]) await lab.store(1, metadataOf(index), content(index, 2));
    expect([await lab.list(0), await lab.list(1), await lab.list(2)]).toEqual([[9, 20, 100], [8, 100], []]);
    expect(await lab.read(0, 100)).toBe(print(content(100, 1)));
    expect(await lab.read(1, 100)).toBe(print(content(100, 2)));
    await lab.wait(lab.storage.removeBelow(0, 100));
    expect([await lab.list(0), await lab.list(1)]).toEqual([[100], [8, 100]]);
    expect(await lab.names).toHaveLength(3);
  });

  it("shows nothing of a snapshot before it is committed", async () => {
    const lab = new SnapshotLab();
    const writer = await lab.create(0, metadataOf(5));
    await lab.wait(writer.write(content(chunkBytes)));
    expect(await lab.list()).toEqual([]);
    expect(await lab.wait(errorOf(printed(lab.storage.read(0, 5))))).toMatchObject(missing);
    await lab.wait(writer.commit());
    expect(await lab.list()).toEqual([5]);
    expect(await lab.read(0, 5)).toBe(print(content(chunkBytes)));
  });

  it("replaces one of the same index at the commit, and whoever reads the old one reads on", async () => {
    const lab = new SnapshotLab();
    const [old, fresh] = [content(600_000, 1), content(500_000, 2)];
    await lab.store(0, metadataOf(5), old);
    const reader = lab.storage.read(0, 5);
    const first = await lab.wait(reader.next());
    const writer = await lab.create(0, metadataOf(5));
    await lab.wait(writer.write(fresh));
    expect(await lab.read(0, 5)).toBe(print(old));
    await lab.wait(writer.commit());
    expect(await lab.read(0, 5)).toBe(print(fresh));
    expect(await lab.list()).toEqual([5]);
    expect(await lab.names).toHaveLength(2);
    expect(await lab.wait(printed(reader, [first.value as Uint8Array]))).toBe(print(old));
    expect(await lab.names).toHaveLength(1);
  });

  it("stay readable to the end though they are removed, and their file goes with the last reader", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(600_000));
    await lab.store(0, metadataOf(6), content(10));
    const [one, two] = [lab.storage.read(0, 5), lab.storage.read(0, 5)];
    const first = await lab.wait(one.next());
    await lab.wait(two.next());
    await lab.wait(lab.storage.removeBelow(0, 6));
    expect(await lab.list()).toEqual([6]);
    expect(await lab.wait(errorOf(printed(lab.storage.read(0, 5))))).toMatchObject(missing);
    await lab.wait(two.return());
    expect(await lab.names).toHaveLength(2);
    expect(await lab.wait(printed(one, [first.value as Uint8Array]))).toBe(print(content(600_000)));
    expect(await lab.names).toEqual([expect.stringMatching(/^0-0000000000000006-1-\d+\.snapshot$/)]);
    expect(lab.disk.openFiles).toBe(0);
  });

  it("close their file when a reader leaves early, and hold nothing for one that never begins", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(600_000));
    const idle = lab.storage.read(0, 5);
    const reader = lab.storage.read(0, 5);
    await lab.wait(reader.next());
    expect(lab.disk.openFiles).toBe(1);
    await lab.wait(reader.return());
    expect(lab.disk.openFiles).toBe(0);
    await lab.wait(lab.storage.removeBelow(0, 6));
    expect(await lab.names).toEqual([]);
    expect(await lab.wait(errorOf(idle.next()))).toMatchObject(missing);
  });

  it("give a chunk that was handed out to its taker for good", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(600_000));
    const chunks: Uint8Array[] = [];
    const take = async (): Promise<void> => {
      for await (const chunk of lab.storage.read(0, 5)) {
        expect(chunk.length).toBeLessThanOrEqual(chunkBytes);
        chunks.push(chunk);
      }
    };
    await lab.wait(take());
    expect(print(Buffer.concat(chunks))).toBe(print(content(600_000)));
  });

  it("are done with a chunk when write resolves", async () => {
    const lab = new SnapshotLab();
    const writer = await lab.create(0, metadataOf(5));
    const reused = new Uint8Array(1_000);
    const all: Uint8Array[] = [];
    for (let i = 0; i < 300; i++) {
      reused.set(content(1_000, i));
      all.push(reused.slice());
      await lab.wait(writer.write(reused));
    }
    await lab.wait(writer.commit());
    expect(await lab.read(0, 5)).toBe(print(Buffer.concat(all)));
  });
});

describe("a snapshot that is given up", () => {
  it("leaves nothing, however often it is said, and nothing can be added", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(10, 1));
    const writer = await lab.create(0, metadataOf(5));
    await lab.wait(writer.write(content(600_000, 2)));
    await lab.wait(Promise.all([writer.abort(), writer.abort()]));
    await lab.wait(writer.abort());
    expect(await lab.wait(errorOf(writer.write(content(1))))).toMatchObject({ message: expect.stringMatching(/aborted/) });
    expect(await lab.wait(errorOf(writer.commit()))).toMatchObject({ message: expect.stringMatching(/aborted/) });
    expect(await lab.read(0, 5)).toBe(print(content(10, 1)));
    expect(await lab.names).toHaveLength(1);
    expect(lab.disk.openFiles).toBe(0);
  });

  it("after its commit is there all the same", async () => {
    const lab = new SnapshotLab();
    const writer = await lab.create(0, metadataOf(5));
    await lab.wait(writer.commit());
    await lab.wait(writer.abort());
    expect(await lab.list()).toEqual([5]);
  });

  it("while it is written waits for the write, and comes before what is called later", async () => {
    const lab = new SnapshotLab();
    const writer = await lab.create(0, metadataOf(5));
    const [write, abort, late] = [writer.write(content(600_000)), writer.abort(), errorOf(writer.commit())];
    await lab.wait(Promise.all([write, abort]));
    expect(await lab.wait(late)).toMatchObject({ message: expect.stringMatching(/aborted/) });
    expect(await lab.names).toEqual([]);
    expect(lab.disk.openFiles).toBe(0);
  });

  it("beside another of the same index does not touch that one", async () => {
    const lab = new SnapshotLab();
    const [one, two] = [await lab.create(0, metadataOf(5)), await lab.create(0, metadataOf(5))];
    await lab.wait(Promise.all([one.write(content(300_000, 1)), two.write(content(300_000, 2))]));
    await lab.wait(Promise.all([one.abort(), two.commit()]));
    expect(await lab.read(0, 5)).toBe(print(content(300_000, 2)));
    expect(await lab.names).toHaveLength(1);
  });

  it("is one of two that are committed at once: the last of them stays, in full", async () => {
    const lab = new SnapshotLab();
    const [one, two] = [await lab.create(0, metadataOf(5)), await lab.create(0, metadataOf(5))];
    await lab.wait(Promise.all([one.write(content(300_000, 1)), two.write(content(300_000, 2))]));
    await lab.wait(Promise.all([one.commit(), two.commit()]));
    expect(await lab.list()).toEqual([5]);
    const stayed = await lab.read(0, 5);
    expect([print(content(300_000, 1)), print(content(300_000, 2))]).toContain(stayed);
    expect(await lab.names).toHaveLength(1);
    lab.restart({ unsynced: "lose" });
    expect(await lab.list()).toEqual([5]);
  });
});

describe("the memory of snapshots", () => {
  it("is that of a chunk, whatever the length of what is written, and what is unflushed stays small", async () => {
    const lab = new SnapshotLab();
    const largest = { read: 0, write: 0, sync: 0 };
    let unsynced = 0;
    let unsyncedMost = 0;
    const fileSystem = watched(lab.process.fileSystem, (operation, bytes) => {
      largest[operation] = Math.max(largest[operation], bytes);
      if (operation === "write") unsynced += bytes;
      if (operation === "sync") unsynced = 0;
      unsyncedMost = Math.max(unsyncedMost, unsynced);
    });
    const storage = new FileSnapshotStorage(fileSystem, directory, noting([]));
    const writer = await lab.wait(storage.create(0, metadataOf(5)));
    const piece = content(5_000_000);
    for (let i = 0; i < 8; i++) await lab.wait(writer.write(piece));
    await lab.wait(writer.commit());
    let bytes = 0;
    const take = async (): Promise<void> => {
      for await (const chunk of storage.read(0, 5)) bytes += chunk.length;
    };
    await lab.wait(take());
    expect(bytes).toBe(40_000_000);
    expect(Math.max(largest.read, largest.write)).toBeLessThanOrEqual(chunkBytes + 100);
    expect(unsyncedMost).toBeLessThanOrEqual(9 * 1024 * 1024);
  });
});

describe("a directory for snapshots", () => {
  it("may be deep, and missing", async () => {
    const lab = new SnapshotLab();
    const storage = new FileSnapshotStorage(lab.process.fileSystem, "/a/b/c/", noting([]));
    expect(await lab.wait(storage.list(0))).toEqual([]);
    await lab.wait(storage.removeBelow(0, 9));
    await lab.wait(store(storage, 0, metadataOf(1), content(10)));
    expect([...lab.disk.durableImage().keys()]).toEqual([expect.stringMatching(/^\/a\/b\/c\/0-0000000000000001-1-\d+\.snapshot$/)]);
  });

  it("is not used if it could go away in a crash, while those above it that were there may be closed to us", async () => {
    const lab = new SnapshotLab();
    const open = (): FileSnapshotStorage => new FileSnapshotStorage(lab.process.fileSystem, "/a/b", noting([]));
    const failAt = (place: string, code: string): void => {
      lab.disk.faults.hook = (operation, path) => (operation === "syncDirectory" && path === place ? code : null);
    };
    failAt("/", "EACCES");
    expect(await lab.wait(errorOf(open().create(0, metadataOf(1))))).toMatchObject({ code: "EACCES" });
    failAt("/a", "EACCES");
    expect(await lab.wait(errorOf(open().create(0, metadataOf(1))))).toMatchObject({ code: "EACCES" });
    failAt("/", "EACCES");
    await lab.wait(store(open(), 0, metadataOf(1), content(10)));
    failAt("/", "EIO");
    expect(await lab.wait(errorOf(open().create(0, metadataOf(1))))).toMatchObject({ code: "EIO" });
  });

  it("is given up for good by a flush that fails: the next one would succeed, and the directory would not be there after a crash", async () => {
    const lab = new SnapshotLab();
    lab.disk.failNext("syncDirectory", { code: "EIO", path: "/data" });
    for (let i = 0; i < 3; i++) expect(await lab.wait(errorOf(lab.storage.create(0, metadataOf(1))))).toMatchObject({ code: "EIO" });
    lab.restart({ unsynced: "lose" });
    await lab.store(0, metadataOf(1), content(10));
    lab.restart({ unsynced: "lose" });
    expect(await lab.list()).toEqual([1]);
  });

  it("is made anew where it could not be made at all", async () => {
    const lab = new SnapshotLab();
    lab.disk.failNext("makeDirectory", { code: "ENOSPC" });
    expect(await lab.wait(errorOf(lab.storage.prepare()))).toMatchObject({ code: "ENOSPC" });
    await lab.store(0, metadataOf(1), content(10));
    lab.restart({ unsynced: "lose" });
    expect(await lab.list()).toEqual([1]);
  });

  it("loses no snapshot to the failed flush of another", async () => {
    const lab = new SnapshotLab();
    await lab.wait(lab.storage.prepare());
    const [first, second] = [await lab.create(0, metadataOf(1)), await lab.create(1, metadataOf(1))];
    for (const writer of [first, second]) await lab.wait(writer.write(content(10)));
    lab.disk.failNext("syncDirectory", { code: "EIO" });
    const outcomes = await lab.wait(Promise.all([first, second].map((writer) => errorOf(writer.commit()))));
    expect(outcomes.filter((error) => error === null)).toHaveLength(1);
    lab.restart({ unsynced: "lose" });
    const held = [await lab.list(0), await lab.list(1)];
    expect(held).toEqual(outcomes.map((error) => (error === null ? [1] : [])));
  });

  it("keeps files that are none of ours", async () => {
    const lab = new SnapshotLab();
    const strange = ["notes.txt", "0-0000000000000001-1-1.snapshot.bak", "0-1-1-1.snapshot", "00-0000000000000001-1-1.snapshot"];
    lab.process.kill();
    lab.disk.restore(new Map(strange.map((name) => [`${directory}/${name}`, content(5)])));
    lab.restart(null);
    expect(await lab.list()).toEqual([]);
    await lab.store(0, metadataOf(1), content(10));
    await lab.wait(lab.storage.removeBelow(0, 100));
    expect(await lab.names).toEqual([...strange].sort());
  });
});
