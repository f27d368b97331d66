/*
 * A frame, numbers little-endian:
 *
 *   0  u32  bytes that follow this field, 8 at least
 *   4  u8   format version in the high four bits, frame type in the low four
 *   5  u8   flags
 *   6  u16  REQUEST, ONE_WAY: length of the method name. ERROR: gRPC status number. CANCEL: why. RESPONSE: 0
 *   8  u32  call id, chosen by the caller, unique among its calls in flight on this stream; 0 in ONE_WAY
 *  12       REQUEST:  u32 milliseconds that are left, method name, metadata block if flagged, payload
 *           ONE_WAY:  method name, metadata block if flagged, payload
 *           RESPONSE: payload
 *           ERROR:    u16 message length, message (UTF-8), details (a CBOR map, or nothing)
 *           CANCEL:   nothing
 *
 * A metadata block is a u16 with the bytes that follow, then entries: u8 key length, key, u16 value length, value (UTF-8).
 *
 * Types 6 to 15 are kept for streaming calls and for going away; a receiver skips and counts those it does not know. A request
 * with a flag that the receiver does not know is answered UNIMPLEMENTED. So later versions can add to version 1 without breaking it.
 */

/** The name that streams of this package carry. The number is the version of the framing as a whole. */
export const rpcProtocol = "octopii/rpc/1";

/**
 * The codes with which this package resets a stream, on the wire since version 1.
 */
export const rpcStreamCodes: Readonly<{
  /** Nothing is wrong: the side that resets has closed. */
  closed: 0;
  /** A frame broke the format. */
  malformedFrame: 1;
  /** A frame was longer than the receiver takes. */
  frameTooLarge: 2;
  /** A frame carried a format version that the receiver does not know. */
  unsupportedVersion: 3;
  /** The connection already has as many streams of this protocol as the receiver takes. */
  tooManyStreams: 4;
}> = Object.freeze({ closed: 0, malformedFrame: 1, frameTooLarge: 2, unsupportedVersion: 3, tooManyStreams: 4 });

export const formatVersion = 1;

export const frameTypes: Readonly<{ request: 1; oneWay: 2; response: 3; error: 4; cancel: 5 }> = Object.freeze({
  request: 1,
  oneWay: 2,
  response: 3,
  error: 4,
  cancel: 5,
});

export const frameFlags: Readonly<{ metadata: 1; notExecuted: 2 }> = Object.freeze({
  /** REQUEST, ONE_WAY: a metadata block follows the method name. */
  metadata: 1,
  /** ERROR: the handler did not run, or said that it did nothing. */
  notExecuted: 2,
});

export const cancelReasons: Readonly<{ caller: 0; deadline: 1; closed: 2 }> = Object.freeze({ caller: 0, deadline: 1, closed: 2 });

/** The length field. */
export const lengthBytes = 4;
/** What every frame has after its length field. */
export const headerBytes = 8;
/** The time budget of a REQUEST. */
export const budgetBytes = 4;

export const noBytes: Uint8Array = new Uint8Array(0);

export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8);
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (readUint16(bytes, offset) | (readUint16(bytes, offset + 2) << 16)) >>> 0;
}
