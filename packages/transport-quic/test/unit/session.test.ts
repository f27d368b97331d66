import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quicCodes } from "../../src/codes.js";
import type { EngineConnection, EngineError } from "../../src/ports.js";
import { dialError, engineClose, shortReason } from "../../src/session/close.js";
import { ClosedConnections } from "../../src/session/closed-connections.js";
import { QuicStream, type StreamHost } from "../../src/session/quic-stream.js";
import { ReceiveBuffer } from "../../src/session/receive-buffer.js";
import { SendQueue } from "../../src/session/send-queue.js";
import { StreamSender } from "../../src/session/stream-sender.js";
import { StreamTable } from "../../src/session/stream-table.js";

describe("the end of a handshake", () => {
  const ended = (errors: { peer?: EngineError; local?: EngineError }): unknown => {
    const engine = { peerError: () => errors.peer ?? null, localError: () => errors.local ?? null, isTimedOut: () => false };
    return dialError("a:1", engineClose(engine as unknown as EngineConnection));
  };
  const alert = (number: number, reason = ""): EngineError => ({ application: false, code: 0x100 + number, reason });

  it.each([42, 43, 44, 45, 46, 48, 49, 51, 116])("by TLS alert %i is a refused identity, by whichever side it was sent", (number) => {
    const reason = expect.stringMatching(new RegExp(`^TLS alert ${number}, .*[^.]$`));
    const refused = { code: "OCTOPII_QUIC_PEER_REFUSED" };
    expect(ended({ local: alert(number) })).toMatchObject({ ...refused, details: { refusal: { by: "local", reason } } });
    // The peer's own words prove nothing.
    expect(ended({ peer: alert(number, "all is well") })).toMatchObject({ ...refused, details: { refusal: { by: "remote", reason } } });
  });

  it.each([40, 47, 80, 112, 120])("by TLS alert %i is none", (number) => {
    for (const error of [ended({ local: alert(number) }), ended({ peer: alert(number) })]) {
      expect(error).toMatchObject({
        code: "OCTOPII_QUIC_HANDSHAKE_FAILED",
        details: expect.not.objectContaining({ refusal: expect.anything() }),
      });
    }
  });

  it("by an application's code is none, unless it is the one for it", () => {
    const application = (code: number): EngineError => ({ application: true, code, reason: "words" });
    expect(ended({ peer: application(quicCodes.refused) })).toMatchObject({ details: { refusal: { by: "remote", reason: "words" } } });
    for (const code of [0x130, quicCodes.transportClosed, quicCodes.protocolViolation]) {
      expect(ended({ peer: application(code) })).toMatchObject({ details: expect.not.objectContaining({ refusal: expect.anything() }) });
    }
  });
});

describe("the send queue", () => {
  const piece = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 4_000, maxLength: 6_000 }));

  it("gives every byte once and in order, whatever the engine takes", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        (pieces, shares) => {
          const queue = new SendQueue();
          const scratch = new Uint8Array(5_000);
          const sent: number[] = [];
          let step = 0;
          const sendSome = () => {
            const bytes = queue.peek(scratch);
            const taken = Math.ceil(bytes.length * (shares[step++ % shares.length] ?? 1));
            sent.push(...bytes.subarray(0, taken));
            queue.consume(taken);
          };
          for (const each of pieces) {
            queue.push(each);
            sendSome();
          }
          for (let left = 10_000; queue.bytes > 0 && left > 0; left -= 1) {
            const bytes = queue.peek(scratch);
            expect(bytes.length).toBeGreaterThan(0);
            sent.push(...bytes);
            queue.consume(bytes.length);
          }
          expect(Buffer.compare(Buffer.from(sent), Buffer.concat(pieces))).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("gathers small pieces and hands large ones on as they are", () => {
    const queue = new SendQueue();
    const scratch = new Uint8Array(64);
    queue.push(Uint8Array.of(1, 2));
    queue.push(Uint8Array.of(3));
    expect([...queue.peek(scratch)]).toEqual([1, 2, 3]);
    queue.consume(1);
    expect([...queue.peek(scratch)]).toEqual([2, 3]);
    queue.clear();
    const large = new Uint8Array(5_000);
    queue.push(large);
    queue.push(Uint8Array.of(1));
    expect(queue.peek(new Uint8Array(8_000))).toBe(large);
  });

  it("forgets chunks that are gone", () => {
    const queue = new SendQueue();
    for (let i = 0; i < 10_000; i += 1) {
      queue.push(Uint8Array.of(i & 255, 0));
      if (i > 2) queue.consume(2);
    }
    expect(queue.bytes).toBe(6);
    expect([...queue.peek(new Uint8Array(9))]).toEqual([9_997 & 255, 0, 9_998 & 255, 0, 9_999 & 255, 0]);
  });
});

describe("the receive buffer", () => {
  it("gives pieces that nothing overwrites", () => {
    const buffer = new ReceiveBuffer();
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < 200; i += 1) {
      const length = i % 3 === 0 ? 10 : 3_000;
      const room = buffer.room();
      expect(room.length).toBeGreaterThanOrEqual(16 * 1024);
      room.fill(i, 0, length);
      pieces.push(buffer.take(length));
    }
    for (const [i, piece] of pieces.entries()) expect(piece.every((byte) => byte === i)).toBe(true);
  });
});

const host: StreamHost = {
  sendBufferBytes: 100,
  maxSendBufferBytes: 1_000,
  sendable: () => undefined,
  cut: () => undefined,
  receive: () => null,
  finished: () => undefined,
  settle: () => undefined,
  recheck: () => undefined,
  call: (callback) => callback(),
};

describe("the stream table", () => {
  const opened = (table: StreamTable) => {
    const ids: number[] = [];
    table.openWaiting((stream) => ids.push(stream.id));
    return ids;
  };

  it("numbers streams as RFC 9000 does, behind the control streams, within the credit", () => {
    const client = new StreamTable(false, 10);
    const server = new StreamTable(true, 10);
    expect([client.controlOut, client.controlIn, server.controlOut, server.controlIn]).toEqual([2, 3, 3, 2]);
    for (const table of [client, server]) {
      for (const unidirectional of [false, false, false, true, true])
        table.enqueue(QuicStream.opening(host, "p", unidirectional), unidirectional);
      expect(opened(table)).toEqual([]);
      table.addCredit(2, 1);
    }
    expect(opened(client)).toEqual([0, 4, 6]);
    expect(opened(server)).toEqual([1, 5, 7]);
    expect(client.waiting).toBe(2);
    expect(client.waitingBeyondCredit(false)).toBe(1);
    client.addCredit(1, 9);
    expect(opened(client)).toEqual([10]);
  });

  it("admits the peer's streams in any order, within the credit, and once", () => {
    const table = new StreamTable(true, 4);
    expect(table.nextCredit()).toEqual({ type: "credit", bidirectional: 4, unidirectional: 4 });
    expect(table.nextCredit()).toBeNull();
    const admit = (id: number) => {
      const stream = QuicStream.opening(host, "p", false);
      return table.isNew(id) && table.admit(id, stream) ? stream : null;
    };
    const third = admit(8);
    expect(third).not.toBeNull();
    expect([...table.overtakenIncoming()]).toEqual([0, 4]);
    expect(admit(8)).toBeNull();
    expect(admit(16)).toBeNull();
    expect(table.nextIncoming(false)).toBe(12);
    const first = admit(0);
    if (first === null || third === null) throw new Error("not admitted");
    table.remove(third);
    table.remove(first);
    expect(admit(0)).toBeNull();
    expect(table.nextCredit()).toEqual({ type: "credit", bidirectional: 6, unidirectional: 4 });
    expect(admit(16)).not.toBeNull();
    expect(table.isNew(2)).toBe(false);
    expect(table.isNew(1)).toBe(false);
    expect(admit(18)).not.toBeNull();
    expect(admit(22)).toBeNull();
  });

  it("remembers what overtook its stream, for streams that may come", () => {
    const table = new StreamTable(true, 4);
    table.nextCredit();
    table.cutEarly(4, { stop: 77 });
    table.cutEarly(4, { reset: 78 });
    table.cutEarly(18, { reset: 79 });
    for (const id of [4_000, 22, 1, 2]) table.cutEarly(id, { stop: 1 });
    expect(table.takeEarlyCut(4)).toEqual({ stop: 77, reset: 78 });
    expect(table.takeEarlyCut(18)).toEqual({ reset: 79 });
    for (const id of [4, 18, 4_000, 22, 1, 2]) expect(table.takeEarlyCut(id)).toBeUndefined();
  });
});

describe("the control stream", () => {
  const flushed = (streams: number, taken: (bytes: number) => number) => {
    const engine = { streamSend: (_id: number, bytes: Uint8Array) => taken(bytes.length), streamCapacity: () => 0 };
    const problems: string[] = [];
    const table = new StreamTable(true, 10);
    const sender = new StreamSender(engine as unknown as EngineConnection, table, 100, (problem) => problems.push(problem));
    sender.openControl();
    for (let i = 0; i < streams; i += 1) {
      const stream = QuicStream.opening(host, "p", false);
      stream.id = i * 4;
      sender.cut(stream, "send", quicCodes.streamRefused);
      if (i % 100 === 0) sender.flush();
    }
    sender.flush();
    return problems;
  };

  it("keeps no more for a peer that does not read it than all open streams can need", () => {
    expect(flushed(20_000, () => 0)).toEqual([]);
    expect(flushed(150_000, () => 0)).toContain("the peer does not read the control stream");
    expect(flushed(150_000, (bytes) => bytes)).toEqual([]);
  });
});

describe("closed connections", () => {
  it("repeat their last word ever more rarely, to their peer only, and not for long", () => {
    const past = new ClosedConnections(10_000);
    const lastDatagram = Uint8Array.of(1);
    past.add(5, { lastDatagram, remoteHost: "h", remotePort: 1 }, 0);
    expect(past.answer(5, "other", 1, 1)).toBeNull();
    const answers = Array.from({ length: 16 }, () => past.answer(5, "h", 1, 1) !== null);
    expect(answers.flatMap((answered, i) => (answered ? [i + 1] : []))).toEqual([1, 2, 4, 8, 16]);
    expect(past.answer(5, "h", 1, 60_000)).toBeNull();
    expect(past.has(5)).toBe(false);
  });

  it("are few", () => {
    const past = new ClosedConnections(10_000);
    for (let key = 0; key < 1_000; key += 1) past.add(key, { lastDatagram: null, remoteHost: "h", remotePort: 1 }, 0);
    const kept = Array.from({ length: 1_000 }, (_, key) => past.has(key)).filter(Boolean);
    expect(kept.length).toBeLessThanOrEqual(256);
    expect(past.has(999)).toBe(true);
  });
});

describe("close reasons", () => {
  it("are cut between characters", () => {
    expect(shortReason("short")).toBe("short");
    const cut = shortReason("ä".repeat(400));
    expect(cut).toBe("ä".repeat(256));
    expect(shortReason(`a${"€".repeat(400)}`)).toBe(`a${"€".repeat(170)}`);
  });
});
