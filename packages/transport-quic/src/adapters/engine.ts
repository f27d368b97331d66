import type { Quiche } from "@matrixai/quic/native/quiche.js";
import type { Config, Connection, ConnectionError } from "@matrixai/quic/native/types.js";
import { QuicTransportError } from "../errors.js";
import {
  type EngineConnection,
  type EngineContext,
  type EngineError,
  type EngineSettings,
  type EngineStats,
  engineGone,
  engineNone,
  type QuicEngine,
} from "../ports.js";

/**
 * The addresses that the engine is told. They are always the same: routing is ours, migration is off, and a connection never changes its
 * path, so the real ones, which it would parse anew from text for each datagram, mean nothing to it.
 */
const near = { host: "127.0.0.1", port: 1 };
const far = { host: "127.0.0.2", port: 2 };
const received = { from: far, to: near };

const receiveUdpPayloadBytesMax = 65_527;
/** Streams are counted by our own credit, which is never lost; the engine's limit only has to be out of the way. */
const engineStreamsMax = 2 ** 30 - 1;
const reasonCharsMax = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function errorOf(error: ConnectionError | null): EngineError | null {
  if (error === null) return null;
  // The binding gives the reason as a plain array of numbers or as bytes, depending on its version.
  const reason = decoder.decode(Uint8Array.from(error.reason)).slice(0, reasonCharsMax);
  return { application: error.isApp, code: error.errorCode, reason };
}

class NativeConnection implements EngineConnection {
  readonly #native: Connection;
  finished = false;

  constructor(native: Connection) {
    this.#native = native;
  }

  receive(datagram: Uint8Array): boolean {
    try {
      this.#native.recv(datagram, received);
      return true;
    } catch {
      return false;
    }
  }

  send(out: Uint8Array): number {
    try {
      return this.#native.send(out)?.[0] ?? 0;
    } catch {
      // The engine closed itself, which isClosed or localError will show.
      return 0;
    }
  }

  timeout(): number | null {
    return this.#native.timeout();
  }

  onTimeout(): void {
    this.#native.onTimeout();
  }

  isEstablished(): boolean {
    return this.#native.isEstablished();
  }

  isDraining(): boolean {
    return this.#native.isDraining();
  }

  isClosed(): boolean {
    return this.#native.isClosed();
  }

  isTimedOut(): boolean {
    return this.#native.isTimedOut();
  }

  isReadable(): boolean {
    return this.#native.isReadable();
  }

  streamReadable(id: number): boolean {
    return this.#native.streamReadable(id);
  }

  readableStreams(): number[] {
    return [...this.#native.readable()];
  }

  streamReceive(id: number, out: Uint8Array): number {
    this.finished = false;
    try {
      const result = this.#native.streamRecv(id, out);
      if (result === null) return engineNone;
      this.finished = result[1];
      return result[0];
    } catch {
      return engineGone;
    }
  }

  streamSend(id: number, bytes: Uint8Array, fin: boolean): number {
    try {
      return this.#native.streamSend(id, bytes, fin) ?? 0;
    } catch {
      return engineGone;
    }
  }

  streamCapacity(id: number): number {
    try {
      return this.#native.streamCapacity(id);
    } catch {
      return 0;
    }
  }

  close(application: boolean, code: number, reason: string): void {
    try {
      this.#native.close(application, code, encoder.encode(reason));
    } catch {
      // It is closed already.
    }
  }

  keepAlive(): void {
    try {
      this.#native.sendAckEliciting();
    } catch {
      // No path is left; the idle timeout ends the connection.
    }
  }

  peerChain(): readonly Uint8Array[] {
    return this.#native.peerCertChain() ?? [];
  }

  peerError(): EngineError | null {
    return errorOf(this.#native.peerError());
  }

  localError(): EngineError | null {
    return errorOf(this.#native.localError());
  }

  stats(): EngineStats {
    const { sentBytes, recvBytes, lost } = this.#native.stats();
    const [path] = this.#native.pathStats();
    // Before its first sample, which the handshake brings, the engine only assumes a time.
    const measured = path !== undefined && this.#native.isEstablished();
    return { bytesSent: sentBytes, bytesReceived: recvBytes, packetsLost: lost, roundTripMs: measured ? path.rtt : null };
  }
}

function createConfig(quiche: Quiche, settings: EngineSettings): Config {
  const config = quiche.Config.withBoringSslCtx(
    true,
    false,
    encoder.encode(settings.authorities),
    [encoder.encode(settings.privateKey)],
    [encoder.encode(settings.certificate)],
  );
  config.setApplicationProtos([settings.applicationProtocol]);
  config.setMaxIdleTimeout(settings.idleTimeoutMs);
  config.setMaxRecvUdpPayloadSize(receiveUdpPayloadBytesMax);
  config.setMaxSendUdpPayloadSize(settings.udpPayloadBytes);
  config.setInitialMaxData(settings.connectionWindowBytes);
  config.setInitialMaxStreamDataBidiLocal(settings.streamWindowBytes);
  config.setInitialMaxStreamDataBidiRemote(settings.streamWindowBytes);
  config.setInitialMaxStreamDataUni(settings.streamWindowBytes);
  config.setMaxStreamWindow(settings.streamWindowBytes);
  config.setMaxConnectionWindow(settings.connectionWindowBytes);
  config.setInitialMaxStreamsBidi(engineStreamsMax);
  config.setInitialMaxStreamsUni(engineStreamsMax);
  config.setDisableActiveMigration(true);
  config.setCcAlgorithmName(settings.congestionControl);
  // The binding hides the times that pacing computes, so that nobody could keep to them.
  config.enablePacing(false);
  if (settings.keyLogFile !== null) config.logKeys();
  return config;
}

class NativeContext implements EngineContext {
  readonly #quiche: Quiche;
  readonly #client: Config;
  readonly #server: Config;
  readonly #keyLogFile: string | null;

  constructor(quiche: Quiche, settings: EngineSettings) {
    this.#quiche = quiche;
    this.#client = createConfig(quiche, settings);
    this.#server = createConfig(quiche, settings);
    this.#keyLogFile = settings.keyLogFile;
  }

  connect(serverName: string, sourceId: Uint8Array): EngineConnection {
    return this.#wrap(this.#quiche.Connection.connect(serverName, sourceId, near, far, this.#client));
  }

  accept(sourceId: Uint8Array, originalId: Uint8Array, resetToken: Uint8Array): EngineConnection {
    this.#server.setStatelessResetToken(BigInt(`0x${Buffer.from(resetToken).toString("hex")}`));
    return this.#wrap(this.#quiche.Connection.accept(sourceId, originalId, near, far, this.#server));
  }

  #wrap(connection: Connection): EngineConnection {
    if (this.#keyLogFile !== null) connection.setKeylog(this.#keyLogFile);
    return new NativeConnection(connection);
  }

  retry(clientId: Uint8Array, originalId: Uint8Array, newId: Uint8Array, token: Uint8Array, out: Uint8Array): number {
    try {
      return this.#quiche.retry(clientId, originalId, newId, token, 1, out);
    } catch {
      return 0;
    }
  }
}

/** Carries the same binding for platforms that @matrixai/quic has no binary for, linux-arm64 above all. An optional peer. */
const sameBindingElsewhere: string = "@infisical/quic/dist/native/quiche.js";

async function importBinding(): Promise<{ readonly default: Quiche }> {
  try {
    return await import("@matrixai/quic/native/quiche.js");
  } catch (error) {
    const found = (await import(sameBindingElsewhere).catch(() => null)) as {
      readonly default: Quiche | { readonly default: Quiche };
    } | null;
    if (found === null) throw error;
    // A CommonJS module: what it calls its default is one level down.
    return "default" in found.default ? found.default : { default: found.default };
  }
}

/**
 * Loads the native binding inside @matrixai/quic, or else inside @infisical/quic. Importing this package does not need it; this does.
 * @param load - what to load instead.
 * @throws {QuicTransportError} `OCTOPII_QUIC_UNAVAILABLE` where there is no binary for this platform.
 */
export async function loadNativeEngine(load: () => Promise<{ readonly default: Quiche }> = importBinding): Promise<QuicEngine> {
  let quiche: Quiche;
  try {
    quiche = (await load()).default;
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    const message = `There is no QUIC engine for ${platform}, or it does not load here; use @octopii/transport-tcp instead, or on linux-arm64 add @infisical/quic.`;
    throw new QuicTransportError("OCTOPII_QUIC_UNAVAILABLE", message, { cause, details: { platform } });
  }
  return { createContext: (settings) => new NativeContext(quiche, settings) };
}
