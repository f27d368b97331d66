/** The version of the preamble, and of the mark at the end. */
const preambleVersion = 1;
/** The longest protocol name. */
const protocolNameBytesMax = 64;
/** The longest preamble. */
export const preambleBytesMax: number = 2 + protocolNameBytesMax;

const printableAscii = /^[\x20-\x7e]{1,64}$/;

/**
 * The last byte of each direction of a stream, sent together with QUIC's FIN and never shown to applications: `endMark` for an ordinary
 * end, `cutMark` where the sender gave up; the code of that comes on the control stream.
 *
 * With it no FIN travels alone, and QUIC's RESET_STREAM and STOP_SENDING are not needed. The engine forgets a stream once all its bytes
 * are acknowledged, and with it a lone FIN or a reset that is still on its way, or was lost. A byte is never forgotten.
 */
export const endMark = 0;
/** See {@link endMark}. */
export const cutMark = 1;

/** Whether `protocol` can name a stream's protocol. */
function isProtocolName(protocol: string): boolean {
  return printableAscii.test(protocol);
}

/**
 * The first bytes of a stream, from its opener: version, length of the name, the name in ASCII.
 * @throws RangeError if the name is not 1 to 64 printable ASCII characters.
 */
export function encodePreamble(protocol: string): Uint8Array {
  if (!isProtocolName(protocol)) {
    throw new RangeError(
      `A protocol name must be 1 to ${protocolNameBytesMax} printable ASCII characters, not '${protocol.slice(0, 100)}'.`,
    );
  }
  const out = new Uint8Array(2 + protocol.length);
  out[0] = preambleVersion;
  out[1] = protocol.length;
  for (let i = 0; i < protocol.length; i += 1) out[2 + i] = protocol.charCodeAt(i);
  return out;
}

/** A preamble that was read, how much is still missing, or what is wrong with it, as the end of a sentence. */
export type PreambleResult =
  | { readonly kind: "complete"; readonly protocol: string; readonly length: number }
  | { readonly kind: "partial" }
  | { readonly kind: "invalid"; readonly problem: string };

const partial: PreambleResult = { kind: "partial" };
/** Names repeat: one string for each, rather than one for each stream. Bounded, because the peer chooses them. */
const knownNames = new Map<string, string>();
const knownNamesMax = 64;

/** Reads a preamble from the start of `bytes`. */
export function decodePreamble(bytes: Uint8Array): PreambleResult {
  const [version, length] = bytes;
  if (version === undefined) return partial;
  if (version !== preambleVersion) {
    return { kind: "invalid", problem: `a stream starts with preamble version ${version}, and this side knows only ${preambleVersion}` };
  }
  if (length === undefined) return partial;
  if (length === 0 || length > protocolNameBytesMax) {
    return {
      kind: "invalid",
      problem: `a stream declares a protocol name of ${length} bytes, and 1 to ${protocolNameBytesMax} are allowed`,
    };
  }
  if (bytes.length < 2 + length) return partial;
  const name = String.fromCharCode(...bytes.subarray(2, 2 + length));
  const known = knownNames.get(name);
  if (known !== undefined) return { kind: "complete", protocol: known, length: 2 + length };
  if (!isProtocolName(name)) return { kind: "invalid", problem: "a stream's protocol name is not printable ASCII" };
  if (knownNames.size < knownNamesMax) knownNames.set(name, name);
  return { kind: "complete", protocol: name, length: 2 + length };
}
