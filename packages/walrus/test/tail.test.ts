import { describe, expect, it } from "vitest";
import { type Entry, openWalrus, type Walrus } from "../src/index.js";
import { CrashDisk } from "./support/crash-disk.js";

const open = (): Promise<Walrus> => openWalrus({ directory: "/log", segmentBytes: 4096 }, { fileSystem: new CrashDisk() });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const shown = ({ index, payload }: Entry): string => `${index}:${new TextDecoder().decode(payload)}`;

/** Takes what is given until nothing more comes for a while. */
function collect(log: Walrus, from: number): { readonly seen: string[]; readonly ended: Promise<unknown> } {
  const seen: string[] = [];
  const ended = (async () => {
    for await (const entry of log.tail("a", from)) seen.push(shown(entry));
  })().catch((error: unknown) => error);
  return { seen, ended };
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function five(log: Walrus): Promise<void> {
  await log.appendBatch([{ topic: "a", append: [1, 2, 3, 4, 5].map((i) => bytes(`old${i}`)) }]);
}

describe("a tail whose topic is cut", () => {
  it("goes on from the cut with what came in its place", async () => {
    const log = await open();
    await five(log);
    const { seen, ended } = collect(log, 1);
    await rest();
    await log.appendBatch([
      { topic: "a", truncateBack: 3 },
      { topic: "a", append: ["new3", "new4", "new5", "new6"].map(bytes) },
    ]);
    await rest();
    await log.close();
    expect(await ended).toBeUndefined();
    expect(seen.slice(0, 5)).toEqual(["1:old1", "2:old2", "3:old3", "4:old4", "5:old5"]);
    expect(seen.slice(5)).toEqual(["3:new3", "4:new4", "5:new5", "6:new6"]);
  });

  it("gives nothing that was replaced before it was given, however far it has read", async () => {
    const log = await open();
    await five(log);
    const tail = log.tail("a", 1);
    expect(shown((await tail.next()).value as Entry)).toBe("1:old1");
    await log.appendBatch([
      { topic: "a", truncateBack: 3 },
      { topic: "a", append: [bytes("new3")] },
    ]);
    const rest = [(await tail.next()).value, (await tail.next()).value].map((entry) => shown(entry as Entry));
    expect(rest).toEqual(["2:old2", "3:new3"]);
    await log.close();
  });

  it("gives nothing below where it began", async () => {
    const log = await open();
    await five(log);
    const { seen, ended } = collect(log, 5);
    await rest();
    await log.truncateBack("a", 2);
    await log.appendBatch([{ topic: "a", append: [2, 3, 4, 5].map((i) => bytes(`new${i}`)) }]);
    await rest();
    await log.close();
    await ended;
    expect(seen).toEqual(["5:old5", "5:new5"]);
  });

  it("is told where its entries went at the front", async () => {
    const log = await open();
    await five(log);
    const tail = log.tail("a", 1);
    await tail.next();
    await log.truncateFront("a", 8);
    // What it has read ahead was there when it was read.
    const entries: (Entry | undefined)[] = [];
    const error = await (async () => {
      for (;;) entries.push((await tail.next()).value);
    })().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "OCTOPII_WALRUS_TRUNCATED", details: { first: 8 } });
    expect(await tail.next()).toEqual({ done: true, value: undefined });
    await log.close();
  });
});

describe("a tail that waits", () => {
  it("ends by return, and leaves nothing behind", async () => {
    const log = await open();
    await five(log);
    const tail = log.tail("a", 6);
    const waiting = tail.next();
    await rest();
    expect(await tail.return?.()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await tail.next()).toEqual({ done: true, value: undefined });
    await log.close();
  });

  it("ends by its signal with the reason, and by close without", async () => {
    const log = await open();
    const controller = new AbortController();
    const given = log
      .tail("a", 1, { signal: controller.signal })
      .next()
      .catch((error: unknown) => error);
    const other = log.tail("a", 1).next();
    controller.abort(new Error("enough"));
    expect(await given).toMatchObject({ message: "enough" });
    await log.close();
    expect(await other).toEqual({ done: true, value: undefined });
  });

  it("answers several calls in their order", async () => {
    const log = await open();
    const tail = log.tail("a", 1);
    const calls = [tail.next(), tail.next(), tail.next()];
    await five(log);
    const given = await Promise.all(calls);
    expect(given.map(({ value }) => shown(value as Entry))).toEqual(["1:old1", "2:old2", "3:old3"]);
    await log.close();
  });
});
