import { createHmac, randomFillSync, timingSafeEqual } from "node:crypto";
import Logger, { LogLevel } from "@matrixai/logger";
import { events, QUICClient, QUICServer, type QUICStream } from "@matrixai/quic";
import type { Identities } from "../credentials.js";
import { inParallel, messageBytes, pieceBytes, type Wire } from "./wire.js";

const mebibyte = 1024 * 1024;

const logger = new Logger("silence", LogLevel.SILENT, []);

/** Windows so large that they are never the limit. */
const windows = {
  initialMaxData: 64 * mebibyte,
  initialMaxStreamDataBidiLocal: 16 * mebibyte,
  initialMaxStreamDataBidiRemote: 16 * mebibyte,
  initialMaxStreamDataUni: 16 * mebibyte,
};

const sign = async (key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> =>
  Uint8Array.from(createHmac("sha256", Buffer.from(key)).update(Buffer.from(data)).digest()).buffer;

/** The API that @matrixai/quic publishes: its client, its server, and streams as web streams. */
export async function openMatrixai(identities: Identities): Promise<Wire> {
  let mode: "bulk" | "echo" = "echo";
  let onBulkEnd = (): void => undefined;
  const serve = async (stream: QUICStream): Promise<void> => {
    if (mode === "echo") return stream.readable.pipeTo(stream.writable);
    const reader = stream.readable.getReader();
    while (!(await reader.read()).done);
    await stream.writable.close();
    onBulkEnd();
  };
  const verify = async (key: ArrayBuffer, data: ArrayBuffer, signature: ArrayBuffer): Promise<boolean> =>
    timingSafeEqual(Buffer.from(await sign(key, data)), Buffer.from(signature));
  const server = new QUICServer({
    crypto: { key: randomFillSync(new Uint8Array(32)).buffer, ops: { sign, verify } },
    config: { ...tls(identities.server), ...windows },
    logger,
  });
  server.addEventListener(events.EventQUICServerConnection.name, (event: Event) => {
    const connection = (event as events.EventQUICServerConnection).detail;
    connection.addEventListener(events.EventQUICConnectionStream.name, (opened: Event) => {
      serve((opened as events.EventQUICConnectionStream).detail).catch(() => undefined);
    });
  });
  await server.start({ host: "127.0.0.1", port: 0 });
  const randomBytes = async (data: ArrayBuffer): Promise<void> => void randomFillSync(new Uint8Array(data));
  const client = await QUICClient.createQUICClient({
    host: "127.0.0.1",
    port: server.port,
    serverName: "node.octopii.internal",
    localHost: "127.0.0.1",
    crypto: { ops: { randomBytes } },
    config: { ...tls(identities.client), ...windows },
    logger,
  });
  const { connection } = client;
  return {
    bulk: async (bytes) => {
      mode = "bulk";
      const ended = new Promise<void>((resolve) => {
        onBulkEnd = resolve;
      });
      const stream = connection.newStream("bidi");
      const writer = stream.writable.getWriter();
      const piece = new Uint8Array(pieceBytes);
      for (let left = bytes / pieceBytes; left > 0; left -= 1) await writer.write(piece);
      await writer.close();
      await ended;
      const reader = stream.readable.getReader();
      while (!(await reader.read()).done);
    },
    echo: async (count) => {
      mode = "echo";
      const stream = connection.newStream("bidi");
      const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
      const times: number[] = [];
      for (let i = 0; i < count; i += 1) {
        const startedAt = performance.now();
        await writer.write(new Uint8Array(messageBytes));
        await reader.read();
        times.push(performance.now() - startedAt);
      }
      await writer.close();
      while (!(await reader.read()).done);
      return times;
    },
    calls: (count, inFlight) => {
      mode = "echo";
      const call = async (): Promise<void> => {
        const stream = connection.newStream("bidi");
        const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
        await writer.write(new Uint8Array(messageBytes));
        await writer.close();
        while (!(await reader.read()).done);
      };
      return inParallel(count, inFlight, (done) => void call().then(done));
    },
    close: async () => {
      await client.destroy({ force: true });
      await server.stop({ force: true });
    },
  };
}

function tls({ certificate, privateKey, authorities }: Identities["server"]) {
  return { verifyPeer: true, ca: authorities, key: privateKey, cert: certificate };
}
