import { CompressionStream, DecompressionStream, ReadableStream, TransformStream } from "node:stream/web";
import { createAuthority, identifyForCluster, issueNodeCertificate } from "@octopii/certificates";
import type { Transport } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { describe, expect, it } from "vitest";
import { asyncStream, webStreams } from "../src/index.js";
import { bytes, connect, HandStream, openPair, readAll, reason, text, withPair } from "./support.js";

describe("a stream as web streams", () => {
  it("goes through pipes, and comes to its end in both directions", () =>
    withPair(async (pair) => {
      const { near, far } = await openPair(pair);
      const echoing = (async () => {
        const { readable, writable } = webStreams(far);
        await readable.pipeTo(writable);
      })();
      const { readable, writable } = webStreams(near);
      const chunks = Array.from({ length: 1_000 }, (_, i) => bytes(`line ${i}\n`.repeat(50)));
      const sending = ReadableStream.from(chunks).pipeTo(writable);
      let received = 0;
      const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          received += chunk.length;
          controller.enqueue(chunk);
        },
      });
      expect(await readAll(readable.pipeThrough(counter))).toBe(chunks.map((chunk) => text(chunk)).join(""));
      await Promise.all([sending, echoing]);
      expect(received).toBe(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
      expect(await near.closed).toEqual({ error: null });
    }));

  it("reads nothing that nobody asked for", async () => {
    const stream = new HandStream();
    stream.readable.push(bytes("a"), bytes("b"));
    const reader = webStreams(asyncStream(stream)).readable.getReader();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.readable.length).toBe(2);
    await reader.read();
    expect(stream.readable.length).toBe(1);
  });

  it("tells the peer of cancel and abort by the code that was chosen", async () => {
    const stream = new HandStream();
    const { readable, writable } = webStreams(asyncStream(stream), { giveUpCode: 21 });
    await readable.cancel("no interest");
    await writable.abort("no more");
    expect(stream.calls).toEqual(["stop 21", "reset 21"]);
    expect(() => webStreams(asyncStream(stream), { giveUpCode: 2 ** 32 })).toThrow("giveUpCode");
  });

  it("errors both directions when the connection goes, also where nobody waits", async () => {
    const stream = new HandStream();
    const { readable, writable } = webStreams(asyncStream(stream));
    const writer = writable.getWriter();
    const idle = reason(writer.closed);
    const reading = reason(readable.getReader().read());
    stream.close({ by: "connection", code: 2 });
    for (const wait of [idle, reading]) expect(await wait).toMatchObject({ code: "OCTOPII_STREAM_CONNECTION_CLOSED" });
  });
});

describe("over a real transport", () => {
  it.each([
    ["quic", createQuicTransport],
    ["tcp", createTcpTransport],
  ] as const)("a stream of a %s connection is piped back, whole", async (_, create) => {
    const authority = await createAuthority({ cluster: "orders" });
    const transportOf = async (nodeId: number): Promise<Transport> => {
      const node = await issueNodeCertificate(authority, { cluster: "orders", nodeId, name: `node-${nodeId}` });
      return create({ credentials: { ...node, authorities: authority.certificate }, identify: identifyForCluster({ cluster: "orders" }) });
    };
    const [server, client] = await Promise.all([transportOf(1), transportOf(2)]);
    try {
      const pair = await connect(server, client, "127.0.0.1:0");
      const { near, far } = await openPair(pair);
      const back = webStreams(far);
      const echoing = back.readable.pipeTo(back.writable);
      const line = "0123456789".repeat(100_000);
      const { readable, writable } = webStreams(near);
      const sending = new Blob([line]).stream().pipeThrough(new CompressionStream("gzip")).pipeTo(writable);
      expect(await readAll(readable.pipeThrough(new DecompressionStream("gzip")))).toBe(line);
      await Promise.all([sending, echoing]);
    } finally {
      await Promise.all([server.close(), client.close()]);
    }
  });
});

describe("a peer that reads nothing", () => {
  it("does not keep a writer from giving up, and hears of it", async () => {
    const stream = new HandStream();
    stream.hasRoom = false;
    const writer = webStreams(asyncStream(stream), { giveUpCode: 4 }).writable.getWriter();
    await writer.write(bytes("taken"));
    const waiting = reason(writer.write(bytes("waits")));
    await writer.abort(new Error("no more"));
    expect(stream.calls).toEqual(["write taken", "reset 4"]);
    expect(await waiting).toMatchObject({ code: "OCTOPII_STREAM_GIVEN_UP", details: { streamCode: 4 } });
  });

  it("is told apart from one that gave up sending", async () => {
    const stream = new HandStream();
    const { writable } = webStreams(asyncStream(stream));
    const closed = reason(writable.getWriter().closed);
    stream.resetCode = 5;
    stream.onReadable?.();
    stream.cut = { by: "stopped", code: 6 };
    stream.onClose?.({ error: { by: "reset", code: 5 } });
    expect(await closed).toMatchObject({ code: "OCTOPII_STREAM_STOPPED", details: { streamCode: 6 } });
  });
});
