import { describe, expect, it } from "vitest";
import { asyncStream, isStreamError } from "../src/index.js";
import { bytes, HandStream, openPair, readAll, reason, text, withPair } from "./support.js";

describe("a stream with promises", () => {
  it("carries a question and its answer, half-closed in between", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      await near.write(bytes("question"));
      near.end();
      expect([far.protocol, await readAll(far)]).toEqual(["test/1", "question"]);
      await far.write(bytes("answer"));
      far.end();
      expect(await readAll(near)).toBe("answer");
      expect([await near.read(), await near.closed, await far.closed]).toEqual([null, { error: null }, { error: null }]);
    }));

  it("makes a writer wait for a reader, and loses nothing", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 256; i += 1) {
          await near.write(new Uint8Array(64 * 1024));
          written += 1;
        }
        near.end();
      })();
      await new Promise((resolve) => pair.world.scheduler().setTimer(60_000, () => resolve(undefined)));
      expect(written).toBeLessThan(256);
      let received = 0;
      for await (const chunk of far) received += chunk.length;
      await writing;
      expect(received).toBe(16 * 1024 * 1024);
    }));

  it("gives a reset to a reader whose own direction goes on", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      const reading = reason(far.read());
      near.reset(7);
      expect(await reading).toMatchObject({ code: "OCTOPII_STREAM_RESET", details: { protocol: "test/1", streamCode: 7 } });
      expect(isStreamError(await reason(far.read()), "OCTOPII_STREAM_RESET")).toBe(true);
      await far.write(bytes("still here"));
      expect(text(await near.read())).toBe("still here");
      expect(await reason(near.write(bytes("x")))).toMatchObject({ code: "OCTOPII_STREAM_GIVEN_UP" });
    }));

  it("gives a stop to a writer that waits", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      const writing = reason(
        (async () => {
          for (;;) await near.write(new Uint8Array(64 * 1024));
        })(),
      );
      for await (const chunk of far) if (chunk.length > 0) break;
      expect(await writing).toMatchObject({ code: "OCTOPII_STREAM_STOPPED" });
      expect(await reason(far.read())).toMatchObject({ code: "OCTOPII_STREAM_GIVEN_UP", details: { streamCode: 0 } });
    }));

  it("settles everything when the connection goes", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      const waits = [reason(near.read()), reason(far.read())];
      pair.client.close(9, "done");
      for (const wait of waits) expect(await wait).toMatchObject({ code: "OCTOPII_STREAM_CONNECTION_CLOSED", details: { streamCode: 9 } });
      expect(await reason(near.write(bytes("x")))).toMatchObject({ code: "OCTOPII_STREAM_CONNECTION_CLOSED" });
      expect(await far.closed).toEqual({ error: { by: "connection", code: 9 } });
    }));
});

describe("a read", () => {
  it("ends by its signal, and loses nothing", async () => {
    const stream = new HandStream();
    const view = asyncStream(stream);
    const controller = new AbortController();
    const reading = reason(view.read({ signal: controller.signal }));
    controller.abort(new Error("enough"));
    expect(await reading).toMatchObject({ message: "enough" });
    expect(await reason(view.read({ signal: controller.signal }))).toMatchObject({ message: "enough" });
    const again = view.read();
    stream.readable.push(bytes("late"));
    stream.onReadable?.();
    expect(text(await again)).toBe("late");
  });

  it("is refused while another waits, which goes on", async () => {
    const stream = new HandStream();
    const view = asyncStream(stream);
    const first = view.read();
    expect(await reason(view.read())).toMatchObject({ code: "OCTOPII_STREAM_BUSY" });
    stream.ended = true;
    stream.onReadable?.();
    expect(await first).toBeNull();
  });

  it("gives what came before the close, and then why there is no more", async () => {
    const stream = new HandStream();
    const view = asyncStream(stream);
    const waiting = view.read();
    stream.readable.push(bytes("a"), bytes("b"));
    stream.close({ by: "connection", code: 3 });
    expect([text(await waiting), text(await view.read())]).toEqual(["a", "b"]);
    expect(await reason(view.read())).toMatchObject({ code: "OCTOPII_STREAM_CONNECTION_CLOSED" });
  });
});

describe("writes", () => {
  it("keep their order, with the end after them, and go when there is room", async () => {
    const stream = new HandStream();
    const view = asyncStream(stream);
    stream.hasRoom = false;
    await view.write(bytes("1"));
    const settled: string[] = [];
    const writes = ["2", "3"].map((name) => view.write(bytes(name)).then(() => settled.push(name)));
    view.end();
    view.end();
    expect(stream.calls).toEqual(["write 1"]);
    stream.onDrain?.();
    expect(stream.calls).toEqual(["write 1", "write 2"]);
    stream.hasRoom = true;
    stream.onDrain?.();
    await Promise.all(writes);
    expect([stream.calls, settled]).toEqual([
      ["write 1", "write 2", "write 3", "end"],
      ["2", "3"],
    ]);
    expect(await reason(view.write(bytes("4")))).toMatchObject({ code: "OCTOPII_STREAM_GIVEN_UP" });
  });

  it("that a signal ends are not taken, and hold up neither others nor the end", async () => {
    const stream = new HandStream();
    const view = asyncStream(stream);
    stream.hasRoom = false;
    await view.write(bytes("1"));
    const controller = new AbortController();
    const given = reason(view.write(bytes("2"), { signal: controller.signal }));
    view.end();
    controller.abort(new Error("enough"));
    expect(await given).toMatchObject({ message: "enough" });
    expect(stream.calls).toEqual(["write 1", "end"]);
  });

  it("that wait are refused by a reset and by the close", async () => {
    for (const [cut, code] of [
      [(view: ReturnType<typeof asyncStream>) => view.reset(5), "OCTOPII_STREAM_GIVEN_UP"],
      [(_: unknown, stream: HandStream) => stream.close({ by: "stopped", code: 5 }), "OCTOPII_STREAM_STOPPED"],
    ] as const) {
      const stream = new HandStream();
      const view = asyncStream(stream);
      stream.hasRoom = false;
      await view.write(bytes("1"));
      const given = reason(view.write(bytes("2")));
      cut(view, stream);
      expect(await given).toMatchObject({ code, details: { streamCode: 5 } });
      expect(await reason(view.write(bytes("3")))).toMatchObject({ code });
      expect(stream.calls).not.toContain("write 2");
    }
  });

  it("of what is no bytes are refused", async () => {
    expect(await reason(asyncStream(new HandStream()).write("text" as unknown as Uint8Array))).toBeInstanceOf(TypeError);
  });
});
