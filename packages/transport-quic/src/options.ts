import type { Identify, TlsCredentials } from "@octopii/interfaces";

/** Options of {@link createQuicTransport}. */
export interface QuicTransportOptions {
  /** What proves our identity, and what a peer's must be signed by. Both sides of every connection prove themselves. */
  readonly credentials: TlsCredentials;
  /** Decides who a peer is from its certificates, and whether it may talk to us. */
  readonly identify: Identify;
  /** The DNS name that a node's certificate must carry, whatever address it is dialed at. */
  readonly serverName?: string;
  /** How long a dial may take, name resolution included, where `connect` does not say. */
  readonly connectTimeoutMs?: number;
  /** How long an accepted connection may take to prove its identity. */
  readonly handshakeTimeoutMs?: number;
  /** How long a peer may be silent before the connection counts as lost. Keep-alives go out at a third of it. */
  readonly idleTimeoutMs?: number;
  /** How long a Retry token is good. */
  readonly retryTokenLifetimeMs?: number;
  /**
   * Connections at one time: that were accepted on one address, unestablished ones included, and as many that were dialed. Beyond it, packets
   * that open one are dropped, and dials refused; those of others never keep us from dialing.
   */
  readonly maxConnections?: number;
  /** Accepted connections at one time on one address that have not proven their identity. Beyond it, the oldest of them makes room. */
  readonly maxUnestablished?: number;
  /** Bytes that an accepted connection may send before it has proven its identity. */
  readonly maxUnestablishedBytes?: number;
  /** Streams of each kind that the peer may have open at one time on one connection. */
  readonly maxIncomingStreams?: number;
  /** Streams of one connection that may wait for the peer's credit. */
  readonly maxWaitingStreams?: number;
  /** Queued bytes of a stream from which `write` gives false. */
  readonly sendBufferBytes?: number;
  /** Queued bytes of a stream beyond which `write` throws. */
  readonly maxSendBufferBytes?: number;
  /** Bytes of one stream that the peer may send ahead of our reading. */
  readonly streamWindowBytes?: number;
  /**
   * Bytes of all streams of a connection that the peer may send ahead of our reading. When so many streams are left unread that it is used up,
   * the others of that connection wait, too.
   */
  readonly connectionWindowBytes?: number;
  /** The largest UDP payload to send. Raise it only where every network on the way carries it: there is no discovery. */
  readonly udpPayloadBytes?: number;
  /** What to ask of the system for each socket's receive and send buffer; it may give less. */
  readonly systemBufferBytes?: number;
  readonly congestionControl?: "cubic" | "reno" | "bbr";
  /** A file to append TLS secrets to, so that tools can decrypt captured packets. It gives every connection away; for debugging. */
  readonly insecureKeyLogFile?: string;
}

/** {@link QuicTransportOptions} with everything decided. */
export type QuicTransportConfig = Readonly<Required<Omit<QuicTransportOptions, "insecureKeyLogFile">>> & {
  readonly insecureKeyLogFile: string | null;
};

type Defaults = Omit<QuicTransportConfig, "credentials" | "identify">;

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** The defaults. Why each value: see the comments. */
export const quicTransportDefaults: Defaults = {
  // The name that @octopii/certificates puts into every node's certificate.
  serverName: "node.octopii.internal",
  // Room for two lost handshake packets, whose repetition waits 1 s and then 2 s before a round-trip time is known.
  connectTimeoutMs: 5_000,
  handshakeTimeoutMs: 5_000,
  // Long enough for a garbage collection or a short overload, short enough that a dead peer does not hold callers up for long.
  idleTimeoutMs: 10_000,
  // One round trip is all a client needs; this allows for a slow one with a loss.
  retryTokenLifetimeMs: 10_000,
  // A cluster has tens of nodes; the rest is for clients. An idle connection takes about 100 KiB.
  maxConnections: 1_024,
  // Only addresses that answered a Retry get this far.
  maxUnestablished: 128,
  // A handshake with a certificate chain of a few KiB, each packet repeated several times.
  maxUnestablishedBytes: 64 * kibibyte,
  // Several times what a busy RPC connection has in flight.
  maxIncomingStreams: 4_096,
  maxWaitingStreams: 4_096,
  // A few turns' worth at full speed.
  sendBufferBytes: 256 * kibibyte,
  maxSendBufferBytes: 16 * mebibyte,
  // 1 MiB in flight carries 100 MB/s at 10 ms.
  streamWindowBytes: mebibyte,
  // More than all transfers, snapshots and calls between two nodes may leave unread at once, lest heartbeats wait behind them.
  connectionWindowBytes: 64 * mebibyte,
  // Fits an Ethernet path with tunnels on the way, over IPv4 and IPv6.
  udpPayloadBytes: 1_350,
  // One burst of a fast sender; Linux gives 208 KiB unless net.core.rmem_max was raised.
  systemBufferBytes: 4 * mebibyte,
  congestionControl: "cubic",
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
  retryTokenLifetimeMs: time,
  maxConnections: count,
  maxUnestablished: count,
  maxUnestablishedBytes: { min: 8 * kibibyte, max: 16 * mebibyte },
  maxIncomingStreams: count,
  maxWaitingStreams: count,
  sendBufferBytes: bytes,
  maxSendBufferBytes: bytes,
  streamWindowBytes: { min: 16 * kibibyte, max: 512 * mebibyte },
  // With less than the 48 KiB that the engine itself begins with, its sender oversteps the window, and the peer closes the connection.
  connectionWindowBytes: { min: 64 * kibibyte, max: 512 * mebibyte },
  // RFC 9000 section 14 requires 1,200; the engine builds packets of at most 16,383.
  udpPayloadBytes: { min: 1_200, max: 16_383 },
  systemBufferBytes: bytes,
} as const satisfies Partial<Record<keyof QuicTransportConfig, Range>>;

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length > 0;
}

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveQuicTransportOptions(options: QuicTransportOptions): QuicTransportConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config = { ...quicTransportDefaults, ...given } as QuicTransportConfig;
  const problems: string[] = [];
  for (const [name, { min, max }] of Object.entries(ranges)) {
    const value: unknown = config[name as keyof typeof ranges];
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
    }
  }
  if (config.maxSendBufferBytes < config.sendBufferBytes) problems.push("maxSendBufferBytes must be at least sendBufferBytes");
  if (config.connectionWindowBytes < config.streamWindowBytes) problems.push("connectionWindowBytes must be at least streamWindowBytes");
  if (!["cubic", "reno", "bbr"].includes(config.congestionControl)) problems.push("congestionControl must be 'cubic', 'reno' or 'bbr'");
  if (!isText(config.serverName)) problems.push("serverName must be a DNS name");
  if (typeof config.identify !== "function") problems.push("identify must be a function");
  for (const part of ["certificate", "privateKey", "authorities"] as const) {
    if (!isText(config.credentials?.[part])) problems.push(`credentials.${part} must be PEM text`);
  }
  if (config.insecureKeyLogFile !== null && !isText(config.insecureKeyLogFile)) problems.push("insecureKeyLogFile must be a path");
  if (problems.length > 0) throw new RangeError(`QUIC transport options: ${problems.join("; ")}.`);
  return { ...config, credentials: { ...config.credentials } };
}
