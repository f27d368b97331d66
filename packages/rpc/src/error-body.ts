import { decodeCbor, defaultCborDepth, encodeCbor } from "./cbor-codec.js";
import { readUint16 } from "./frame-format.js";

/** The body of an ERROR frame. */
export interface ErrorBody {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** Longer messages are cut. */
const maxMessageBytes = 4_096;
/** Larger details are left out: an error is not the place for data. */
const maxDetailsBytes = 16_384;
const messageLengthBytes = 2;

/** What an ERROR frame needs at most, so that one always fits. */
export const maxErrorBodyBytes: number = messageLengthBytes + maxMessageBytes + maxDetailsBytes;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** @param onDetailsLost - hears why the details were left out, if they were. */
export function encodeErrorBody(body: ErrorBody, onDetailsLost: (reason: unknown) => void): Uint8Array {
  const details = encodeDetails(body.details, onDetailsLost);
  const text = new Uint8Array(Math.min(maxMessageBytes, 3 * body.message.length));
  // Stops before a character that does not fit, so what is cut is still UTF-8.
  const { written } = encoder.encodeInto(body.message, text);
  const bytes = new Uint8Array(messageLengthBytes + written + details.length);
  new DataView(bytes.buffer).setUint16(0, written, true);
  bytes.set(text.subarray(0, written), messageLengthBytes);
  bytes.set(details, messageLengthBytes + written);
  return bytes;
}

/** @returns null if the body is cut short. Details that cannot be read are left out: the status matters more. */
export function decodeErrorBody(bytes: Uint8Array, start: number, end: number): ErrorBody | null {
  if (end - start < messageLengthBytes) return null;
  const messageStart = start + messageLengthBytes;
  const messageEnd = messageStart + readUint16(bytes, start);
  if (messageEnd > end) return null;
  return { message: decoder.decode(bytes.subarray(messageStart, messageEnd)), details: decodeDetails(bytes.subarray(messageEnd, end)) };
}

function encodeDetails(details: ErrorBody["details"], onDetailsLost: (reason: unknown) => void): Uint8Array {
  if (details === undefined) return new Uint8Array(0);
  try {
    const encoded = encodeCbor(details);
    if (encoded.length <= maxDetailsBytes) return encoded;
    onDetailsLost(`The details take ${encoded.length} bytes; at most ${maxDetailsBytes} are sent.`);
  } catch (error) {
    onDetailsLost(error);
  }
  return new Uint8Array(0);
}

function decodeDetails(bytes: Uint8Array): ErrorBody["details"] {
  if (bytes.length === 0 || bytes.length > maxDetailsBytes) return undefined;
  try {
    const details = decodeCbor(bytes, defaultCborDepth);
    const isRecord = typeof details === "object" && details !== null && Object.getPrototypeOf(details) === Object.prototype;
    return isRecord ? (details as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
