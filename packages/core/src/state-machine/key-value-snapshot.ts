import { ChunkReader } from "./chunk-reader.js";

const snapshotVersion = 1;
const lengthsBytes = 8;
/** More than any command can carry: a longer one is damage, and nothing is allocated for it. */
const fieldBytesMax = 2 ** 30;
/** How much is gathered into one chunk of a snapshot. */
const snapshotChunkBytes = 256 * 1024;

/** A store as bytes: `version u8`, then for each pair `key length u32, value length u32, key, value`; little-endian. */
export function* snapshotChunks(pairs: readonly (readonly [string, Uint8Array])[]): Generator<Uint8Array, void, void> {
  let parts: Uint8Array[] = [new Uint8Array([snapshotVersion])];
  let bytes = 1;
  for (const [key, value] of pairs) {
    const keyBytes = new TextEncoder().encode(key);
    const lengths = new Uint8Array(lengthsBytes);
    const view = new DataView(lengths.buffer);
    view.setUint32(0, keyBytes.length, true);
    view.setUint32(4, value.length, true);
    parts.push(lengths, keyBytes, value);
    bytes += lengthsBytes + keyBytes.length + value.length;
    if (bytes < snapshotChunkBytes) continue;
    yield joined(parts, bytes);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield joined(parts, bytes);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The pairs that {@link snapshotChunks} wrote. */
export async function* readSnapshot(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<[string, Uint8Array], void, void> {
  const reader = new ChunkReader(chunks);
  const version = (await reader.expect(1))[0];
  if (version !== snapshotVersion)
    throw new Error(`The store's snapshot has format ${String(version)}; this release reads format ${snapshotVersion}.`);
  for (let lengths = await reader.read(lengthsBytes); lengths !== null; lengths = await reader.read(lengthsBytes)) {
    const view = new DataView(lengths.buffer);
    const key = await readField(reader, view.getUint32(0, true));
    yield [new TextDecoder().decode(key), await readField(reader, view.getUint32(4, true))];
  }
}

function readField(reader: ChunkReader, length: number): Promise<Uint8Array> {
  if (length > fieldBytesMax) throw new Error(`The store's snapshot announces ${length} bytes in one piece; it is damaged.`);
  return reader.expect(length);
}
