import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const blockBytes = 512;
/** A tarball that unpacks to more than this is not one of ours. */
const unpackedLimitBytes = 64 * 1024 * 1024;

/** The files of an npm tarball by their path below `package/`. Knows plain files with ustar names, which is what pnpm writes. */
export function readTarball(compressed: Uint8Array): Map<string, Uint8Array> {
  const tar = gunzipSync(compressed, { maxOutputLength: unpackedLimitBytes });
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + blockBytes <= tar.length && tar[at] !== 0; ) {
    const field = (start: number, length: number) => tar.toString("utf8", at + start, at + start + length).replace(/\0[\s\S]*$/, "");
    const size = Number.parseInt(field(124, 12), 8);
    const prefix = field(345, 155);
    const name = prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
    if (!Number.isSafeInteger(size) || at + blockBytes + size > tar.length) throw new Error(`the tarball is cut off in ${name}`);
    if (!["0", ""].includes(field(156, 1)))
      throw new Error(`the tarball has an entry of type ${field(156, 1)}, ${name}: only files are expected`);
    files.set(name.replace(/^package\//, ""), tar.subarray(at + blockBytes, at + blockBytes + size));
    at += blockBytes + Math.ceil(size / blockBytes) * blockBytes;
  }
  return files;
}

/** Writes the files of a tarball below a folder. */
export function unpack(files: ReadonlyMap<string, Uint8Array>, directory: string): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}
