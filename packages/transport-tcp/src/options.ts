import type { Identify, TlsCredentials } from "@octopii/interfaces";

/**
 * Options of {@link createTcpTransport}. `undefined` means the default. What has the name of an option of the QUIC transport means the same and has
 * the same default, so that one configuration serves either.
 */
export interface TcpTransportOptions {
  /** What proves our identity, and what a peer's must be signed by. Both sides of every connection prove themselves. */
  readonly credentials: TlsCredentials;
  /** Decides who a peer is from its certificates, and whether it may talk to us. */
  readonly identify: Identify;
  /** The DNS name that a node's certificate must carry, whatever address it is dialed at. */
  readonly serverName?: string;
  /** How long a dial may take, name resolution and handshake included, where `connect` does not say. */
  readonly connectTimeoutMs?: number;
  /** How long an accepted connection may take to prove its identity. */
  readonly handshakeTimeoutMs?: number;
  /** How long a peer may be silent before the connection counts as lost. Keep-alive probes go out at a third of it. */
  readonly idleTimeoutMs?: number;
  /**
   * Connections at one time: that were accepted on one address, those included that have proven nothing yet, and as many that were dialed.
   * Beyond it, new ones are dropped, and dials refused; those of others never keep us from dialing.
   */
  readonly maxConnections?: number;
  /** Accepted connections at one time on one address that have not proven their identity. Beyond it, the oldest of them makes room. */
  readonly maxUnestablished?: number;
  /** Streams of each kind that the peer may have open at one time on one connection. */
  readonly maxIncomingStreams?: number;
  /** Streams of one connection that may wait for the peer's credit. */
  readonly maxWaitingStreams?: number;
  /** Queued bytes of a stream from which `write` gives false. */
  readonly sendBufferBytes?: number;
  /** Queued bytes of a stream beyond which `write` throws. */
  readonly maxSendBufferBytes?: number;
  /** Bytes of one stream that the peer may send ahead of our reading: its credit, so that a slow stream cannot stop another. */
  readonly streamWindowBytes?: number;
  /**
   * Bytes of all streams of a connection that the peer may send ahead of our reading. When so many streams are left unread that it is used up,
   * the others of that connection wait, too.
   */
  readonly connectionWindowBytes?: number;
  /**
   * The longest frame to send: how long a stream with much to send may keep the others of its connection waiting. A longer one that a peer
   * sends is refused by its header, before anything is allocated. TLS cuts frames into records of 16 KiB in any case.
   */
  readonly maxFrameBytes?: number;
  /** A file to append TLS secrets to, so that tools can decrypt captured packets. It gives every connection away; for debugging. */
  readonly insecureKeyLogFile?: string;
}

/** {@link TcpTransportOptions} with everything decided. */
export type TcpTransportConfig = Readonly<Required<Omit<TcpTransportOptions, "insecureKeyLogFile">>> & {
  readonly insecureKeyLogFile: string | null;
};

type Defaults = Omit<TcpTransportConfig, "credentials" | "identify">;

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** The defaults. Why each value: see the comments; where there is none, it is the QUIC transport's. */
export const tcpTransportDefaults: Defaults = {
  // The name that @octopii/certificates puts into every node's certificate.
  serverName: "node.octopii.internal",
  connectTimeoutMs: 5_000,
  handshakeTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
  // A cluster has tens of nodes; the rest is for clients.
  maxConnections: 1_024,
  // More than a cluster that restarts at once; each takes about 100 KiB until its time is over.
  maxUnestablished: 128,
  maxIncomingStreams: 4_096,
  maxWaitingStreams: 4_096,
  sendBufferBytes: 256 * kibibyte,
  maxSendBufferBytes: 16 * mebibyte,
  streamWindowBytes: mebibyte,
  // More than all transfers, snapshots and calls between two nodes may leave unread at once, lest heartbeats wait behind them.
  connectionWindowBytes: 64 * mebibyte,
  // Four records of TLS: headers cost nothing, and at 100 MB/s another stream waits for less than a millisecond.
  maxFrameBytes: 64 * kibibyte,
  insecureKeyLogFile: null,
};

interface Range {
  readonly min: number;
  readonly max: number;
}

const oneDayMs = 24 * 60 * 60 * 1000;
const time: Range = { min: 10, max: oneDayMs };
const count: Range = { min: 1, max: 1_000_000 };
const bytes: Range = { min: kibibyte, max: 1024 * mebibyte };

const ranges = {
  connectTimeoutMs: time,
  handshakeTimeoutMs: time,
  idleTimeoutMs: { min: 100, max: oneDayMs },
  maxConnections: count,
  maxUnestablished: count,
  maxIncomingStreams: count,
  maxWaitingStreams: count,
  sendBufferBytes: bytes,
  maxSendBufferBytes: bytes,
  streamWindowBytes: { min: 16 * kibibyte, max: 512 * mebibyte },
  connectionWindowBytes: { min: 32 * kibibyte, max: 512 * mebibyte },
  maxFrameBytes: { min: kibibyte, max: mebibyte },
} as const satisfies Partial<Record<keyof TcpTransportConfig, Range>>;

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0;
}

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveTcpTransportOptions(options: TcpTransportOptions): TcpTransportConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config = { ...tcpTransportDefaults, ...given } as TcpTransportConfig;
  const problems: string[] = [];
  for (const [name, { min, max }] of Object.entries(ranges)) {
    const value: unknown = config[name as keyof typeof ranges];
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
    }
  }
  if (config.maxSendBufferBytes < config.sendBufferBytes) problems.push("maxSendBufferBytes must be at least sendBufferBytes");
  if (config.connectionWindowBytes < config.streamWindowBytes) problems.push("connectionWindowBytes must be at least streamWindowBytes");
  if (!isText(config.serverName)) problems.push("serverName must be a DNS name");
  if (typeof config.identify !== "function") problems.push("identify must be a function");
  for (const part of ["certificate", "privateKey", "authorities"] as const) {
    if (!isText(config.credentials?.[part])) problems.push(`credentials.${part} must be PEM text`);
  }
  if (config.insecureKeyLogFile !== null && !isText(config.insecureKeyLogFile)) problems.push("insecureKeyLogFile must be a path");
  if (problems.length > 0) throw new RangeError(`TCP transport options: ${problems.join("; ")}.`);
  return { ...config, credentials: { ...config.credentials } };
}
