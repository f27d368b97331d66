import type { Identify, PeerIdentity } from "@octopii/interfaces";
import { OptionProblems } from "../options.js";

/** The limits of the in-memory transport. */
export interface MemoryTransportLimits {
  /** How long `connect` waits unless it is told otherwise. Default 5,000 ms. */
  readonly connectTimeoutMs?: number;
  /** How long a peer may be silent before its connection is given up; up to a quarter more passes in practice. Default 10,000 ms. */
  readonly idleTimeoutMs?: number;
  /** What a peer may send on one stream before it is read. Default 256 KiB. */
  readonly streamWindowBytes?: number;
  /** What a peer may send on all streams of a connection before it is read. Default 4 MiB. */
  readonly connectionWindowBytes?: number;
  /** From here on `write` gives false. Default 256 KiB: one window, so that a reader never waits for a writer's turn. */
  readonly sendBufferBytes?: number;
  /** Streams that a peer may have open towards us at once. Default 1,024. */
  readonly maxStreams?: number;
  /** Streams of ours that may wait for the peer's credit. Default 16,384. */
  readonly maxWaitingStreams?: number;
  /** Connections that a transport has at once. Default 1,024. */
  readonly maxConnections?: number;
}

/** Options of {@link createMemoryTransport}. */
export interface MemoryTransportOptions extends MemoryTransportLimits {
  /** Who this side is; peers see it as `connection.peer`. */
  readonly identity: PeerIdentity;
  /** The name of the machine in addresses. Default `localhost`. */
  readonly host?: string;
  /** What this side shows as its certificate chain. Default: one stand-in for a certificate that carries `identity`. */
  readonly certificateChain?: readonly Uint8Array[];
  /** Judges the peer's chain. Default: reads the stand-in and accepts everybody. */
  readonly identify?: Identify;
}

/** {@link MemoryTransportLimits}, complete. */
export type MemoryTransportConfig = Required<MemoryTransportLimits>;

/** What both ends of a connection allow: our own limits bind the peer, the peer's bind us. */
export interface ConnectionLimits {
  readonly own: MemoryTransportConfig;
  readonly peer: MemoryTransportConfig;
}

/** The defaults of {@link MemoryTransportLimits}. */
export const memoryTransportDefaults: MemoryTransportConfig = {
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 4 * 1024 * 1024,
  sendBufferBytes: 256 * 1024,
  maxStreams: 1_024,
  maxWaitingStreams: 16_384,
  maxConnections: 1_024,
};

/** Fills in the defaults and checks. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`, naming every problem. */
export function resolveMemoryTransportOptions(options: MemoryTransportLimits): MemoryTransportConfig {
  const base = memoryTransportDefaults;
  const config: MemoryTransportConfig = {
    connectTimeoutMs: options.connectTimeoutMs ?? base.connectTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs ?? base.idleTimeoutMs,
    streamWindowBytes: options.streamWindowBytes ?? base.streamWindowBytes,
    connectionWindowBytes: options.connectionWindowBytes ?? base.connectionWindowBytes,
    sendBufferBytes: options.sendBufferBytes ?? base.sendBufferBytes,
    maxStreams: options.maxStreams ?? base.maxStreams,
    maxWaitingStreams: options.maxWaitingStreams ?? base.maxWaitingStreams,
    maxConnections: options.maxConnections ?? base.maxConnections,
  };
  const problems = new OptionProblems("memory transport options");
  problems.number("connectTimeoutMs", config.connectTimeoutMs, 1, 3_600_000);
  problems.number("idleTimeoutMs", config.idleTimeoutMs, 4, 3_600_000);
  problems.integer("streamWindowBytes", config.streamWindowBytes, 1, 2 ** 30);
  problems.integer("connectionWindowBytes", config.connectionWindowBytes, 1, 2 ** 32);
  problems.integer("sendBufferBytes", config.sendBufferBytes, 1, 2 ** 30);
  problems.integer("maxStreams", config.maxStreams, 1, 1_000_000);
  problems.integer("maxWaitingStreams", config.maxWaitingStreams, 0, 1_000_000);
  problems.integer("maxConnections", config.maxConnections, 1, 1_000_000);
  problems.throwIfAny();
  return config;
}
