import { describe, expect, it } from "vitest";
import { content, directory, errorOf, inChunks, metadataOf, print, SnapshotLab } from "./snapshot-lab.js";

const isDamaged = { code: "OCTOPII_CORE_SNAPSHOT_DAMAGED" };
const chunkBytes = 256 * 1024;

/** A disk with one snapshot, index 5, of each content, with what `change` makes of the file. */
async function damagedLab(bytes: Uint8Array, change: (file: Uint8Array, path: string) => Map<string, Uint8Array>): Promise<SnapshotLab> {
  const lab = new SnapshotLab();
  await lab.store(0, metadataOf(5), bytes);
  const [[path, file] = ["", new Uint8Array(0)]] = [...lab.disk.durableImage()];
  lab.process.kill();
  lab.disk.restore(change(file.slice(), path));
  lab.restart(null);
  return lab;
}

const isTold = (error: unknown): string => String((error as Error | null)?.message);

describe("a damaged snapshot", () => {
  it("is refused at any length but its own, by list and by read, and stays as it is", async () => {
    const lab = await damagedLab(content(300), (file, path) => new Map([[path, file]]));
    const [[path, whole] = ["", new Uint8Array(0)]] = [...lab.disk.durableImage()];
    for (let length = 0; length <= whole.length + 1; length++) {
      if (length === whole.length) continue;
      const file = new Uint8Array(length);
      file.set(whole.subarray(0, length));
      lab.process.kill();
      lab.disk.restore(new Map([[path, file]]));
      lab.restart(null);
      const listed = await errorOf(lab.list());
      expect(listed).toMatchObject({ ...isDamaged, details: { path, offset: expect.any(Number) } });
      expect(isTold(listed)).toMatch(/^The snapshot \/data\/snapshots\/.* is damaged at offset \d+: .*; restore the file .*\.$/);
      expect(await errorOf(lab.read(0, 5))).toMatchObject(isDamaged);
      expect(lab.disk.durableImage()).toEqual(new Map([[path, file]]));
    }
    expect(lab.disk.openFiles).toBe(0);
  });

  it("is found out wherever a bit has changed, before that byte is given out", async () => {
    const bytes = content(300);
    const lab = await damagedLab(bytes, (file, path) => new Map([[path, file]]));
    const [[path, whole] = ["", new Uint8Array(0)]] = [...lab.disk.durableImage()];
    for (let at = 0; at < whole.length; at++) {
      const file = whole.slice();
      file[at] = (file[at] ?? 0) ^ (1 << (at % 8));
      lab.process.kill();
      lab.disk.restore(new Map([[path, file]]));
      lab.restart(null);
      const error = await errorOf(lab.read(0, 5));
      expect(error).toMatchObject({ code: expect.stringMatching(/^OCTOPII_CORE_SNAPSHOT_(DAMAGED|VERSION_UNKNOWN)$/) });
    }
  });

  it("gives the chunks before the damage, and none after", async () => {
    const bytes = content(3 * chunkBytes);
    const lab = await damagedLab(bytes, (file, path) => {
      const at = Math.floor(file.length / 2);
      file[at] = (file[at] ?? 0) ^ 1;
      return new Map([[path, file]]);
    });
    const chunks: Uint8Array[] = [];
    const take = async (): Promise<void> => {
      for await (const chunk of lab.storage.read(0, 5)) chunks.push(chunk);
    };
    expect(await lab.wait(errorOf(take()))).toMatchObject(isDamaged);
    expect(print(Buffer.concat(chunks))).toBe(print(bytes.subarray(0, chunkBytes)));
    expect(lab.disk.openFiles).toBe(0);
  });

  it("with chunks that have changed places, or are another's, is found out", async () => {
    const bytes = content(3 * chunkBytes);
    const other = new SnapshotLab();
    await other.store(0, metadataOf(5, 2), bytes);
    const [stranger = new Uint8Array(0)] = [...other.disk.durableImage().values()];
    const size = chunkBytes + 36;
    const footer = 52;
    const swap = (file: Uint8Array, path: string): Map<string, Uint8Array> => {
      const head = file.length - footer - 3 * size;
      const [first, second] = [file.slice(head, head + size), file.slice(head + size, head + 2 * size)];
      file.set(second, head);
      file.set(first, head + size);
      return new Map([[path, file]]);
    };
    const graft = (file: Uint8Array, path: string): Map<string, Uint8Array> => {
      expect(stranger).toHaveLength(file.length);
      file.set(stranger.subarray(-footer - 2 * size), file.length - footer - 2 * size);
      return new Map([[path, file]]);
    };
    for (const change of [swap, graft]) {
      const lab = await damagedLab(bytes, change);
      expect(await errorOf(lab.read(0, 5))).toMatchObject(isDamaged);
    }
  });

  it("with a piece missing in its middle is found out by its length", async () => {
    const lab = await damagedLab(content(300_000), (file, path) => {
      const cut = new Uint8Array(file.length - 1_000);
      cut.set(file.subarray(0, 5_000));
      cut.set(file.subarray(6_000), 5_000);
      return new Map([[path, cut]]);
    });
    expect(isTold(await errorOf(lab.list()))).toMatch(/it should have \d+ bytes/);
  });

  it.each([
    ["0-0000000000000006-1-1.snapshot", "index"],
    ["0-0000000000000005-2-1.snapshot", "term"],
    ["1-0000000000000005-1-1.snapshot", "group"],
  ])("under the name %s, of another %s, is refused", async (name) => {
    const lab = await damagedLab(content(10), (file) => new Map([[`${directory}/${name}`, file]]));
    const error = await errorOf(lab.list(name.startsWith("1") ? 1 : 0));
    expect(error).toMatchObject(isDamaged);
    expect(isTold(error)).toMatch(/called 0-0000000000000005-1-1\.snapshot/);
  });

  it("that is not the newest is refused as well: the log may go on from it", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(10));
    await lab.store(0, metadataOf(9), content(10));
    const [path = ""] = [...lab.disk.durableImage().keys()].sort();
    lab.disk.flipByte(path, 20);
    lab.restart(null);
    expect(await errorOf(lab.list())).toMatchObject({ ...isDamaged, details: { path, offset: 0 } });
    expect(await lab.names).toHaveLength(2);
  });

  it("in place of a good one of the same index does not cost the good one", async () => {
    const lab = await damagedLab(content(10), (file, path) => {
      const newer = path.replace(/-\d+\.snapshot$/, "-99.snapshot");
      return new Map([
        [path, file],
        [newer, file.slice(0, -1)],
      ]);
    });
    expect(await errorOf(lab.list())).toMatchObject({ ...isDamaged, details: { path: expect.stringMatching(/-99\.snapshot$/) } });
    expect(await lab.names).toHaveLength(2);
  });

  it("is none of another group's business", async () => {
    const lab = await damagedLab(content(10), (file, path) => new Map([[path, file.slice(1)]]));
    await lab.store(1, metadataOf(5), content(10));
    expect(await lab.list(1)).toEqual([5]);
  });
});

describe("a snapshot of another format", () => {
  it("is refused with what to do, and stays as it is", async () => {
    const lab = await damagedLab(content(10), (file, path) => {
      new DataView(file.buffer).setUint32(8, 2, true);
      return new Map([[path, file]]);
    });
    const error = await errorOf(lab.list());
    expect(error).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_VERSION_UNKNOWN", details: { version: 2 } });
    expect(isTold(error)).toMatch(
      /^The snapshot \/data\/.* has format 2; this release reads format 1: run the release that wrote it, or a newer one\.$/,
    );
    expect(await lab.names).toHaveLength(1);
  });
});

describe("files that go wrong under a snapshot", () => {
  it("are told for what they are when somebody removed them", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(10));
    const [path = ""] = [...lab.disk.durableImage().keys()];
    await lab.wait(lab.process.fileSystem.remove(path));
    expect(await errorOf(lab.read(0, 5))).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_MISSING", details: { path } });
    expect(await errorOf(lab.list())).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_MISSING", details: { path } });
  });

  it("fail the writer with the system's error wherever it comes, leave the old snapshot, and leave nothing of the new one", async () => {
    for (const operation of ["open", "write", "sync", "close", "rename", "syncDirectory", "makeDirectory"] as const) {
      for (let skip = 0; ; skip++) {
        const lab = new SnapshotLab();
        await lab.store(0, metadataOf(5), content(10, 1));
        lab.restart(null);
        expect(await lab.list()).toEqual([5]);
        lab.disk.failNext(operation, { code: "ENOSPC", skip });
        const write = async (): Promise<void> => {
          const writer = await lab.storage.create(0, metadataOf(5));
          try {
            for await (const chunk of inChunks(content(300_000, 2), 70_000)) await writer.write(chunk);
            await writer.commit();
          } finally {
            await writer.abort();
          }
        };
        const error = await lab.wait(errorOf(write()));
        lab.disk.faults.clear();
        const label = `${operation} ${skip}`;
        expect([label, await lab.list(), await lab.read(0, 5)]).toEqual([
          label,
          [5],
          print(content(error === null ? 300_000 : 10, error === null ? 2 : 1)),
        ]);
        expect([label, (await lab.names).length, lab.disk.openFiles]).toEqual([label, 1, 0]);
        if (error === null) break;
        expect([label, error]).toEqual([label, expect.objectContaining({ code: "ENOSPC" })]);
      }
    }
  });

  it("that cannot be removed are a warning, and are removed later", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(10));
    await lab.store(0, metadataOf(9), content(10));
    lab.disk.failNext("remove", { code: "EPERM" });
    await lab.wait(lab.storage.removeBelow(0, 9));
    expect(lab.warnings).toHaveLength(1);
    expect(await lab.names).toHaveLength(2);
    await lab.wait(lab.storage.removeBelow(0, 9));
    expect(await lab.names).toHaveLength(1);
    expect(await lab.list()).toEqual([9]);
  });

  it("keep their error for whoever reads", async () => {
    const lab = new SnapshotLab();
    await lab.store(0, metadataOf(5), content(600_000));
    for (const skip of [0, 1, 2]) {
      lab.disk.failNext("read", { code: "EIO", skip });
      expect(await errorOf(lab.read(0, 5))).toMatchObject({ code: "EIO" });
      expect(lab.disk.openFiles).toBe(0);
    }
    expect(await lab.read(0, 5)).toBe(print(content(600_000)));
  });
});
