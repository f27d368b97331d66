import { createHash } from "node:crypto";
import { configurationMembersMax, decodeConfiguration, encodeConfiguration, type GroupId, type SnapshotMetadata } from "@octopii/raft";
import { damaged, unknownVersion } from "./snapshot-error.js";

/**
 * A snapshot as a file, format 1, numbers little-endian: a header, chunks, a footer.
 *
 * | header | what |
 * | --- | --- |
 * | 8 bytes | `OCTOSNAP` |
 * | u32 | format version: 1 |
 * | u32 | length of the configuration |
 * | u64 × 3 | group, index, term |
 * | … | the configuration, by Raft's `encodeConfiguration` |
 * | 32 bytes | SHA-256 of all that is above |
 *
 * | chunk | what |
 * | --- | --- |
 * | u32 | length of the data: 1 to 262,144 |
 * | … | the data |
 * | 32 bytes | SHA-256 of the checksum before this chunk, and of the length and data |
 *
 * | footer | what |
 * | --- | --- |
 * | u32 | 0, where a chunk would have its length |
 * | u64 × 2 | how many chunks, and how many bytes of data |
 * | 32 bytes | SHA-256 of the checksum before the footer, and of the 20 bytes above |
 *
 * Each checksum takes the one before it in, from the header's on, so a chunk fits in one place of one file only, the footer's speaks for the
 * whole, and all of it is hashed just once. A file without its whole footer is not complete.
 *
 * SHA-256, because the file may hold the only copy of what the log has forgotten, which is too much to stake on the 32 bits of a CRC; because
 * every supported Node.js has it built in; and because at nearly 2 GB/s it is faster than the disks that it checks. xxHash, the log's own,
 * would be a dependency more.
 */
const snapshotFormatVersion = 1;

/** The data of a full chunk. Bounds the memory of whoever writes or reads. */
export const chunkBytesMax: number = 256 * 1024;
export const checksumBytes = 32;
export const chunkLengthBytes = 4;
/** What a chunk takes besides its data. */
export const chunkOverheadBytes: number = chunkLengthBytes + checksumBytes;
export const footerBytes: number = chunkLengthBytes + 16 + checksumBytes;

const magic = new TextEncoder().encode("OCTOSNAP");
const versionOffset = 8;
const configurationLengthOffset = 12;
const idsOffset = 16;
const configurationOffset = 40;
/** Four lists of ids at most, and what surrounds them. */
const configurationBytesMax = 64 + 4 * 8 * configurationMembersMax;
export const headerBytesMax: number = configurationOffset + configurationBytesMax + checksumBytes;

/** What a header says. */
export interface SnapshotHeader {
  readonly group: GroupId;
  readonly metadata: SnapshotMetadata;
  readonly byteLength: number;
  readonly checksum: Uint8Array;
}

/** How much a footer says is before it. */
export interface SnapshotExtent {
  readonly chunks: number;
  readonly bytes: number;
}

/** The SHA-256 of `parts`, one after the other. */
export function checksumOf(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** The header, its checksum included. @throws RangeError if the configuration is unsound. */
export function encodeHeader(group: GroupId, { index, term, configuration }: SnapshotMetadata): Uint8Array {
  const encoded = encodeConfiguration(configuration);
  const end = configurationOffset + encoded.length;
  const header = new Uint8Array(end + checksumBytes);
  const view = new DataView(header.buffer);
  header.set(magic);
  view.setUint32(versionOffset, snapshotFormatVersion, true);
  view.setUint32(configurationLengthOffset, encoded.length, true);
  [group, index, term].forEach((id, at) => {
    view.setBigUint64(idsOffset + 8 * at, BigInt(id), true);
  });
  header.set(encoded, configurationOffset);
  header.set(checksumOf(header.subarray(0, end)), end);
  return header;
}

/**
 * Reads a header back from the first bytes of a file, at least {@link headerBytesMax} of them if there are as many.
 * @throws {SnapshotError} `DAMAGED`, `VERSION_UNKNOWN`.
 */
export function decodeHeader(bytes: Uint8Array, path: string): SnapshotHeader {
  if (bytes.length < configurationOffset) throw damaged(path, bytes.length, "it ends within its header");
  if (!isSame(bytes.subarray(0, magic.length), magic)) throw damaged(path, 0, "it does not begin as a snapshot does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(versionOffset, true);
  if (version !== snapshotFormatVersion) throw unknownVersion(path, version, snapshotFormatVersion);
  const configurationLength = view.getUint32(configurationLengthOffset, true);
  const end = configurationOffset + configurationLength;
  if (configurationLength > configurationBytesMax) throw damaged(path, configurationLengthOffset, "its header is impossibly long");
  if (bytes.length < end + checksumBytes) throw damaged(path, bytes.length, "it ends within its header");
  const checksum = bytes.slice(end, end + checksumBytes);
  if (!isSame(checksum, checksumOf(bytes.subarray(0, end)))) throw damaged(path, 0, "its header's checksum does not fit");
  const [group, index, term] = [0, 8, 16].map((at) => Number(view.getBigUint64(idsOffset + at, true))) as [number, number, number];
  const configuration = decodeConfiguration(bytes.subarray(configurationOffset, end));
  if (!configuration.accepted) throw damaged(path, configurationOffset, configuration.refusal.message);
  return { group, metadata: { index, term, configuration: configuration.value }, byteLength: end + checksumBytes, checksum };
}

/** @param checksum - the one before the footer. */
export function encodeFooter({ chunks, bytes }: SnapshotExtent, checksum: Uint8Array): Uint8Array {
  const footer = new Uint8Array(footerBytes);
  const view = new DataView(footer.buffer);
  view.setBigUint64(chunkLengthBytes, BigInt(chunks), true);
  view.setBigUint64(chunkLengthBytes + 8, BigInt(bytes), true);
  const end = footerBytes - checksumBytes;
  footer.set(checksumOf(checksum, footer.subarray(0, end)), end);
  return footer;
}

/** What a footer says; null if it is none, or does not fit the checksum before it. */
export function decodeFooter(footer: Uint8Array, checksum: Uint8Array): SnapshotExtent | null {
  if (footer.length !== footerBytes) return null;
  const end = footerBytes - checksumBytes;
  if (!isSame(footer.subarray(end), checksumOf(checksum, footer.subarray(0, end)))) return null;
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength);
  if (view.getUint32(0, true) !== 0) return null;
  const chunks = Number(view.getBigUint64(chunkLengthBytes, true));
  const bytes = Number(view.getBigUint64(chunkLengthBytes + 8, true));
  return { chunks, bytes };
}
