import { createHash } from "node:crypto";
import type { Connection, Stream } from "@octopii/interfaces";
import { afterEach, describe, expect, it } from "vitest";
import { closeOf, drain, echo, nextStream, pattern, readAll, text, toText, turns, until, writeAll } from "./support.js";

/** Two ends of one connection, made anew for each test. */
export interface StreamPair {
  readonly dialer: Connection;
  readonly acceptor: Connection;
  /** Errors that the transport logged, of which there must be none. */
  readonly errors: readonly unknown[];
  close(): Promise<void>;
}

/** What the transport under test promises. */
export interface StreamLimits {
  /** Queued bytes from which `write` gives false. */
  readonly sendBufferBytes: number;
  /** Bytes that may be under way to a reader that does not read, the send buffer aside. */
  readonly windowBytes: number;
}

const ends = ["dialer", "acceptor"] as const;
type End = (typeof ends)[number];
const other = (end: End): End => (end === "dialer" ? "acceptor" : "dialer");

/** How streams behave, on any transport. */
export function testStreams(name: string, createPair: () => Promise<StreamPair>, limits: StreamLimits): void {
  let pair: StreamPair | null = null;
  const open = async () => {
    pair = await createPair();
    return pair;
  };

  afterEach(async () => {
    await pair?.close();
    expect(pair?.errors ?? []).toEqual([]);
    pair = null;
  });

  describe(`${name}: ordinary streams`, () => {
    it.each(ends)("carry bytes there and back, opened by the %s", async (end) => {
      const connections = await open();
      echo(connections[other(end)]);
      const stream = connections[end].openStream("octopii/echo/1");
      expect(stream.protocol).toBe("octopii/echo/1");
      stream.write(text("hello "));
      stream.write(text("there"));
      stream.end();
      expect(toText(await readAll(stream))).toBe("hello there");
    });

    it("tell the other side their protocol, and close once without error", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("a protocol");
      const peer = await arriving;
      expect(peer.protocol).toBe("a protocol");
      let closes = 0;
      stream.onClose = () => {
        closes += 1;
      };
      expect([dialer.stats().openStreams, acceptor.stats().openStreams]).toEqual([1, 1]);
      const closed = closeOf(peer);
      stream.end();
      peer.end();
      await Promise.all([readAll(stream), drain(peer, () => undefined)]);
      expect(await closed).toEqual({ error: null });
      await until(() => closes === 1 && dialer.stats().openStreams + acceptor.stats().openStreams === 0);
      expect([stream.ended, peer.ended, closes]).toEqual([true, true, 1]);
    });

    it("carry nothing as well as something", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("p");
      stream.write(new Uint8Array(0));
      stream.end();
      const peer = await arriving;
      peer.end();
      expect(await readAll(peer)).toHaveLength(0);
      expect(await readAll(stream)).toHaveLength(0);
    });

    it("half-close: the reader of an ended direction may go on writing", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("p");
      stream.end();
      const peer = await arriving;
      expect(await readAll(peer)).toHaveLength(0);
      await turns(20);
      peer.write(text("still "));
      await turns(20);
      peer.write(text("here"));
      peer.end();
      expect(toText(await readAll(stream))).toBe("still here");
      expect(() => stream.write(text("x"))).toThrow(expect.objectContaining({ code: expect.stringMatching(/STREAM_CLOSED/) }));
      stream.end();
    });

    it.each(ends)("go one way where that is wanted, opened by the %s", async (end) => {
      const connections = await open();
      const arriving = nextStream(connections[other(end)]);
      const stream = connections[end].openStream("one-way", { unidirectional: true });
      const closed = closeOf(stream);
      stream.write(text("there"));
      expect(stream.read()).toBeNull();
      stream.end();
      const peer = await arriving;
      expect(() => peer.write(text("back"))).toThrow(/takes no more bytes/);
      expect(toText(await readAll(peer))).toBe("there");
      expect(await closed).toEqual({ error: null });
    });

    it("are refused where nobody takes them", async () => {
      const { dialer } = await open();
      const stream = dialer.openStream("p");
      const { error } = await closeOf(stream);
      expect(error?.by).toMatch(/reset|stopped/);
    });

    it("notice callbacks that are set late", async () => {
      const { dialer, acceptor } = await open();
      let peer: Stream | null = null;
      acceptor.onStream = (stream) => {
        peer = stream;
      };
      const stream = dialer.openStream("p");
      stream.write(text("early"));
      stream.end();
      await until(() => peer !== null);
      await turns(20);
      const late = peer as unknown as Stream;
      const readable = new Promise<string>((resolve) => {
        late.onReadable = () => resolve(toText(late.read()));
      });
      expect(await readable).toBe("early");
      late.end();
      await turns(20);
      expect(await closeOf(late)).toEqual({ error: null });
    });

    it("call nobody back from inside a call", async () => {
      const { dialer, acceptor } = await open();
      echo(acceptor);
      const stream = dialer.openStream("p");
      let inside = false;
      let calls = 0;
      const outside = () => {
        calls += 1;
        expect(inside).toBe(false);
      };
      const guarded = (call: () => void) => {
        inside = true;
        call();
        inside = false;
      };
      const closed = new Promise<void>((resolve) => {
        guarded(() => {
          stream.onReadable = outside;
          stream.onDrain = outside;
          stream.onClose = () => {
            outside();
            resolve();
          };
        });
      });
      guarded(() => stream.write(new Uint8Array(limits.sendBufferBytes + 1)));
      await until(() => calls > 0);
      guarded(() => stream.read());
      guarded(() => stream.stop(1));
      guarded(() => stream.reset(2));
      await closed;
    });
  });

  describe(`${name}: many and much`, () => {
    it("keeps a thousand streams apart", async () => {
      const { dialer, acceptor } = await open();
      echo(acceptor);
      const results = await Promise.all(
        Array.from({ length: 1_000 }, async (_, i) => {
          const stream = dialer.openStream(`p/${i % 7}`);
          stream.write(text(`number ${i}`));
          stream.end();
          return toText(await readAll(stream));
        }),
      );
      expect(results).toEqual(Array.from({ length: 1_000 }, (_, i) => `number ${i}`));
    });

    it("opens more streams in a row than may be open at once", async () => {
      const { dialer, acceptor } = await open();
      echo(acceptor);
      for (let i = 0; i < 300; i += 1) {
        const calls = Array.from({ length: 8 }, () => {
          const stream = dialer.openStream("p");
          stream.write(text("x"));
          stream.end();
          return readAll(stream);
        });
        expect((await Promise.all(calls)).map(toText)).toEqual(new Array(8).fill("x"));
      }
    });

    it("carries 32 MiB unchanged, in both directions at once", async () => {
      const { dialer, acceptor } = await open();
      const piece = pattern(1024 * 1024);
      const pieces = Array.from({ length: 32 }, (_, i) => piece.subarray(i));
      const digest = (stream: Stream) => {
        const hash = createHash("sha256");
        return drain(stream, (bytes) => hash.update(bytes)).then(() => hash.digest("hex"));
      };
      const expected = pieces.reduce((hash, bytes) => hash.update(bytes), createHash("sha256")).digest("hex");
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("bulk");
      const peer = await arriving;
      const sums = Promise.all([digest(stream), digest(peer)]);
      await Promise.all([writeAll(stream, pieces), writeAll(peer, pieces)]);
      expect(await sums).toEqual([expected, expected]);
    });

    it("carries bytes that are written one at a time", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("drops", { unidirectional: true });
      const bytes = pattern(100_000);
      const received = arriving.then(readAll);
      await writeAll(
        stream,
        Array.from(bytes, (byte) => Uint8Array.of(byte)),
      );
      expect(Buffer.compare(await received, bytes)).toBe(0);
    });

    it("holds a writer back whose reader does not read, and goes on when it does", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("slow", { unidirectional: true });
      const peer = await arriving;
      let written = 0;
      const fill = () => {
        for (;;) {
          written += 16_384;
          if (!stream.write(new Uint8Array(16_384))) return;
        }
      };
      stream.onDrain = fill;
      fill();
      let before = -1;
      while (before !== written) {
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(written).toBeLessThanOrEqual(limits.sendBufferBytes + limits.windowBytes + 2 * 16_384);
      stream.onDrain = () => stream.end();
      expect(await readAll(peer)).toHaveLength(written);
    });

    it("lets other streams pass one that is held back", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const slow = dialer.openStream("slow");
      await arriving;
      while (slow.write(new Uint8Array(65_536))) await turns(3);
      echo(acceptor);
      const fast = dialer.openStream("fast");
      fast.write(text("through"));
      fast.end();
      expect(toText(await readAll(fast))).toBe("through");
    });
  });

  describe(`${name}: streams cut short`, () => {
    it.each(ends)("a reset of the %s's shows its code to the reader", async (end) => {
      const connections = await open();
      const arriving = nextStream(connections[other(end)]);
      const stream = connections[end].openStream("p");
      stream.write(text("some"));
      const peer = await arriving;
      const [own, theirs] = [closeOf(stream), closeOf(peer)];
      peer.end();
      await drain(stream, () => undefined);
      stream.reset(4_294_967_295);
      expect(await own).toEqual({ error: { by: "local", code: 4_294_967_295 } });
      expect(await theirs).toEqual({ error: { by: "reset", code: 4_294_967_295 } });
      expect(peer.read()).toBeNull();
      expect(peer.ended).toBe(false);
    });

    it.each(ends)("a stop reaches the writer with its code, opened by the %s", async (end) => {
      const connections = await open();
      const arriving = nextStream(connections[other(end)]);
      const stream = connections[end].openStream("p");
      const peer = await arriving;
      const theirs = closeOf(peer);
      stream.end();
      stream.stop(7);
      expect(await closeOf(stream)).toEqual({ error: { by: "local", code: 7 } });
      await drain(peer, () => undefined);
      expect(await theirs).toEqual({ error: { by: "stopped", code: 7 } });
      expect(() => peer.write(text("x"))).toThrow(/gave up reading/);
    });

    it("a stop wakes a writer that waits for room", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("p", { unidirectional: true });
      while (stream.write(new Uint8Array(65_536))) await turns(2);
      const woken = new Promise<void>((resolve) => {
        stream.onDrain = resolve;
      });
      const closed = closeOf(stream);
      (await arriving).stop(9);
      await woken;
      expect(await closed).toEqual({ error: { by: "stopped", code: 9 } });
    });

    it("leaves nothing behind, however often it happens", async () => {
      const { dialer, acceptor } = await open();
      acceptor.onStream = (stream) => {
        stream.stop(1);
        stream.reset(2);
      };
      for (let round = 0; round < 60; round += 1) {
        const streams = Array.from({ length: 100 }, (_, i) => dialer.openStream("p", { unidirectional: i % 2 === 0 }));
        for (const [i, stream] of streams.entries()) {
          if (i % 3 === 0) stream.write(new Uint8Array(1_000));
          if (i % 5 === 0) stream.reset(3);
          if (i % 7 === 0) stream.stop(4);
        }
        await Promise.all(streams.map((stream) => closeOf(stream)));
      }
      await until(() => dialer.stats().openStreams === 0 && acceptor.stats().openStreams === 0);
      echo(acceptor);
      const last = dialer.openStream("p");
      last.write(text("fine"));
      last.end();
      expect(toText(await readAll(last))).toBe("fine");
    });

    it("ends with the connection", async () => {
      const { dialer, acceptor } = await open();
      const arriving = nextStream(acceptor);
      const stream = dialer.openStream("p");
      const peer = await arriving;
      const [own, theirs] = [closeOf(stream), closeOf(peer)];
      dialer.close(12, "enough");
      const error = { by: "connection", code: 12 };
      expect(await own).toEqual({ error });
      expect(await theirs).toEqual({ error });
      for (const each of [stream, peer]) {
        expect(() => each.write(text("x"))).toThrow(/connection is closed/);
        each.end();
        each.reset(1);
        each.stop(1);
        expect(each.read()).toBeNull();
      }
      expect(() => dialer.openStream("p")).toThrow(expect.objectContaining({ code: expect.stringMatching(/CONNECTION_CLOSED/) }));
    });

    it("wants codes and names that can be sent", async () => {
      const { dialer, acceptor } = await open();
      echo(acceptor);
      const stream = dialer.openStream("p");
      for (const code of [-1, 0.5, 2 ** 32, Number.NaN]) {
        expect(() => stream.reset(code)).toThrow(RangeError);
        expect(() => stream.stop(code)).toThrow(RangeError);
        expect(() => dialer.close(code, "")).toThrow(RangeError);
      }
      for (const protocol of ["", "ü", "p".repeat(65)]) expect(() => dialer.openStream(protocol)).toThrow(RangeError);
      stream.end();
      await readAll(stream);
    });
  });
}
