import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Quiche } from "@matrixai/quic/native/quiche.js";
import type { Config, Connection } from "@matrixai/quic/native/types.js";
import type { Identities } from "../credentials.js";
import { inParallel, messageBytes, oneByOne, pieceBytes, type Wire } from "./wire.js";

const mebibyte = 1024 * 1024;
const datagramBytes = 1_350;

/**
 * The least that carries QUIC: the native engine, one socket at each end, and a loop that writes out once for each turn of the event loop.
 * It has no limits, no errors, no Retry and no back-pressure. This is what the engine can do.
 */
export async function openNativeLoop({ server, client }: Identities): Promise<Wire> {
  const quiche = (await import("@matrixai/quic/native/quiche.js")).default;
  const listening = await End.open(createConfig(quiche, server));
  const dialing = await End.open(createConfig(quiche, client));
  listening.acceptWith(quiche);
  dialing.dial(quiche, listening.port);
  while (!(dialing.isReady && listening.isReady)) await new Promise((resolve) => setImmediate(resolve));
  return new NativeWire(listening, dialing);
}

function createConfig(quiche: Quiche, { certificate, privateKey, authorities }: Identities["server"]): Config {
  const config = quiche.Config.withBoringSslCtx(
    true,
    false,
    Buffer.from(authorities),
    [Buffer.from(privateKey)],
    [Buffer.from(certificate)],
  );
  config.setApplicationProtos(["bare"]);
  config.setMaxIdleTimeout(60_000);
  config.setMaxRecvUdpPayloadSize(65_527);
  config.setMaxSendUdpPayloadSize(datagramBytes);
  config.setInitialMaxData(16 * mebibyte);
  config.setInitialMaxStreamDataBidiLocal(mebibyte);
  config.setInitialMaxStreamDataBidiRemote(mebibyte);
  config.setMaxStreamWindow(mebibyte);
  config.setMaxConnectionWindow(16 * mebibyte);
  config.setInitialMaxStreamsBidi(2 ** 30);
  config.setDisableActiveMigration(true);
  config.enablePacing(false);
  return config;
}

/** One socket with one connection on it. */
class End {
  /** Called in each turn, after what came in and before what goes out. */
  onTurn: () => void = () => undefined;
  readonly port: number;
  readonly #socket: Socket;
  readonly #config: Config;
  #connection: Connection | null = null;
  #remotePort = 0;
  #scheduled = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(socket: Socket, config: Config) {
    this.#socket = socket;
    this.#config = config;
    this.port = socket.address().port;
  }

  static async open(config: Config): Promise<End> {
    const lookup = (address: string, _options: unknown, callback: (error: null, address: string, family: number) => void): void =>
      callback(null, address, 4);
    const socket = createSocket({ type: "udp4", lookup });
    const listening = once(socket, "listening");
    socket.bind(0, "127.0.0.1");
    await listening;
    socket.setRecvBufferSize(4 * mebibyte);
    socket.setSendBufferSize(4 * mebibyte);
    return new End(socket, config);
  }

  get connection(): Connection {
    if (this.#connection === null) throw new Error("There is no connection yet.");
    return this.#connection;
  }

  get isReady(): boolean {
    return this.#connection?.isEstablished() ?? false;
  }

  dial(quiche: Quiche, port: number): void {
    this.#remotePort = port;
    this.#connection = quiche.Connection.connect("node.octopii.internal", randomBytes(12), this.#near, this.#far, this.#config);
    this.#socket.on("message", (datagram) => this.#receive(datagram));
    this.schedule();
  }

  acceptWith(quiche: Quiche): void {
    this.#socket.on("message", (datagram, { port }) => {
      this.#remotePort = port;
      this.#connection ??= quiche.Connection.accept(randomBytes(12), null, this.#near, this.#far, this.#config);
      this.#receive(datagram);
    });
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket.close();
  }

  get #near(): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.port };
  }

  get #far(): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.#remotePort };
  }

  #receive(datagram: Uint8Array): void {
    this.connection.recv(datagram, { from: this.#far, to: this.#near });
    this.schedule();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const { connection } = this;
    if (connection.isEstablished()) this.onTurn();
    for (;;) {
      const buffer = Buffer.allocUnsafe(datagramBytes);
      const sent = connection.send(buffer);
      if (sent === null) break;
      this.#socket.send(buffer, 0, sent[0], this.#remotePort, "127.0.0.1");
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    const timeout = connection.timeout();
    if (timeout === null) return;
    this.#timer = setTimeout(() => {
      connection.onTimeout();
      this.schedule();
    }, timeout + 1);
  };
}

const scratch = new Uint8Array(pieceBytes);

class NativeWire implements Wire {
  readonly #server: End;
  readonly #client: End;
  #nextId = 0;

  constructor(server: End, client: End) {
    this.#server = server;
    this.#client = client;
  }

  bulk(bytes: number): Promise<void> {
    const id = this.#newId();
    const piece = new Uint8Array(pieceBytes);
    let left = bytes;
    this.#client.onTurn = () => {
      while (left > 0) {
        const sent = this.#client.connection.streamSend(id, left >= pieceBytes ? piece : piece.subarray(0, left), left <= pieceBytes) ?? 0;
        left -= sent;
        if (sent < pieceBytes) break;
      }
    };
    return new Promise((resolve) => {
      this.#server.onTurn = () => {
        for (const readable of this.#server.connection.readable()) {
          if (receive(this.#server.connection, readable).finished) resolve();
        }
      };
      this.#client.schedule();
    });
  }

  echo(count: number): Promise<number[]> {
    const id = this.#newId();
    this.#echoBack();
    return oneByOne(count, (answered) => {
      this.#client.onTurn = () => {
        if (this.#client.connection.streamReadable(id) && receive(this.#client.connection, id).length > 0) answered();
      };
      return () => {
        this.#client.connection.streamSend(id, new Uint8Array(messageBytes), false);
        this.#client.schedule();
      };
    });
  }

  calls(count: number, inFlight: number): Promise<void> {
    this.#echoBack();
    const waiting = new Map<number, () => void>();
    this.#client.onTurn = () => {
      for (const id of this.#client.connection.readable()) {
        if (!receive(this.#client.connection, id).finished) continue;
        const done = waiting.get(id);
        waiting.delete(id);
        done?.();
      }
    };
    return inParallel(count, inFlight, (done) => {
      const id = this.#newId();
      waiting.set(id, done);
      this.#client.connection.streamSend(id, new Uint8Array(messageBytes), true);
      this.#client.schedule();
    });
  }

  async close(): Promise<void> {
    this.#client.close();
    this.#server.close();
  }

  #newId(): number {
    const id = this.#nextId;
    this.#nextId += 4;
    return id;
  }

  #echoBack(): void {
    const { connection } = this.#server;
    this.#server.onTurn = () => {
      for (const id of connection.readable()) {
        const { length, finished } = receive(connection, id);
        connection.streamSend(id, scratch.slice(0, length), finished);
      }
    };
  }
}

/** Reads all that is there; what it holds is in `scratch` if it was no more than that. */
function receive(connection: Connection, id: number): { readonly length: number; readonly finished: boolean } {
  let length = 0;
  for (;;) {
    const result = connection.streamRecv(id, scratch);
    if (result === null) return { length, finished: false };
    length += result[0];
    if (result[1]) return { length, finished: true };
  }
}
