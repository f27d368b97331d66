import { connectionIdBytes, isLongHeader, parseLongHeader } from "../../src/wire/packet.js";

/** One packet of the fake engine: the headers of QUIC version 1, and inside them nothing of QUIC. */
export interface FakePacket {
  /** Null for one that only acknowledges. */
  readonly sequence: number | null;
  /** All before this one have come. */
  readonly acknowledged: number;
  readonly frame: FakeFrame;
}

export type FakeFrame =
  | { readonly type: "none" | "ping" }
  | { readonly type: "handshake"; readonly certificate: Uint8Array }
  | { readonly type: "stream"; readonly id: number; readonly fin: boolean; readonly bytes: Uint8Array }
  | { readonly type: "limit"; readonly id: number; readonly limit: number }
  | { readonly type: "close"; readonly application: boolean; readonly code: number; readonly reason: string };

const types = ["none", "ping", "handshake", "stream", "limit", "close"] as const;
const bodyBytes = 17;
const nothing = new Uint8Array(0);

/** The variable part of a frame: what stands behind its two numbers and its flag. */
function partsOf(frame: FakeFrame): readonly [first: number, second: number, flag: boolean, bytes: Uint8Array] {
  if (frame.type === "handshake") return [0, 0, false, frame.certificate];
  if (frame.type === "stream") return [frame.id, 0, frame.fin, frame.bytes];
  if (frame.type === "limit") return [frame.id, frame.limit, false, nothing];
  if (frame.type !== "close") return [0, 0, false, nothing];
  return [Math.floor(frame.code / 2 ** 32), frame.code % 2 ** 32, frame.application, new TextEncoder().encode(frame.reason)];
}

function frameOf(type: (typeof types)[number], first: number, second: number, flag: boolean, bytes: Uint8Array): FakeFrame {
  if (type === "handshake") return { type, certificate: bytes };
  if (type === "stream") return { type, id: first, fin: flag, bytes };
  if (type === "limit") return { type, id: first, limit: second };
  if (type === "close") return { type, application: flag, code: first * 2 ** 32 + second, reason: new TextDecoder().decode(bytes) };
  return { type };
}

/** Writes the part of a packet behind its header; gives its end. */
export function writeBody(out: Uint8Array, at: number, { sequence, acknowledged, frame }: FakePacket): number {
  const [first, second, flag, bytes] = partsOf(frame);
  const view = new DataView(out.buffer, out.byteOffset + at);
  view.setUint8(0, types.indexOf(frame.type) | (flag ? 0x80 : 0));
  view.setUint32(1, sequence ?? 0xff_ff_ff_ff);
  view.setUint32(5, acknowledged);
  view.setUint32(9, first);
  view.setUint32(13, second);
  view.setUint16(bodyBytes, bytes.length);
  out.set(bytes, at + bodyBytes + 2);
  return at + bodyBytes + 2 + bytes.length;
}

/** Reads what {@link writeBody} wrote. */
export function readBody(datagram: Uint8Array): FakePacket {
  const at = bodyStart(datagram);
  const view = new DataView(datagram.buffer, datagram.byteOffset + at);
  const head = view.getUint8(0);
  const sequence = view.getUint32(1);
  const length = view.getUint16(bodyBytes);
  const bytes = datagram.slice(at + bodyBytes + 2, at + bodyBytes + 2 + length);
  const frame = frameOf(types[head & 0x7f] ?? "none", view.getUint32(9), view.getUint32(13), head >= 0x80, bytes);
  return { sequence: sequence === 0xff_ff_ff_ff ? null : sequence, acknowledged: view.getUint32(5), frame };
}

function bodyStart(datagram: Uint8Array): number {
  if (!isLongHeader(datagram)) return 1 + connectionIdBytes;
  const header = parseLongHeader(datagram);
  if (header === null) throw new Error("not a packet of the fake engine");
  return 7 + header.destinationId.length + header.sourceId.length + 2 + header.token.length;
}

/** Writes the header of an Initial packet; gives its end. */
export function writeInitial(out: Uint8Array, destination: Uint8Array, source: Uint8Array, token: Uint8Array): number {
  return writeLong(out, 0xc0, destination, source, Uint8Array.of(0x40 | (token.length >> 8), token.length & 0xff, ...token));
}

export function writeRetry(out: Uint8Array, destination: Uint8Array, source: Uint8Array, token: Uint8Array): number {
  return writeLong(out, 0xf0, destination, source, token);
}

function writeLong(out: Uint8Array, first: number, destination: Uint8Array, source: Uint8Array, rest: Uint8Array): number {
  const bytes = [first, 0, 0, 0, 1, destination.length, ...destination, source.length, ...source, ...rest];
  out.set(bytes);
  return bytes.length;
}

export function writeShort(out: Uint8Array, destination: Uint8Array): number {
  out[0] = 0x40;
  out.set(destination, 1);
  return 1 + destination.length;
}
