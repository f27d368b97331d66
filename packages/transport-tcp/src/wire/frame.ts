/**
 * The frames of `octopii-tcp/1`, which travel back to back on the TLS stream. Each starts with a header of ten bytes: its type (1), the
 * length of what follows the header (3), and the stream that it is about (6; 0 where it is about none). Numbers are big-endian.
 *
 * Stream ids are RFC 9000's: the lowest bit says who opened (0 the dialer), the next whether it is unidirectional, the rest counts.
 */
export const frameHeaderBytes = 10;

export const frameTypes = {
  /** The first frame of each side: it has accepted the other's identity, and says how it wants to be treated. */
  hello: 1,
  /** A stream of the sender begins; holds its protocol's name. The ids of each kind come in order, none left out. */
  open: 2,
  data: 3,
  /** The sender's direction ends here. */
  end: 4,
  /** The sender gave its direction up; holds a code. Also the answer to a stop. */
  reset: 5,
  /** The sender gave up reading; holds a code. */
  stop: 6,
  /** How many bytes of a stream the receiver of this frame may send in total. */
  streamLimit: 7,
  /** The same for all streams of the connection together. */
  connectionLimit: 8,
  /** How many streams of each kind the receiver of this frame may open in total. */
  streamCount: 9,
  /** To be answered with a pong of the same eight bytes. */
  ping: 10,
  pong: 11,
  /** The last frame of a side; holds a code and a reason. */
  close: 12,
} as const;

/** The version in the hello: of everything here that the application protocol's name does not already settle. */
export const helloVersion = 1;
/** The longest payload of any frame but a data frame: a declared length beyond it is refused before anything is kept. */
export const controlPayloadBytesMax = 1_024;
/** The longest name of a protocol. */
const protocolNameBytesMax = 64;
/** The longest reason in a close frame. */
export const reasonBytesMax = 512;

const codeBytes = 6;
const tokenBytes = 8;
const helloBytes = 1 + 4 * 4;
const encoder = new TextEncoder();

/** What the first frame of a side says. */
export interface Hello {
  /** The longest data frame that the sender takes. */
  readonly maxFrameBytes: number;
  /** Bytes of one stream, and of all, that it takes ahead of its reading, before it raises the limits. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Streams of each kind that it takes, before it raises the count. */
  readonly streams: number;
}

/** Writes an unsigned number of 48 bits. */
function writeUnsigned48(out: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  out[at] = high >>> 8;
  out[at + 1] = high;
  out[at + 2] = value >>> 24;
  out[at + 3] = value >>> 16;
  out[at + 4] = value >>> 8;
  out[at + 5] = value;
}

/** Reads an unsigned number of 48 bits; the caller has checked the length. */
export function readUnsigned48(bytes: Uint8Array, at: number): number {
  return ((byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)) * 2 ** 32 + readUnsigned32(bytes, at + 2);
}

/** Reads an unsigned number of 32 bits; the caller has checked the length. */
export function readUnsigned32(bytes: Uint8Array, at: number): number {
  return ((byteAt(bytes, at) << 24) | (byteAt(bytes, at + 1) << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3)) >>> 0;
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** Writes a header at `at`. */
export function writeHeader(out: Uint8Array, at: number, type: number, length: number, id: number): void {
  out[at] = type;
  out[at + 1] = length >>> 16;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
  writeUnsigned48(out, at + 4, id);
}

function frame(type: number, id: number, payloadBytes: number): Uint8Array {
  const out = new Uint8Array(frameHeaderBytes + payloadBytes);
  writeHeader(out, 0, type, payloadBytes, id);
  return out;
}

/** A frame that holds one or two numbers. */
function numbers(type: number, id: number, ...values: readonly number[]): Uint8Array {
  const out = frame(type, id, values.length * codeBytes);
  for (const [i, value] of values.entries()) writeUnsigned48(out, frameHeaderBytes + i * codeBytes, value);
  return out;
}

export function encodeHello(hello: Hello): Uint8Array {
  const out = frame(frameTypes.hello, 0, helloBytes);
  out[frameHeaderBytes] = helloVersion;
  const view = new DataView(out.buffer);
  const values = [hello.maxFrameBytes, hello.streamWindowBytes, hello.connectionWindowBytes, hello.streams];
  for (const [i, value] of values.entries()) view.setUint32(frameHeaderBytes + 1 + i * 4, value);
  return out;
}

/** @param protocol - checked by {@link checkProtocolName}. */
export function encodeOpen(id: number, protocol: string): Uint8Array {
  const out = frame(frameTypes.open, id, protocol.length);
  for (let i = 0; i < protocol.length; i += 1) out[frameHeaderBytes + i] = protocol.charCodeAt(i);
  return out;
}

export const encodeReset = (id: number, code: number): Uint8Array => numbers(frameTypes.reset, id, code);
export const encodeStop = (id: number, code: number): Uint8Array => numbers(frameTypes.stop, id, code);
export const encodeStreamLimit = (id: number, limit: number): Uint8Array => numbers(frameTypes.streamLimit, id, limit);
export const encodeConnectionLimit = (limit: number): Uint8Array => numbers(frameTypes.connectionLimit, 0, limit);
export const encodeStreamCount = (bidirectional: number, unidirectional: number): Uint8Array =>
  numbers(frameTypes.streamCount, 0, bidirectional, unidirectional);

function encodeProbe(type: number, token: Uint8Array): Uint8Array {
  const out = frame(type, 0, tokenBytes);
  out.set(token.subarray(0, tokenBytes), frameHeaderBytes);
  return out;
}

/** @param token - eight bytes. */
export const encodePing = (token: Uint8Array): Uint8Array => encodeProbe(frameTypes.ping, token);
/** @param token - the ping's. */
export const encodePong = (token: Uint8Array): Uint8Array => encodeProbe(frameTypes.pong, token);

/** @param reason - of at most {@link reasonBytesMax} bytes in UTF-8. */
export function encodeClose(code: number, reason: string): Uint8Array {
  const words = encoder.encode(reason).subarray(0, reasonBytesMax);
  const out = frame(frameTypes.close, 0, codeBytes + words.length);
  writeUnsigned48(out, frameHeaderBytes, code);
  out.set(words, frameHeaderBytes + codeBytes);
  return out;
}

const printableAscii = /^[\x20-\x7e]{1,64}$/;

/** Whether a name that a peer sent can be one. */
export const isProtocolName = (name: string): boolean => printableAscii.test(name);

/** @throws RangeError if the name is not 1 to 64 printable ASCII characters. */
export function checkProtocolName(protocol: string): void {
  if (isProtocolName(protocol)) return;
  const shown = String(protocol).slice(0, 100);
  throw new RangeError(`A protocol name must be 1 to ${protocolNameBytesMax} printable ASCII characters, not '${shown}'.`);
}
