import { describe, expect, it } from "vitest";
import { decodeEnvelope, encodeClose, encodeOpen, encodePlain, encodeSessionCommand } from "../../src/sessions/envelope.js";
import { resultBytesMax, resultsMax, SessionTable, sessionsMax } from "../../src/sessions/session-table.js";
import { ChunkReader } from "../../src/state-machine/chunk-reader.js";

const command = (session: number, sequence: number, answered = 0) =>
  ({ kind: "command", session, sequence, answered, command: new Uint8Array(0) }) as const;
const result = (byte: number) => ({ result: new Uint8Array([byte]) });
const never = (): never => expect.fail("applied again");

async function copyOf(table: SessionTable): Promise<SessionTable> {
  const chunks = [...table.encode()];
  const copy = new SessionTable();
  await copy.restore(
    new ChunkReader(
      (async function* () {
        yield* chunks;
      })(),
    ),
  );
  expect([...copy.encode()]).toEqual(chunks);
  return copy;
}

describe("a session table", () => {
  it("applies a command once, and gives its repetitions the same result, a snapshot later too", async () => {
    const table = new SessionTable();
    table.open(7);
    expect(table.apply(command(7, 1), () => result(1))).toEqual(result(1));
    expect(table.apply(command(7, 2), () => ({ rejection: "no" }))).toEqual({ rejection: "no" });
    for (const one of [table, await copyOf(table)]) {
      expect(one.apply(command(7, 1), never)).toEqual(result(1));
      expect(one.apply(command(7, 2), never)).toEqual({ rejection: "no" });
      // Out of order, as commands come that were on their way together.
      expect(one.apply(command(7, 9), () => result(9))).toEqual(result(9));
      expect(one.apply(command(7, 8), () => result(8))).toEqual(result(8));
    }
  });

  it("forgets what the client has the answer to, and never applies it again", () => {
    const table = new SessionTable();
    table.open(7);
    table.apply(command(7, 1), () => result(1));
    table.apply(command(7, 3, 3), () => result(3));
    expect(table.apply(command(7, 1), never)).toBe("answered");
    // Given up by its client before it came.
    expect(table.apply(command(7, 2), never)).toBe("answered");
    expect(table.apply(command(7, 3), never)).toEqual(result(3));
  });

  it("gives out results that a caller may change", () => {
    const table = new SessionTable();
    table.open(1);
    const first = table.apply(command(1, 1), () => result(5)) as { result: Uint8Array };
    first.result[0] = 9;
    const second = table.apply(command(1, 1), never) as { result: Uint8Array };
    second.result[0] = 8;
    expect(table.apply(command(1, 1), never)).toEqual(result(5));
  });

  it("forgets the session used least recently when there are too many", () => {
    const table = new SessionTable();
    for (let id = 1; id <= sessionsMax; id++) table.open(id);
    table.apply(command(1, 1), () => result(1));
    table.open(sessionsMax + 1);
    expect(table.size).toBe(sessionsMax);
    expect(table.apply(command(2, 1), never)).toBe("expired");
    expect(table.apply(command(1, 1), never)).toEqual(result(1));
    table.close(1);
    expect(table.apply(command(1, 1), never)).toBe("expired");
  });

  it("bounds the results of a session, and the bytes of all", () => {
    const table = new SessionTable();
    table.open(1);
    for (let i = 0; i < resultsMax; i++) table.apply(command(1, i + 1), () => result(0));
    expect(table.apply(command(1, resultsMax + 1), never)).toBe("crowded");
    expect(table.apply(command(1, resultsMax + 1, 2), () => result(0))).toEqual(result(0));
    const half = resultBytesMax / 2;
    for (const id of [2, 3, 4]) {
      table.open(id);
      table.apply(command(id, 1), () => ({ result: new Uint8Array(half - 1_000) }));
    }
    expect(table.apply(command(1, 1), never)).toBe("expired");
    expect(table.apply(command(2, 1), never)).toBe("expired");
    expect(table.apply(command(4, 2), () => ({ result: new Uint8Array(half + 2_000) }))).toBeTypeOf("object");
    expect(table.apply(command(4, 3), never)).toBe("crowded");
    expect(table.size).toBe(1);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["of another format", new Uint8Array([9, 0, 0, 0, 0]), /format 9/],
    ["with too many sessions", new Uint8Array([1, 255, 255, 255, 255]), /4294967295 sessions/],
    ["that ends early", new Uint8Array([1, 1, 0, 0, 0, 7]), /ends/],
  ])("refuses a snapshot %s", async (_what, bytes, message) => {
    const chunks = (async function* () {
      yield bytes;
    })();
    await expect(new SessionTable().restore(new ChunkReader(chunks))).rejects.toThrow(message);
  });
});

describe("an envelope", () => {
  it("comes back as it went in, and leaves plain commands as they are", () => {
    const plain = new Uint8Array([1, 2, 3]);
    expect(encodePlain(plain)).toBe(plain);
    expect(decodeEnvelope(plain)).toEqual({ kind: "plain", command: plain });
    const whole = { session: 2 ** 40, sequence: 2 ** 53 - 1, answered: 3, command: plain };
    expect(decodeEnvelope(encodeSessionCommand(whole))).toEqual({ kind: "command", ...whole });
    expect(decodeEnvelope(encodeOpen())).toEqual({ kind: "open" });
    expect(decodeEnvelope(encodeClose(5))).toEqual({ kind: "close", session: 5 });
  });

  it("is never made by somebody's plain bytes", () => {
    for (const bytes of [
      encodeOpen(),
      encodeClose(1),
      encodeSessionCommand({ session: 1, sequence: 1, answered: 0, command: new Uint8Array(1) }),
    ]) {
      const wrapped = encodePlain(bytes);
      expect(decodeEnvelope(wrapped)).toEqual({ kind: "plain", command: bytes });
      expect(decodeEnvelope(encodePlain(wrapped))).toEqual({ kind: "plain", command: wrapped });
    }
  });

  it("that is cut or of an unknown kind is malformed, and nothing throws", () => {
    const whole = encodeSessionCommand({ session: 1, sequence: 1, answered: 0, command: new Uint8Array(0) });
    for (let length = 4; length < whole.length; length++) expect(decodeEnvelope(whole.subarray(0, length)).kind).toBe("malformed");
    for (const [at, value] of [
      [4, 2],
      [5, 9],
    ] as const) {
      const bytes = whole.slice();
      bytes[at] = value;
      expect(decodeEnvelope(bytes).kind).toBe("malformed");
    }
  });
});
