import type { File } from "@octopii/interfaces";
import type { SnapshotMetadata } from "@octopii/raft";
import { damaged } from "./snapshot-error.js";
import {
  checksumBytes,
  checksumOf,
  chunkBytesMax,
  chunkLengthBytes,
  chunkOverheadBytes,
  decodeFooter,
  decodeHeader,
  footerBytes,
  headerBytesMax,
  isSame,
  type SnapshotHeader,
} from "./snapshot-format.js";
import { formatSnapshotName, type SnapshotName } from "./snapshot-name.js";

/**
 * Checks a snapshot's header and footer, and that its length is theirs; not the data between them.
 * @throws {SnapshotError} `DAMAGED`, `VERSION_UNKNOWN`.
 */
export async function checkSnapshot(file: File, path: string, name: SnapshotName): Promise<SnapshotMetadata> {
  const { metadata, byteLength } = await readHeader(file, path, name);
  const size = await file.size();
  const footerAt = size - footerBytes;
  if (footerAt < byteLength) throw damaged(path, size, "it ends too early");
  // The checksum before the footer is the last chunk's, or the header's.
  const end = new Uint8Array(checksumBytes + footerBytes);
  const filled = await file.read(end, footerAt - checksumBytes);
  const extent = filled === end.length ? decodeFooter(end.subarray(checksumBytes), end.subarray(0, checksumBytes)) : null;
  if (extent === null) throw damaged(path, footerAt, "it does not end with a snapshot's footer");
  const expected = byteLength + extent.bytes + extent.chunks * chunkOverheadBytes + footerBytes;
  if (size !== expected) throw damaged(path, size, `it should have ${expected} bytes`);
  return metadata;
}

/**
 * The data of a snapshot, chunk by chunk, each in memory of its own.
 * @throws {SnapshotError} `DAMAGED`, `VERSION_UNKNOWN`; before anything that was changed has been given out.
 */
export async function* readSnapshotChunks(file: File, path: string, name: SnapshotName): AsyncGenerator<Uint8Array, void, void> {
  const header = await readHeader(file, path, name);
  let position = header.byteLength;
  let checksum = header.checksum;
  let chunks = 0;
  let bytes = 0;
  for (;;) {
    const block = new Uint8Array(chunkBytesMax + chunkOverheadBytes);
    const found = block.subarray(0, await file.read(block, position));
    if (found.length < chunkLengthBytes) throw damaged(path, position + found.length, "it ends too early");
    const length = new DataView(block.buffer).getUint32(0, true);
    if (length === 0) {
      const extent = decodeFooter(found, checksum);
      if (extent?.chunks === chunks && extent.bytes === bytes) return;
      throw damaged(path, position, "its footer does not fit what is before it");
    }
    const end = chunkLengthBytes + length;
    if (length > chunkBytesMax) throw damaged(path, position, `a chunk claims to have ${length} bytes`);
    if (found.length < end + checksumBytes) throw damaged(path, position + found.length, "it ends too early");
    const expected = checksumOf(checksum, found.subarray(0, end));
    if (!isSame(found.subarray(end, end + checksumBytes), expected)) throw damaged(path, position, "the checksum of a chunk does not fit");
    checksum = expected;
    chunks += 1;
    bytes += length;
    position += end + checksumBytes;
    yield found.subarray(chunkLengthBytes, end);
  }
}

async function readHeader(file: File, path: string, name: SnapshotName): Promise<SnapshotHeader> {
  const bytes = new Uint8Array(headerBytesMax);
  const header = decodeHeader(bytes.subarray(0, await file.read(bytes, 0)), path);
  const { index, term } = header.metadata;
  if (header.group === name.group && index === name.index && term === name.term) return header;
  const own = formatSnapshotName({ ...name, group: header.group, index, term });
  throw damaged(path, 0, `by its content it should be called ${own}`);
}
