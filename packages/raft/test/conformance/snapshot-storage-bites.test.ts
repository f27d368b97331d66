import { describe, expect, test } from "vitest";
import { type ConformanceCase, testSnapshotStorage } from "../../src/conformance/index.js";
import type { SnapshotStorage, SnapshotWriter } from "../../src/index.js";
import { failuresOf, jobs, type Spoil, snapshotFixture, verdictOf } from "./fixtures.js";

/** A storage with one bug: what stands in `changed` takes the place of the sound one's. */
function spoiled(storage: SnapshotStorage, changed: Partial<SnapshotStorage>): SnapshotStorage {
  return {
    list: (group) => storage.list(group),
    create: (group, metadata) => storage.create(group, metadata),
    read: (group, index) => storage.read(group, index),
    removeBelow: (group, index) => storage.removeBelow(group, index),
    ...changed,
  };
}

/** A bug of the writer. */
const writing = (change: (writer: SnapshotWriter) => Partial<SnapshotWriter>) => (storage: SnapshotStorage) => ({
  create: async (...args: Parameters<SnapshotStorage["create"]>): Promise<SnapshotWriter> => {
    const writer = await storage.create(...args);
    const sound = { write: (chunk: Uint8Array) => writer.write(chunk), commit: () => writer.commit(), abort: () => writer.abort() };
    return { ...sound, ...change(writer) };
  },
});

const casesOf = (spoil: Spoil<SnapshotStorage>): readonly ConformanceCase[] =>
  testSnapshotStorage("bug", () => snapshotFixture(spoil), { faults: ["damage"], largeBytes: 100_000 });

const bugs: Readonly<
  Record<string, { readonly changes: (storage: SnapshotStorage) => Partial<SnapshotStorage>; readonly seenBy: string }>
> = {
  "chunks are kept, not copied": {
    changes: writing((writer) => {
      const kept: Uint8Array[] = [];
      return {
        write: async (chunk) => void kept.push(chunk),
        commit: async () => {
          for (const chunk of kept) await writer.write(chunk);
          await writer.commit();
        },
      };
    }),
    seenBy: "a chunk is the writer's own again when `write` has resolved",
  },
  "the last chunk is lost": {
    changes: writing((writer) => {
      let last: Uint8Array | null = null;
      return {
        write: async (chunk) => {
          if (last !== null) await writer.write(last);
          last = chunk.slice();
        },
      };
    }),
    seenBy: "data may come in chunks of any size, none included",
  },
  "a commit is acknowledged before it is done": {
    changes: (storage) =>
      writing((writer) => ({
        commit: async () => {
          jobs(10)
            .then(() => writer.commit())
            .catch(() => undefined);
        },
      }))(storage),
    seenBy: "what was committed is there after a crash",
  },
  "a snapshot can be read while it is being written": {
    changes: (storage) => ({
      create: async (group, metadata) => {
        const early = await storage.create(group, metadata);
        await early.commit();
        return storage.create(group, metadata);
      },
    }),
    seenBy: "nobody sees a snapshot before it is committed",
  },
  "abort throws away what was committed": {
    changes: (storage) => ({
      create: async (group, metadata) => {
        const writer = await storage.create(group, metadata);
        return {
          write: (chunk) => writer.write(chunk),
          commit: () => writer.commit(),
          abort: () => writer.abort().then(() => storage.removeBelow(group, metadata.index + 1)),
        };
      },
    }),
    seenBy: "abort does nothing after commit",
  },
  "abort keeps what came so far": {
    changes: writing((writer) => ({ abort: () => writer.commit().catch(() => undefined) })),
    seenBy: "one that was aborted is as if it had never been begun",
  },
  "abort rejects when it is repeated": {
    changes: writing((writer) => {
      let isOver = false;
      return {
        abort: async () => {
          if (isOver) throw new Error("gone");
          isOver = true;
          await writer.abort();
        },
      };
    }),
    seenBy: "one that was aborted is as if it had never been begun",
  },
  "the list is in the order of writing": {
    changes: (storage) => {
      const order: number[] = [];
      return {
        create: (group, metadata) => {
          order.push(metadata.index);
          return storage.create(group, metadata);
        },
        list: async (group) => [...(await storage.list(group))].sort((a, b) => order.indexOf(a.index) - order.indexOf(b.index)),
      };
    },
    seenBy: "the list is ascending, whatever the order of writing",
  },
  "a joint configuration is forgotten": {
    changes: (storage) => ({
      create: (group, metadata) =>
        storage.create(group, { ...metadata, configuration: { ...metadata.configuration, votersOutgoing: [], autoLeave: false } }),
    }),
    seenBy: "the metadata comes back as it was, oldest first",
  },
  "all groups share one place": {
    changes: (storage) => ({
      create: (_group, metadata) => storage.create(0, metadata),
      list: () => storage.list(0),
      read: (_group, index) => storage.read(0, index),
      removeBelow: (_group, index) => storage.removeBelow(0, index),
    }),
    seenBy: "groups know nothing of each other",
  },
  "the earlier one goes before the later one is there": {
    changes: (storage) => ({
      create: async (group, metadata) => {
        await storage.removeBelow(group, metadata.index + 1);
        return storage.create(group, metadata);
      },
    }),
    seenBy: "one of the same index replaces the earlier one when it is committed, not before",
  },
  "removeBelow takes the snapshot of the index too": {
    changes: (storage) => ({ removeBelow: (group, index) => storage.removeBelow(group, index + 1) }),
    seenBy: "removeBelow removes what is below",
  },
  "a removal breaks who reads": {
    changes: (storage) => ({
      read: async function* (group, index) {
        for await (const chunk of storage.read(group, index)) {
          if (!(await storage.list(group)).some((snapshot) => snapshot.index === index)) throw new Error("gone");
          yield chunk;
        }
      },
    }),
    seenBy: "one that is removed stays readable to the end",
  },
  "a reader goes on in the one that replaced its own": {
    changes: (storage) => ({
      read: async function* (group, index) {
        for (let at = 0; ; at++) {
          const chunks: Uint8Array[] = [];
          for await (const chunk of storage.read(group, index)) chunks.push(chunk);
          const chunk = chunks[at];
          if (chunk === undefined) return;
          yield chunk;
        }
      },
    }),
    seenBy: "one that is replaced stays readable to the end",
  },
  "one reader at a time": {
    changes: (storage) => {
      let isBusy = false;
      return {
        read: async function* (group, index) {
          if (isBusy) throw new Error("busy");
          isBusy = true;
          try {
            yield* storage.read(group, index);
          } finally {
            isBusy = false;
          }
        },
      };
    },
    seenBy: "many may read at once",
  },
  "whoever stops reading leaves it locked": {
    changes: (storage) => {
      const locked = new Set<number>();
      return {
        read: async function* (group, index) {
          locked.add(index);
          yield* storage.read(group, index);
          locked.delete(index);
        },
        removeBelow: async (group, index) => {
          if (![...locked].some((at) => at < index)) await storage.removeBelow(group, index);
        },
      };
    },
    seenBy: "a reader may stop early",
  },
  "read throws at once, not from the iteration": {
    changes: (storage) => {
      const known = new Set<string>();
      return {
        create: (group, metadata) => {
          known.add(`${group}/${metadata.index}`);
          return storage.create(group, metadata);
        },
        read: (group, index) => {
          if (!known.has(`${group}/${index}`)) throw new Error("no such snapshot");
          return storage.read(group, index);
        },
      };
    },
    seenBy: "a storage to which nothing was written is empty",
  },
  "damage is not noticed": {
    changes: (storage) => ({
      read: async function* (group, index) {
        const isThere = (await storage.list(group)).some((snapshot) => snapshot.index === index);
        try {
          yield* storage.read(group, index);
        } catch (error) {
          if (!isThere) throw error;
        }
      },
    }),
    seenBy: "data is checked as it is read",
  },
};

describe("the suite finds the bugs of a SnapshotStorage", () => {
  test("and none in a sound one", async () => {
    expect(await failuresOf(casesOf((storage) => spoiled(storage, {})))).toEqual([]);
  });

  for (const [name, { changes, seenBy }] of Object.entries(bugs)) {
    test(name, async () => {
      expect(
        await verdictOf(
          casesOf((storage) => spoiled(storage, changes(storage))),
          seenBy,
        ),
      ).toBeInstanceOf(Error);
    });
  }
});
