import { createHmac, randomFillSync, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import Logger, { LogLevel } from "@matrixai/logger";
import { events, QUICClient, type QUICConnection, QUICServer, type QUICStream } from "@matrixai/quic";
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

const verify = async (key: ArrayBuffer, data: ArrayBuffer, signature: ArrayBuffer): Promise<boolean> =>
  timingSafeEqual(Buffer.from(await sign(key, data)), Buffer.from(signature));
const randomBytes = async (data: ArrayBuffer): Promise<void> => void randomFillSync(new Uint8Array(data));

function configOf({ certificate, privateKey, authorities }: Identities["server"]) {
  return { verifyPeer: true, ca: authorities, key: privateKey, cert: certificate, ...windows };
}

/** The API that @matrixai/quic publishes: its client, its server, and streams as web streams. */
export async function openMatrixai(identities: Identities): Promise<Wire> {
  const server = new QUICServer({
    crypto: { key: randomFillSync(new Uint8Array(32)).buffer, ops: { sign, verify } },
    config: configOf(identities.server),
    logger,
  });
  const accepted = once(server, events.EventQUICServerConnection.name);
  await server.start({ host: "127.0.0.1", port: 0 });
  const client = await QUICClient.createQUICClient({
    host: "127.0.0.1",
    port: server.port,
    serverName: "node.octopii.internal",
    localHost: "127.0.0.1",
    crypto: { ops: { randomBytes } },
    config: configOf(identities.client),
    logger,
  });
  const [event] = (await accepted) as [events.EventQUICServerConnection];
  return new MatrixaiWire(server, event.detail, client);
}

/** Reads to the end. */
async function drain(readable: QUICStream["readable"]): Promise<void> {
  const reader = readable.getReader();
  while (!(await reader.read()).done);
}

class MatrixaiWire implements Wire {
  readonly #server: QUICServer;
  readonly #client: QUICClient;
  #isBulk = false;

  constructor(server: QUICServer, accepted: QUICConnection, client: QUICClient) {
    this.#server = server;
    this.#client = client;
    const onStream = (event: Event): void => {
      this.#serve((event as events.EventQUICConnectionStream).detail).catch(() => undefined);
    };
    accepted.addEventListener(events.EventQUICConnectionStream.name, onStream);
  }

  async #serve(stream: QUICStream): Promise<void> {
    if (!this.#isBulk) return stream.readable.pipeTo(stream.writable);
    await drain(stream.readable);
    await stream.writable.close();
  }

  async bulk(bytes: number): Promise<void> {
    this.#isBulk = true;
    const stream = this.#client.connection.newStream("bidi");
    const writer = stream.writable.getWriter();
    const piece = new Uint8Array(pieceBytes);
    for (let left = bytes / pieceBytes; left > 0; left -= 1) await writer.write(piece);
    await writer.close();
    // The server ends its direction once it has read all of ours.
    await drain(stream.readable);
  }

  async echo(count: number): Promise<number[]> {
    this.#isBulk = false;
    const stream = this.#client.connection.newStream("bidi");
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
  }

  calls(count: number, inFlight: number): Promise<void> {
    this.#isBulk = false;
    const call = async (): Promise<void> => {
      const stream = this.#client.connection.newStream("bidi");
      const writer = stream.writable.getWriter();
      await writer.write(new Uint8Array(messageBytes));
      await writer.close();
      await drain(stream.readable);
    };
    return inParallel(count, inFlight, (done) => void call().then(done));
  }

  async close(): Promise<void> {
    await this.#client.destroy({ force: true });
    await this.#server.stop({ force: true });
  }
}
