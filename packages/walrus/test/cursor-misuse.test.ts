import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWalrus, type Walrus, type WalrusOptions } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";

async function open(options: Partial<WalrusOptions> = {}, disk: CrashDisk = new CrashDisk()): Promise<Walrus> {
  return openWalrus({ directory: "/log", segmentBytes: 4096, ...options }, { fileSystem: disk });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (entries: readonly { payload: Uint8Array }[]): string[] => entries.map(({ payload }) => new TextDecoder().decode(payload));

describe("a cursor's misuse is refused, and the log goes on", () => {
  test.each([
    ["an empty name", ""],
    ["a name that is too long", "x".repeat(300)],
    ["no text", 7 as unknown as string],
  ])("to drop %s", async (_what, name) => {
    const disk = new CrashDisk();
    const log = await open({}, disk);
    await log.append("a", bytes("1"));
    await expect(log.dropCursor("a", name)).rejects.toBeInstanceOf(Error);
    expect(await log.append("a", bytes("2"))).toBe(2);
    await log.close();
    await (await open({}, new CrashDisk(disk.files()))).close();
  });

  test.each([Number.NaN, 1.5, "2" as unknown as number])("to seek %s", async (index) => {
    const disk = new CrashDisk();
    const log = await open({}, disk);
    for (const text of ["1", "2", "3"]) await log.append("a", bytes(text));
    const cursor = log.cursor("a", "c");
    await expect(cursor.seek(index)).rejects.toBeInstanceOf(RangeError);
    expect(texts(await cursor.peek())).toEqual(["1", "2", "3"]);
    await log.close();
    await (await open({}, new CrashDisk(disk.files()))).close();
  });
});

describe("a cursor gives what replaced the entries that it was reading", () => {
  test.each([
    ["strictly-at-once", 0],
    ["strictly-at-once", 2],
    ["strictly-at-once", 5],
    ["at-least-once", 0],
    ["at-least-once", 2],
    ["at-least-once", 5],
  ] as const)("%s, replaced after %i turns of its promise", async (mode, turns) => {
    const log = await open();
    for (let i = 1; i <= 5; i++) await log.append("a", bytes(`old${i}`));
    const cursor = log.cursor("a", "c", { mode });
    const consuming = cursor.consume();
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const news = ["new3", "new4", "new5"].map(bytes);
    const replacing = log.appendBatch([
      { topic: "a", truncateBack: 3 },
      { topic: "a", append: news },
    ]);
    const given = texts(await consuming);
    await replacing;
    expect([...given, ...texts(await cursor.consume())]).toEqual(expect.arrayContaining(["new3", "new4", "new5"]));
    await log.close();
  });

  test("while the disk is slow to read", async () => {
    const disk = new CrashDisk();
    const log = await open({}, disk);
    for (let i = 1; i <= 5; i++) await log.append("a", bytes(`old${i}`));
    const cursor = log.cursor("a", "c", { mode: "at-least-once" });
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    disk.onIo = async (operation) => {
      if (operation === "read") await held;
    };
    const consuming = cursor.consume();
    await new Promise((resolve) => setImmediate(resolve));
    await log.appendBatch([
      { topic: "a", truncateBack: 3 },
      { topic: "a", append: ["new3", "new4", "new5"].map(bytes) },
    ]);
    go();
    expect([...texts(await consuming), ...texts(await cursor.consume())]).toEqual(expect.arrayContaining(["new3", "new4", "new5"]));
    await log.close();
  });
});

test("a cursor gives again what it could not give because its place was not stored", async () => {
  const log = await open({ maxRecordBytes: 2000, maxQueuedBytes: 3000, segmentBytes: 65536 });
  for (let i = 1; i <= 4; i++) await log.append("a", bytes(`e${i}`));
  const cursor = log.cursor("a", "c", { mode: "at-least-once", persistEvery: 1 });
  const consuming = cursor.consume({ maxEntries: 2 }).then(texts, (error: { code?: string }) => error.code);
  const rest: Promise<unknown>[] = [];
  // The queue stays full while the cursor wants to store.
  for (let i = 0; i < 200; i++) {
    for (const length of [2000, 900, 300, 90, 30, 9, 1, 1, 1]) rest.push(log.append("b", new Uint8Array(length)).catch(() => undefined));
    await Promise.resolve();
  }
  expect(await consuming).toBe("OCTOPII_WALRUS_BUSY");
  await Promise.all(rest);
  expect(texts(await cursor.consume())).toEqual(["e1", "e2", "e3", "e4"]);
  await log.close();
});

test("a read below the first index of a topic that was emptied is an error, not an empty answer", async () => {
  const log = await open();
  for (let i = 1; i <= 5; i++) await log.append("a", bytes("x"));
  await log.truncateFront("a", 6);
  await expect(log.read("a", 1)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_TRUNCATED" });
  expect(await log.read("a", 6)).toEqual([]);
  await log.close();
});

test("a log whose directory is relative stays where it was opened, wherever the process goes", async () => {
  const house = mkdtempSync(join(tmpdir(), "octopii-walrus-"));
  const [one, two] = [join(house, "one"), join(house, "two")];
  for (const directory of [one, join(two, "log")]) mkdirSync(directory, { recursive: true });
  const here = process.cwd();
  try {
    process.chdir(one);
    const log = await openWalrus({ directory: "log", segmentBytes: 4096 });
    process.chdir(two);
    for (let i = 0; i < 30; i++) await log.append("a", new Uint8Array(400));
    await log.close();
    const again = await openWalrus({ directory: join(one, "log") });
    expect(again.count("a")).toBe(30);
    await again.close();
  } finally {
    process.chdir(here);
    rmSync(house, { recursive: true });
  }
});

describe("cursors without end", () => {
  test("are refused beyond maxCursors, stored or not, and room is made by dropping one", async () => {
    const disk = new CrashDisk();
    const options = { directory: "/log", maxCursors: 3 };
    const log = await openWalrus(options, { fileSystem: disk });
    await log.append("a", new Uint8Array(1));
    for (const name of ["1", "2", "3"]) await log.cursor("a", name).checkpoint();
    expect(() => log.cursor("a", "4")).toThrow(expect.objectContaining({ code: "OCTOPII_WALRUS_TOO_MANY_CURSORS", outcome: "failed" }));
    expect(log.cursor("a", "2").position).toBe(1);
    await log.close();
    const again = await openWalrus(options, { fileSystem: disk });
    expect(() => again.cursor("b", "1")).toThrow("maxCursors is 3");
    await again.dropCursor("a", "1");
    again.cursor("b", "1");
    expect(() => again.cursor("b", "2")).toThrow("maxCursors is 3");
    await again.close();
  });

  test("do not cost an entry where what they have passed cannot be dropped just now", async () => {
    const log = await openWalrus(
      { directory: "/log", retention: "consumed", maxRecordBytes: 1_000, maxQueuedBytes: 2_000 },
      { fileSystem: new CrashDisk() },
    );
    for (let i = 0; i < 3; i++) await log.append("a", new Uint8Array(10));
    const cursor = log.cursor("a", "c");
    const consuming = cursor.consume();
    // The queue is full when the place has just been stored.
    const filling = (async () => {
      for (let i = 0; i < 200; i++) {
        await Promise.allSettled([
          log.append("b", new Uint8Array(900)),
          log.append("b", new Uint8Array(900)),
          log.append("b", new Uint8Array(900)),
        ]);
      }
    })();
    expect((await consuming).map(({ index }) => index)).toEqual([1, 2, 3]);
    await filling;
    await log.close();
  });
});
