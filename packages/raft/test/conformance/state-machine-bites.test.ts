import { describe, expect, test } from "vitest";
import { type ConformanceCase, createMemoryKeyValue, type MemoryKeyValue, testStateMachine } from "../../src/conformance/index.js";
import type { StateMachine } from "../../src/index.js";
import { failuresOf, historyOfKeys, verdictOf } from "./fixtures.js";

type Machine = StateMachine<unknown>;

/** A state machine with one bug: what stands in `changed` takes the place of the sound one's. */
function spoiled(sound: MemoryKeyValue, changed: Partial<Machine>): Machine {
  return {
    apply: (commands) => sound.apply(commands),
    snapshot: () => sound.snapshot(),
    restore: (chunks) => sound.restore(chunks),
    ...changed,
  };
}

const casesOf = (changes: (sound: MemoryKeyValue) => Partial<Machine>): readonly ConformanceCase[] => {
  const create = (): { stateMachine: Machine } => {
    const sound = createMemoryKeyValue();
    return { stateMachine: spoiled(sound, changes(sound)) };
  };
  return testStateMachine("bug", { create, commands: historyOfKeys });
};

async function* cutLate(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch {
    // Swallowed: that is the bug.
  }
}

let applied = 0;

const bugs: Readonly<Record<string, { readonly changes: (sound: MemoryKeyValue) => Partial<Machine>; readonly seenBy: string }>> = {
  "results depend on something outside": {
    changes: (sound) => ({ apply: (commands) => sound.apply(commands).map((result) => `${result} ${applied++}`) }),
    seenBy: "the same commands give the same results",
  },
  "results depend on the batch": {
    changes: (sound) => ({ apply: (commands) => sound.apply(commands).map((result, at) => `${result} ${at}`) }),
    seenBy: "it does not matter how commands are batched",
  },
  "a command without effect has no result": {
    changes: (sound) => ({ apply: (commands) => sound.apply(commands).filter((result) => result !== null) }),
    seenBy: "the same commands give the same results",
  },
  "a command's buffer is used again": {
    changes: (sound) => ({
      apply: (commands) => {
        const results = sound.apply(commands);
        for (const { data } of commands) data.fill(0);
        return results;
      },
    }),
    seenBy: "commands are left as they are",
  },
  "the snapshot begins when somebody reads": {
    changes: (sound) => ({
      snapshot: async function* () {
        yield* sound.snapshot();
      },
    }),
    seenBy: "a snapshot is of the moment of the call, not of the first read",
  },
  "a snapshot's later chunks are of a later state": {
    changes: (sound) => ({
      snapshot: () => {
        const first = sound.snapshot();
        return (async function* () {
          const parts: Uint8Array[] = [];
          for await (const chunk of first) parts.push(chunk);
          const bytes = Buffer.concat(parts);
          const half = bytes.indexOf("\n") + 1;
          yield bytes.subarray(0, half);
          // The rest as it is by now.
          const later: Uint8Array[] = [];
          for await (const chunk of sound.snapshot()) later.push(chunk);
          yield Buffer.concat(later).subarray(half);
        })();
      },
    }),
    seenBy: "commands may be applied while a snapshot is read",
  },
  "the snapshot lacks something": {
    changes: (sound) => ({
      snapshot: () => {
        const chunks = sound.snapshot();
        return (async function* () {
          for await (const chunk of chunks) yield chunk.subarray(chunk.indexOf(10) + 1);
        })();
      },
    }),
    seenBy: "a snapshot holds the whole state",
  },
  "chunks are taken for lines": {
    changes: (sound) => ({
      restore: async (chunks) => {
        const lines: Uint8Array[] = [];
        for await (const chunk of chunks) if (chunk.at(-1) === 10) lines.push(chunk);
        await sound.restore(
          (async function* () {
            yield* lines;
          })(),
        );
      },
    }),
    seenBy: "a snapshot is restored from chunks of any size",
  },
  "restore adds to what was there": {
    changes: (sound) => ({
      restore: async (chunks) => {
        const parts: Uint8Array[] = [];
        for await (const chunk of chunks) parts.push(chunk);
        const before: Uint8Array[] = [];
        for await (const chunk of sound.snapshot()) before.push(chunk);
        await sound.restore(
          (async function* () {
            yield* [...before, ...parts];
          })(),
        );
      },
    }),
    seenBy: "restore replaces what was there before",
  },
  "restore takes what breaks off for the whole": {
    changes: (sound) => ({ restore: (chunks) => sound.restore(cutLate(chunks)) }),
    seenBy: "restore rejects when its data breaks off, and can be repeated",
  },
  "a restore spoils the snapshot that is being read": {
    changes: (sound) => {
      let restores = 0;
      return {
        snapshot: () => {
          const chunks = sound.snapshot();
          const at = restores;
          return (async function* () {
            if (restores !== at) throw new Error("the state is another");
            yield* chunks;
          })();
        },
        restore: (chunks) => {
          restores++;
          return sound.restore(chunks);
        },
      };
    },
    seenBy: "a snapshot outlives a restore over the state that it is of",
  },
  "a snapshot that was given up blocks the next": {
    changes: (sound) => {
      let isBusy = false;
      return {
        snapshot: () => {
          if (isBusy) throw new Error("busy");
          isBusy = true;
          const chunks = sound.snapshot();
          return (async function* () {
            yield* chunks;
            isBusy = false;
          })();
        },
      };
    },
    seenBy: "whoever reads a snapshot may give up",
  },
  "what was restored cannot be taken again": {
    changes: (sound) => {
      let isRestored = false;
      return {
        snapshot: () => {
          if (isRestored) throw new Error("not now");
          return sound.snapshot();
        },
        restore: (chunks) => {
          isRestored = true;
          return sound.restore(chunks);
        },
      };
    },
    seenBy: "a restored state can be snapshotted, and restored over, again",
  },
};

describe("the suite finds the bugs of a StateMachine", () => {
  test("and none in a sound one", async () => {
    expect(await failuresOf(casesOf(() => ({})))).toEqual([]);
  });

  for (const [name, { changes, seenBy }] of Object.entries(bugs)) {
    test(name, async () => {
      expect(await verdictOf(casesOf(changes), seenBy)).toBeInstanceOf(Error);
    });
  }

  test("and refuses to judge by too few commands", () => {
    expect(() => testStateMachine("few", { create: () => ({ stateMachine: createMemoryKeyValue() }), commands: [] })).toThrow(RangeError);
  });

  test("and asks no snapshots of a state machine that has none", async () => {
    const create = (): { stateMachine: Machine } => {
      const sound = createMemoryKeyValue();
      return { stateMachine: { apply: (commands) => sound.apply(commands) } };
    };
    expect(await failuresOf(testStateMachine("plain", { create, commands: historyOfKeys, snapshots: false }))).toEqual([]);
    expect(await failuresOf(testStateMachine("plain", { create, commands: historyOfKeys }))).toHaveLength(9);
  });
});
