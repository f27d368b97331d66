import { randomBytes } from "node:crypto";
import type { Quiche } from "@matrixai/quic/native/quiche.js";
import type { TlsCredentials } from "@octopii/interfaces";
import { loadNativeEngine } from "../src/adapters/engine.js";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { parseAddress } from "../src/address.js";
import type { EngineConnection, EngineError, UdpSocket } from "../src/index.js";
import { until } from "./support.js";

export interface RawClientOptions {
  readonly applicationProtocol?: string;
  readonly withoutCertificate?: boolean;
}

/** The binding, with a TLS context that has no certificate of its own. */
async function bareBinding(): Promise<{ readonly default: Quiche }> {
  const quiche = (await import("@matrixai/quic/native/quiche.js")).default;
  const withBoringSslCtx: typeof quiche.Config.withBoringSslCtx = (verify, allowFail, authorities) =>
    quiche.Config.withBoringSslCtx(verify, allowFail, authorities, null, null);
  return { default: { ...quiche, Config: { withBoringSslCtx } as typeof quiche.Config } };
}

/** A QUIC client without our session logic: it has a good certificate and no manners. */
export class RawClient {
  readonly engine: EngineConnection;
  readonly #socket: UdpSocket;
  readonly #host: string;
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(engine: EngineConnection, socket: UdpSocket, host: string, port: number) {
    this.engine = engine;
    this.#socket = socket;
    this.#host = host;
    this.#port = port;
    this.#timer = setInterval(() => {
      engine.onTimeout();
      this.pump();
    }, 5);
  }

  /** Starts the handshake. */
  static async start(address: string, credentials: TlsCredentials, options: RawClientOptions = {}): Promise<RawClient> {
    const { applicationProtocol = "octopii/1", withoutCertificate = false } = options;
    const { host, port } = parseAddress(address, { allowPortZero: false });
    const context = (await loadNativeEngine(withoutCertificate ? bareBinding : undefined)).createContext({
      ...credentials,
      applicationProtocol,
      idleTimeoutMs: 10_000,
      udpPayloadBytes: 1_350,
      streamWindowBytes: 65_536,
      connectionWindowBytes: 1_048_576,
      congestionControl: "cubic",
      keyLogFile: null,
    });
    const engine = context.connect("node.octopii.internal", randomBytes(16));
    const socket = await nodeUdpSockets.open({
      host: "127.0.0.1",
      port: 0,
      family: 4,
      datagramBytes: 1_350,
      systemBufferBytes: 65_536,
      onDatagram: (datagram) => {
        engine.receive(datagram);
        client.pump();
      },
    });
    const client = new RawClient(engine, socket, host, port);
    client.pump();
    return client;
  }

  /** {@link start}, and the handshake. */
  static async open(address: string, credentials: TlsCredentials): Promise<RawClient> {
    const client = await RawClient.start(address, credentials);
    await until(() => client.engine.isEstablished());
    return client;
  }

  /** Sends bytes on a stream. */
  send(id: number, bytes: readonly number[], fin = false): void {
    this.engine.streamSend(id, Uint8Array.from(bytes), fin);
    this.pump();
  }

  pump(): void {
    for (;;) {
      const buffer = this.#socket.take();
      if (buffer === null) return;
      const length = this.engine.send(buffer);
      if (length === 0) {
        this.#socket.giveBack(buffer);
        return;
      }
      this.#socket.send(buffer, length, this.#host, this.#port);
    }
  }

  /** Why the server closed. */
  async closed(): Promise<EngineError> {
    await until(() => this.engine.peerError() !== null);
    const error = this.engine.peerError();
    if (error === null) throw new Error("not closed");
    return error;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#socket.close();
  }
}
