import { Reader } from "./bytes.js";

/**
 * Our connection ids all have this length, so that a short header, which does not say it, can be read (RFC 9000 section 17.3). With longer
 * ones the engine, which has 128 bytes for all of its transport parameters, would refuse to accept some clients.
 */
export const connectionIdBytes = 12;
/** QUIC version 1. */
export const quicVersion = 1;
/** The least size of a datagram that opens a connection (RFC 9000 section 14.1). Smaller ones get no answer: no amplification. */
export const initialDatagramBytesMin = 1_200;
const connectionIdBytesMax = 20;

/** What the header of a long packet shows without any key (RFC 8999 and RFC 9000 section 17.2). */
export interface LongHeader {
  readonly version: number;
  /** Only meaningful for {@link quicVersion}. */
  readonly type: "initial" | "zeroRtt" | "handshake" | "retry";
  readonly destinationId: Uint8Array;
  readonly sourceId: Uint8Array;
  /** The token of an Initial packet; empty otherwise. */
  readonly token: Uint8Array;
}

const longTypes = ["initial", "zeroRtt", "handshake", "retry"] as const;
const nothing = new Uint8Array(0);

/** Whether the datagram starts with a long header. */
export function isLongHeader(datagram: Uint8Array): boolean {
  return ((datagram[0] ?? 0) & 0x80) !== 0;
}

/**
 * The first 30 bits of a connection id: the key of the routing table. Our ids are random, and the table refuses one whose key is taken,
 * so a key belongs to one connection; a packet that only shares the key fails its decryption there.
 */
export function connectionKey(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]];
  return ((a << 22) | (b << 14) | (c << 6) | (d >>> 2)) & 0x3fffffff;
}

/** The routing key of a datagram that is meant for one of our connection ids; -1 for any other. */
export function destinationKey(datagram: Uint8Array): number {
  if (!isLongHeader(datagram)) return datagram.length > connectionIdBytes ? connectionKey(datagram, 1) : -1;
  return datagram[5] === connectionIdBytes && datagram.length > 6 + connectionIdBytes ? connectionKey(datagram, 6) : -1;
}

/** Reads a long header; null if the datagram is too short for what it declares, or the ids are longer than any version 1 knows. */
export function parseLongHeader(datagram: Uint8Array): LongHeader | null {
  const reader = new Reader(datagram);
  const first = reader.byte();
  const version = reader.unsigned(4);
  const destinationId = reader.view(reader.byte());
  const sourceId = reader.view(reader.byte());
  if (reader.failed || destinationId.length > connectionIdBytesMax || sourceId.length > connectionIdBytesMax) return null;
  const type = longTypes[(first >>> 4) & 3] ?? "initial";
  if (version !== quicVersion || type !== "initial") return { version, type, destinationId, sourceId, token: nothing };
  const token = reader.view(reader.varint());
  return reader.failed ? null : { version, type, destinationId, sourceId, token };
}

/** A Version Negotiation packet that offers version 1 only (RFC 9000 section 17.2.1). `unused` fills bits that mean nothing. */
export function versionNegotiation(header: LongHeader, unused: number): Uint8Array {
  const { destinationId, sourceId } = header;
  const out = new Uint8Array(7 + destinationId.length + sourceId.length + 4);
  out[0] = 0x80 | (unused & 0x7f);
  let at = 5;
  out[at++] = sourceId.length;
  out.set(sourceId, at);
  at += sourceId.length;
  out[at++] = destinationId.length;
  out.set(destinationId, at);
  out[out.length - 1] = quicVersion;
  return out;
}
