import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { content, errorOf, print, printed } from "./snapshot-lab.js";
import { chunksOf, messageFrom, Source, StreamLab, sendBufferBytes, windowBytes } from "./snapshot-stream-lab.js";

const never = new AbortController().signal;
const interrupted = { code: "OCTOPII_CORE_SNAPSHOT_INTERRUPTED" };
const frameBytes = 64 * 1024;

/** A promise that somebody else settles. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe("a snapshot on a stream", () => {
  it("arrives as it was sent, with its message, however it is cut", async () => {
    const property = fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }), async (lengths) => {
      const lab = await StreamLab.open();
      const connection = await lab.connect();
      const chunks = lengths.map((length, at) => content(length, at));
      const taken: unknown[] = [];
      lab.receive = async (from, message, incoming) => {
        taken.push(from, message, await printed(incoming));
      };
      const source = new Source(function* () {
        yield* chunks;
      });
      await lab.settle(lab.streams.sendSnapshot(connection, messageFrom(1), source, never));
      expect(taken).toEqual([1, messageFrom(1), print(Buffer.concat(chunks))]);
      expect([source.finished, source.returned]).toEqual([true, 0]);
      await lab.rest();
      expect([connection.stats().openStreams, lab.accepted[0]?.stats().openStreams]).toEqual([0, 0]);
      expect(lab.warnings).toEqual([]);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  it("resolves for its sender only when the receiver has it safe", async () => {
    const lab = await StreamLab.open();
    const safe = gate();
    lab.receive = async (_from, _message, incoming) => {
      await printed(incoming);
      await safe.opened;
    };
    let isTaken = false;
    const sent = lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), chunksOf(2, 1_000), never).then(() => {
      isTaken = true;
    });
    await lab.rest();
    expect(isTaken).toBe(false);
    safe.open();
    await lab.settle(sent);
  });

  it("goes at the receiver's pace, and no more than a window and a frame is under way", async () => {
    const lab = await StreamLab.open();
    const source = chunksOf(400, 50_000);
    let takenBytes = 0;
    let underWay = 0;
    const paces: (() => void)[] = [];
    lab.receive = async (_from, _message, incoming) => {
      for await (const chunk of incoming) {
        expect(chunk.length).toBeLessThanOrEqual(frameBytes);
        takenBytes += chunk.length;
        underWay = Math.max(underWay, source.pulledBytes - takenBytes);
        await new Promise<void>((resolve) => paces.push(resolve));
      }
    };
    const connection = await lab.connect();
    const sent = lab.streams.sendSnapshot(connection, messageFrom(1), source, never);
    await lab.rest();
    expect(takenBytes).toBe(50_000);
    const stalled = source.pulledBytes;
    await lab.rest();
    expect(source.pulledBytes).toBe(stalled);
    const isOver = sent.then(() => true);
    for (let turns = 0; turns < 20_000 && takenBytes < 20_000_000; turns++) {
      paces.shift()?.();
      await lab.step();
    }
    paces.shift()?.();
    expect(await lab.settle(isOver)).toBe(true);
    expect(takenBytes).toBe(20_000_000);
    // What is sent and not read, what is written and not sent, the frame on either side, and the chunk that was pulled last.
    expect(underWay).toBeLessThanOrEqual(windowBytes + sendBufferBytes + 2 * frameBytes + 50_000);
    expect(connection.stats().openStreams).toBe(0);
  });

  it("of any length takes no more memory than a short one", async () => {
    const lab = await StreamLab.open();
    const source = chunksOf(512, 256 * 1024);
    let takenBytes = 0;
    let underWay = 0;
    lab.receive = async (_from, _message, incoming) => {
      for await (const chunk of incoming) {
        takenBytes += chunk.length;
        underWay = Math.max(underWay, source.pulledBytes - takenBytes);
      }
    };
    await lab.settle(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), source, never));
    expect(takenBytes).toBe(128 * 1024 * 1024);
    expect(underWay).toBeLessThanOrEqual(windowBytes + sendBufferBytes + 2 * frameBytes + 256 * 1024);
  });

  it("that is not needed any more is taken without its data", async () => {
    const lab = await StreamLab.open();
    const source = chunksOf(1_000, 100_000);
    const connection = await lab.connect();
    await lab.settle(lab.streams.sendSnapshot(connection, messageFrom(1), source, never));
    expect(source.pulledBytes).toBeLessThan(1_000_000);
    expect(source.returned).toBe(1);
    await lab.rest();
    expect([connection.stats().openStreams, lab.accepted[0]?.stats().openStreams]).toEqual([0, 0]);
  });
});

describe("a snapshot that is refused", () => {
  it.each([0, 3])("after %i chunks tells its sender why, and ends on both sides", async (takes) => {
    const lab = await StreamLab.open();
    lab.receive = async (_from, _message, incoming) => {
      let taken = 0;
      for await (const _ of incoming) if (++taken > takes) break;
      throw new Error("the disk is full");
    };
    const source = chunksOf(1_000, 100_000);
    const connection = await lab.connect();
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(connection, messageFrom(1), source, never)));
    expect(error).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_REFUSED", message: "node-2 refused the snapshot: the disk is full" });
    expect(source.returned).toBe(1);
    expect(source.pulledBytes).toBeLessThan(1_500_000);
    await lab.rest();
    expect([connection.stats().openStreams, lab.accepted[0]?.stats().openStreams]).toEqual([0, 0]);
    expect(lab.warnings).toHaveLength(1);
  });

  it("while its source hangs is told at once", async () => {
    const lab = await StreamLab.open();
    lab.receive = () => Promise.reject(new Error("not now"));
    const source = new Source(async function* () {
      await new Promise(() => undefined);
      yield new Uint8Array(0);
    });
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), source, never)));
    expect(error).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_REFUSED" });
    expect(source.returned).toBe(1);
  });

  it("passes nothing of its reason on that could pose as another line of a log", async () => {
    const lab = await StreamLab.open();
    lab.receive = () => Promise.reject(new Error(`x\r\n2030-01-01 info \u001b[2J\u2028${"y".repeat(100_000)}`));
    const error = (await lab.settle(
      errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), chunksOf(1, 1), never)),
    )) as Error;
    expect(error.message).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(error.message.length).toBeLessThan(1_000);
  });

  it("is one too many from the same peer, but not from another, and not when the first is over", async () => {
    const lab = await StreamLab.open();
    const rest = gate();
    lab.receive = async (_from, _message, incoming) => {
      await printed(incoming);
      await rest.opened;
    };
    const [one, three] = [await lab.connect(1), await lab.connect(3)];
    const send = (connection: typeof one, from: number): Promise<unknown> =>
      errorOf(lab.streams.sendSnapshot(connection, messageFrom(from), chunksOf(3, 1_000), never));
    const first = send(one, 1);
    await lab.rest();
    expect(await lab.settle(send(one, 1))).toMatchObject({ code: "OCTOPII_CORE_SNAPSHOT_REFUSED" });
    const other = send(three, 3);
    await lab.rest();
    rest.open();
    expect([await lab.settle(first), await lab.settle(other), await lab.settle(send(one, 1))]).toEqual([null, null, null]);
  });

  it("comes from somebody who is no member", async () => {
    const lab = await StreamLab.open();
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(await lab.connect(null), messageFrom(1), chunksOf(1, 1), never)));
    expect(error).toMatchObject({ message: "node-2 refused the snapshot: only a member may send one." });
  });
});

describe("a snapshot that breaks off", () => {
  it.each(["sender", "receiver"] as const)("with its connection, closed by the %s, ends on both sides", async (closer) => {
    const lab = await StreamLab.open();
    const connection = await lab.connect();
    let received: unknown = null;
    let takenBytes = 0;
    lab.receive = async (_from, _message, incoming) => {
      for await (const chunk of incoming) {
        takenBytes += chunk.length;
        if (takenBytes > 500_000) (closer === "sender" ? connection : lab.accepted[0])?.close(0, "bye");
      }
    };
    const receive = lab.receive;
    lab.receive = async (...snapshot) => {
      received = await errorOf(receive(...snapshot));
      throw received;
    };
    const source = chunksOf(1_000, 100_000);
    expect(await lab.settle(errorOf(lab.streams.sendSnapshot(connection, messageFrom(1), source, never)))).toMatchObject(interrupted);
    await lab.rest();
    expect(received).toMatchObject(interrupted);
    expect(source.returned).toBe(1);
    expect(takenBytes).toBeLessThan(2_000_000);
    // The peer is free to try again.
    lab.receive = async (_from, _message, incoming) => void (await printed(incoming));
    await lab.settle(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), chunksOf(3, 100_000), never));
  });

  it("at its source gives the sender the source's error, and the receiver no end", async () => {
    const lab = await StreamLab.open();
    let received: unknown = null;
    lab.receive = async (_from, _message, incoming) => {
      received = await errorOf(printed(incoming));
      throw received;
    };
    const source = new Source(function* () {
      yield content(100_000);
      throw new Error("the file is damaged");
    });
    const connection = await lab.connect();
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(connection, messageFrom(1), source, never)));
    expect(error).toMatchObject({ message: "the file is damaged" });
    await lab.rest();
    expect(received).toMatchObject(interrupted);
    expect([connection.stats().openStreams, lab.accepted[0]?.stats().openStreams]).toEqual([0, 0]);
  });

  it("fails without having begun when there is no connection any more", async () => {
    const lab = await StreamLab.open();
    const connection = await lab.connect();
    connection.close(0, "bye");
    const source = chunksOf(1, 1);
    expect(await errorOf(lab.streams.sendSnapshot(connection, messageFrom(1), source, never))).toMatchObject({
      code: "OCTOPII_TESTING_CLOSED",
    });
    expect(source.pulledBytes).toBe(0);
  });
});

describe("a snapshot that is aborted", () => {
  const reason = new Error("stalled");
  const slow = async (_from: unknown, _message: unknown, incoming: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _ of incoming) await new Promise(() => undefined);
  };
  const hanging = (): Source =>
    new Source(async function* () {
      yield content(1_000);
      await new Promise(() => undefined);
    });
  const hangingAtTheEnd = async (_from: unknown, _message: unknown, incoming: AsyncIterable<Uint8Array>): Promise<void> => {
    await printed(incoming);
    await new Promise(() => undefined);
  };
  const draining = async (_from: unknown, _message: unknown, incoming: AsyncIterable<Uint8Array>): Promise<void> => {
    await printed(incoming);
  };

  it.each([
    ["waits for room", slow, () => chunksOf(1_000, 100_000), 1],
    ["waits for its source", draining, hanging, 1],
    ["waits for the answer", hangingAtTheEnd, () => chunksOf(2, 1_000), 0],
  ] as const)("while it %s rejects with the reason, and the receiver gets to know", async (_what, receive, source, returned) => {
    const lab = await StreamLab.open();
    lab.receive = receive;
    const connection = await lab.connect();
    const aborting = new AbortController();
    const chunks = source();
    const sent = errorOf(lab.streams.sendSnapshot(connection, messageFrom(1), chunks, aborting.signal));
    await lab.rest();
    aborting.abort(reason);
    expect(await lab.settle(sent)).toBe(reason);
    expect(chunks.returned).toBe(returned);
    await lab.rest();
    expect([connection.stats().openStreams, lab.accepted[0]?.stats().openStreams]).toEqual([0, 0]);
  });

  it("before it begins opens no stream", async () => {
    const lab = await StreamLab.open();
    const connection = await lab.connect();
    const source = chunksOf(1, 1);
    const sent = lab.streams.sendSnapshot(connection, messageFrom(1), source, AbortSignal.abort(reason));
    expect(await errorOf(sent)).toBe(reason);
    expect([connection.stats().openStreams, source.pulledBytes]).toEqual([0, 0]);
  });

  it("breaks the receiver's iteration", async () => {
    const lab = await StreamLab.open();
    let received: unknown = null;
    lab.receive = async (_from, _message, incoming) => {
      received = await errorOf(printed(incoming));
      throw received;
    };
    const aborting = new AbortController();
    const sent = errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), hanging(), aborting.signal));
    await lab.rest();
    expect(received).toBe(null);
    aborting.abort(reason);
    await lab.settle(sent);
    await lab.rest();
    expect(received).toMatchObject(interrupted);
  });

  it("by its receiver, which has waited for long enough, is refused, and the wait for a chunk ends", async () => {
    const lab = await StreamLab.open();
    const bored = gate();
    let pending: Promise<unknown> = Promise.resolve();
    lab.receive = async (_from, _message, incoming) => {
      const iterator = incoming[Symbol.asyncIterator]();
      await iterator.next();
      pending = errorOf(iterator.next());
      void iterator.return?.();
      await bored.opened;
      throw new Error("Nothing moved for 30000 ms.");
    };
    const source = hanging();
    const sent = errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), source, never));
    await lab.rest();
    bored.open();
    expect(await lab.settle(sent)).toMatchObject({ message: "node-2 refused the snapshot: Nothing moved for 30000 ms." });
    expect(await lab.settle(pending)).toMatchObject(interrupted);
    expect(source.returned).toBe(1);
  });
});
