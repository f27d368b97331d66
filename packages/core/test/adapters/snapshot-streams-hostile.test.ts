import { createHash } from "node:crypto";
import { encodeMessages, type Message } from "@octopii/raft";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { snapshotProtocol } from "../../src/adapters/snapshot-streams.js";
import { content, errorOf, print, printed } from "./snapshot-lab.js";
import { chunksOf, messageFrom, StreamLab } from "./snapshot-stream-lab.js";

const never = new AbortController().signal;
const interrupted = { code: "OCTOPII_CORE_SNAPSHOT_INTERRUPTED" };

/** A frame: its length, its kind, and what it holds. */
function frame(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Uint8Array.of(kind), ...parts]);
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, body.length, true);
  return new Uint8Array(Buffer.concat([prefix, body]));
}

const encoded = (...messages: Message[]): Uint8Array => Buffer.concat(encodeMessages(messages));
const message = encoded(messageFrom(1));
const data = content(1_000);

function endFrame(length: number, ...hashed: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return frame(3, bytes, createHash("sha256").update(Buffer.concat(hashed)).digest());
}

const good = [frame(1, message), frame(2, data), endFrame(1_000, message, data)];
const heartbeat: Message = { type: "Heartbeat", group: 0, from: 1, to: 2, term: 3, commitIndex: 0, readRound: 0 };

/** Sends `bytes`, ends, and gives what the acceptor made of them and what it answered. */
async function feed(lab: StreamLab, bytes: readonly Uint8Array[]): Promise<{ received: unknown; answer: string }> {
  let received: unknown = "never called";
  lab.receive = async (_from, _message, incoming) => {
    received = await printed(incoming).catch((error: unknown) => error);
    if (received instanceof Error) throw received;
  };
  const connection = await lab.connect(1);
  const stream = connection.openStream(snapshotProtocol);
  const answer: Uint8Array[] = [];
  stream.onReadable = () => {
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) answer.push(chunk);
  };
  try {
    for (const part of bytes) {
      stream.write(part);
      await lab.step();
    }
    stream.end();
  } catch {
    // It has been stopped meanwhile, as it should be.
  }
  await lab.rest();
  connection.close(0, "done");
  await lab.rest();
  const text = Buffer.concat(answer);
  return { received, answer: `${text[4]} ${text.subarray(5).toString()}` };
}

describe("what a peer sends as a snapshot", () => {
  it("is as the protocol's table says", async () => {
    const { received, answer } = await feed(await StreamLab.open(), good);
    expect([received, answer]).toEqual([print(data), "4 "]);
  });

  it.each([
    ["data without a message", [frame(2, data)]],
    ["nothing", []],
    ["an empty frame", [Uint8Array.of(0, 0, 0, 0)]],
    ["noise for a message", [frame(1, content(50))]],
    ["a message of an unknown format", [frame(1, Uint8Array.of(99), message.subarray(1))]],
    ["another message", [frame(1, encoded(heartbeat))]],
    ["two messages", [frame(1, encoded(messageFrom(1), messageFrom(1)))]],
    ["no message", [frame(1, encoded())]],
  ])("is refused before anybody hears of it if it begins with %s", async (_what, frames) => {
    const lab = await StreamLab.open();
    const { received, answer } = await feed(lab, frames);
    expect(received).toBe("never called");
    expect(answer).toMatch(/^5 [A-Z].*\.$/);
    expect(lab.warnings).toHaveLength(1);
  });

  it("is refused if it claims to be from somebody else", async () => {
    const { received, answer } = await feed(await StreamLab.open(), [frame(1, encoded(messageFrom(3)))]);
    expect([received, answer]).toEqual(["never called", "5 The snapshot of node 1 claims to be from node 3."]);
  });

  it.each([
    ["an unknown kind", [frame(9, data)]],
    ["an answer", [frame(4)]],
    ["an empty frame", [Uint8Array.of(0, 0, 0, 0)]],
    ["a second message", [frame(1, message)]],
    ["data without data", [frame(2), endFrame(1_000, message, data)]],
    ["an early end", []],
    ["half a frame", [frame(2, data).subarray(0, 500)]],
    ["a wrong checksum", [endFrame(1_000, message, content(1_000, 2))]],
    ["the checksum of the data alone", [endFrame(1_000, data)]],
    ["a wrong length", [endFrame(1_001, message, data)]],
    ["a short last frame", [endFrame(1_000, message, data).subarray(0, 20)]],
    ["an overlong last frame", [frame(3, new Uint8Array(41))]],
    ["more after the end", [endFrame(1_000, message, data), frame(2, data)]],
  ])("throws from the iteration if it goes on with %s", async (_what, frames) => {
    const lab = await StreamLab.open();
    const { received, answer } = await feed(lab, [...good.slice(0, 2), ...frames]);
    expect(received).toMatchObject(interrupted);
    expect(answer).toBe(`5 ${(received as Error).message}`);
    // And the peer is not shut out.
    expect((await feed(lab, good)).answer).toBe("4 ");
  });

  it.each([
    ["4 GiB", Uint8Array.of(255, 255, 255, 255)],
    ["a byte too many", Uint8Array.of(1, 0, 2, 0)],
  ])("is refused, and its stream closed, as soon as it announces a frame of %s", async (_what, prefix) => {
    const lab = await StreamLab.open();
    let received: unknown = null;
    lab.receive = async (_from, _message, incoming) => {
      received = await errorOf(printed(incoming));
      throw received;
    };
    for (const begin of [[], good.slice(0, 2)]) {
      const connection = await lab.connect(1);
      const stream = connection.openStream(snapshotProtocol);
      for (const part of [...begin, prefix]) stream.write(part);
      await lab.rest();
      // The sender did nothing to end it.
      expect(() => stream.write(data)).toThrow(/gave up reading/);
      expect(stream.read()?.subarray(4)).toEqual(new TextEncoder().encode("\x05A frame is longer than 131072 bytes."));
      await lab.rest();
      expect(lab.accepted.at(-1)?.stats().openStreams).toBe(0);
    }
    expect(received).toMatchObject({ ...interrupted, message: "A frame is longer than 131072 bytes." });
  });

  it("never throws out of a callback, and is never taken with other data, whatever the bytes", async () => {
    const whole = new Uint8Array(Buffer.concat(good));
    const property = fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
      fc.nat(whole.length),
      async (changes, cut) => {
        const bytes = whole.slice();
        for (const { at, byte } of changes) bytes[at] = byte;
        const { received, answer } = await feed(await StreamLab.open(), [bytes.subarray(0, cut), bytes.subarray(cut)]);
        if (answer === "4 ") expect([received, print(bytes)]).toEqual([print(data), print(whole)]);
        else expect(answer).toMatch(/^5 /);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("is read no further than it is asked for", async () => {
    const lab = await StreamLab.open();
    lab.receive = async (_from, _message, incoming) => {
      await incoming[Symbol.asyncIterator]().next();
      await new Promise(() => undefined);
    };
    const connection = await lab.connect(1);
    const stream = connection.openStream(snapshotProtocol);
    stream.write(frame(1, message));
    let written = 0;
    const flood = (): void => {
      while (stream.write(frame(2, new Uint8Array(60_000)))) written += 60_000;
      written += 60_000;
    };
    stream.onDrain = flood;
    flood();
    await lab.rest();
    expect(written).toBeLessThan(600_000);
    connection.close(0, "done");
  });
});

describe("what a peer answers to a snapshot", () => {
  const answers: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ["nothing at all", []],
    ["noise", [content(40)]],
    ["an unknown kind", [frame(9)]],
    ["more than a yes", [frame(4, data)]],
    ["a frame too long", [Uint8Array.of(255, 255, 255, 255)]],
    ["half a frame", [frame(4).subarray(0, 3)]],
  ];

  it.each(answers)("is no answer if it is %s", async (_what, frames) => {
    const lab = await StreamLab.open();
    lab.onStream = (stream) => {
      for (const part of frames) stream.write(part);
      stream.end();
    };
    const source = chunksOf(1_000, 100_000);
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), source, never)));
    expect(error).toMatchObject(interrupted);
    expect(source.returned).toBe(1);
  });

  it("is no answer if the stream is just reset", async () => {
    const lab = await StreamLab.open();
    lab.onStream = (stream) => {
      stream.reset(9);
      stream.stop(9);
    };
    const error = await lab.settle(errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), chunksOf(9, 100_000), never)));
    expect(error).toMatchObject({ ...interrupted, message: expect.stringMatching(/^The stream to node-2 broke \(\w+, code 9\)/) });
  });

  it("is waited for after the peer has stopped reading, until the sender gives up", async () => {
    const lab = await StreamLab.open();
    lab.onStream = (stream) => stream.stop(9);
    const aborting = new AbortController();
    const source = chunksOf(1_000, 100_000);
    const sent = errorOf(lab.streams.sendSnapshot(await lab.connect(), messageFrom(1), source, aborting.signal));
    await lab.rest();
    const pulled = source.pulledBytes;
    await lab.rest();
    expect(source.pulledBytes).toBe(pulled);
    const reason = new Error("stalled");
    aborting.abort(reason);
    expect(await lab.settle(sent)).toBe(reason);
  });
});
