import { describe, expect, test } from "vitest";
import { type ConformanceCase, testLogStorage } from "../../src/conformance/index.js";
import type { Entry, LogStorage, StoredLog } from "../../src/index.js";
import { failuresOf, logFixture, promiseScheduler, type Spoil, verdictOf } from "./fixtures.js";

/** A storage with one bug: what stands in `changed` takes the place of the sound one's. */
function spoiled(storage: LogStorage, changed: Partial<LogStorage>): LogStorage {
  return {
    load: (group) => storage.load(group),
    append: (group, hardState, entries) => storage.append(group, hardState, entries),
    read: (group, from, to, maxBytes) => storage.read(group, from, to, maxBytes),
    compact: (group, index) => storage.compact(group, index),
    install: (group, hardState, snapshot) => storage.install(group, hardState, snapshot),
    ...changed,
  };
}

const casesOf = (spoil: Spoil<LogStorage>): readonly ConformanceCase[] =>
  testLogStorage("bug", () => logFixture(promiseScheduler, spoil), { faults: ["failWrites", "damage"], crashPoints: 40 });

type Changes = (storage: LogStorage) => Partial<LogStorage>;
const whole = (storage: LogStorage, group: number, { compactedIndex, lastIndex }: StoredLog): Promise<readonly Entry[]> =>
  storage.read(group, compactedIndex + 1, lastIndex, Number.POSITIVE_INFINITY);

const bugs: Readonly<Record<string, { readonly changes: Changes; readonly seenBy: string }>> = {
  "an acknowledgement comes before the write": {
    changes: (storage) => ({ append: (...args) => void storage.append(...args)?.catch(() => undefined) }),
    seenBy: "every single acknowledgement holds through a crash",
  },
  "the hard state is stored only with entries": {
    changes: (storage) => ({
      append: (group, hardState, entries) => storage.append(group, entries.length === 0 ? null : hardState, entries),
    }),
    seenBy: "a hard state alone is stored, and entries alone leave it as it is",
  },
  "entries are written one by one": {
    changes: (storage) => ({
      append: async (group, hardState, entries) => {
        const all = entries.map((entry) => storage.append(group, null, [entry]));
        await Promise.all([...all, storage.append(group, hardState, [])]);
      },
    }),
    seenBy: "a crash leaves each of many appends whole or not at all, in order",
  },
  "the hard state is written before the entries": {
    changes: (storage) => ({
      append: async (group, hardState, entries) => {
        await Promise.all([storage.append(group, hardState, []), storage.append(group, null, entries)]);
      },
    }),
    seenBy: "a crash leaves the entries and hard state of a replacing append together, or neither",
  },
  "what follows a replaced entry stays": {
    changes: (storage) => ({
      append: async (group, hardState, entries) => {
        const log = await storage.load(group);
        const [first, last] = [entries[0], entries[entries.length - 1]];
        const tail = first === undefined || last === undefined ? [] : await storage.read(group, last.index + 1, log.lastIndex, 1e9);
        const kept = tail.map((entry) => ({ ...entry, term: Math.max(entry.term, last?.term ?? 0) }));
        await storage.append(group, hardState, [...entries, ...kept]);
      },
    }),
    seenBy: "entries replace everything from the first one's index on",
  },
  "an append overtakes an install": {
    changes: (storage) => ({
      install: async (...args) => {
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        await storage.install(...args);
      },
    }),
    seenBy: "calls that overlap take effect, and resolve, in order",
  },
  "all groups share one hard state": {
    changes: (storage) => ({
      append: async (group, hardState, entries) => {
        await storage.append(group, hardState, entries);
        await storage.append(0, hardState, []);
      },
    }),
    seenBy: "groups know nothing of each other",
  },
  "numbers are cut to 32 bits": {
    changes: (storage) => ({
      load: async (group) => {
        const log = await storage.load(group);
        return { ...log, hardState: log.hardState && { ...log.hardState, currentTerm: log.hardState.currentTerm >>> 0 } };
      },
    }),
    seenBy: "terms and indexes may be large",
  },
  "data is cut at 64 KiB": {
    changes: (storage) => ({
      append: (group, hardState, entries) =>
        storage.append(
          group,
          hardState,
          entries.map((entry) => ({ ...entry, data: entry.data.subarray(0, 65_536) })),
        ),
    }),
    seenBy: "data may be large, or none",
  },
  "the term of the compacted index is lost": {
    changes: (storage) => ({
      load: async (group) => {
        const log = await storage.load(group);
        const [first, ...runs] = log.terms;
        return { ...log, terms: [{ firstIndex: first?.firstIndex ?? 0, term: 0 }, ...runs] };
      },
    }),
    seenBy: "compact forgets the entries up to an index, but not the term of that one",
  },
  "compact writes the rest of the log anew, in two writes": {
    changes: (storage) => ({
      compact: async (group, index) => {
        const log = await storage.load(group);
        const entries = await whole(storage, group, log);
        const term = entries[index - log.compactedIndex - 1]?.term ?? 0;
        const configuration = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
        await storage.install(group, null, { index, term, configuration });
        await storage.append(group, null, entries.slice(index - log.compactedIndex));
      },
    }),
    seenBy: "a compaction may come back in a crash, but nothing else",
  },
  "compact cuts off what is on its way": {
    changes: (storage) => ({
      compact: async (group, index) => {
        const log = await storage.load(group);
        const entries = await whole(storage, group, log);
        await storage.compact(group, index);
        await storage.append(group, null, entries.slice(index - log.compactedIndex));
      },
    }),
    seenBy: "compact may be called while appends are on their way",
  },
  "read knows no limit": {
    changes: (storage) => ({ read: (group, from, to) => storage.read(group, from, to, Number.POSITIVE_INFINITY) }),
    seenBy: "read gives at least one entry, and no more than about maxBytes, nor beyond `to`",
  },
  "read gives nothing where the first entry is beyond the limit": {
    changes: (storage) => ({
      read: async (group, from, to, maxBytes) => {
        const entries = await storage.read(group, from, to, maxBytes);
        return (entries[0]?.data.length ?? 0) > maxBytes ? [] : entries;
      },
    }),
    seenBy: "read gives at least one entry, and no more than about maxBytes, nor beyond `to`",
  },
  "read goes beyond its end": {
    changes: (storage) => ({
      read: async (group, from, _to, maxBytes) => storage.read(group, from, (await storage.load(group)).lastIndex, maxBytes),
    }),
    seenBy: "read gives at least one entry, and no more than about maxBytes, nor beyond `to`",
  },
  "read gives the first entry that is left for one that was compacted away": {
    changes: (storage) => ({
      read: async (group, from, to, maxBytes) => {
        const { compactedIndex, lastIndex } = await storage.load(group);
        return storage.read(group, Math.max(from, Math.min(compactedIndex + 1, lastIndex)), to, maxBytes);
      },
    }),
    seenBy: "compact forgets the entries up to an index, but not the term of that one",
  },
  "install keeps what is beyond the snapshot": {
    changes: (storage) => ({
      install: async (group, hardState, snapshot) => {
        const log = await storage.load(group);
        const beyond = log.lastIndex > snapshot.index ? await storage.read(group, snapshot.index + 1, log.lastIndex, 1e9) : [];
        const installed = storage.install(group, hardState, snapshot);
        if (beyond.length > 0) void storage.append(group, null, beyond);
        await installed;
      },
    }),
    seenBy: "install forgets all entries, and the log begins after the snapshot",
  },
  "install leaves the hard state to the next append": {
    changes: (storage) => ({
      install: async (group, hardState, snapshot) => {
        await storage.install(group, null, snapshot);
        if (hardState !== null) void storage.append(group, hardState, []);
      },
    }),
    seenBy: "a crash leaves the log before an install or the one after it",
  },
  "a failed write is tried again": {
    changes: (storage) => {
      let hasFailed = false;
      return {
        append: async (...args) => {
          try {
            await storage.append(...args);
          } catch (error) {
            if (!hasFailed) {
              hasFailed = true;
              throw error;
            }
          }
        },
      };
    },
    seenBy: "a write that failed is final",
  },
  "damage is taken for the end of the log": {
    changes: (storage) => ({
      load: (group) =>
        storage.load(group).catch(() => ({ hardState: null, compactedIndex: 0, lastIndex: 0, terms: [{ firstIndex: 0, term: 0 }] })),
    }),
    seenBy: "load rejects rather than leave out what was acknowledged",
  },
};

describe("the suite finds the bugs of a LogStorage", () => {
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
