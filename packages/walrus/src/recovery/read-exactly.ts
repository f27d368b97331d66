import type { File } from "@octopii/interfaces";
import { ioFailed } from "../errors.js";

/** Fills `bytes` or fails. */
export async function readExactly(file: File, bytes: Uint8Array, position: number, path: string): Promise<void> {
  const got = await file.read(bytes, position);
  if (got !== bytes.length) throw ioFailed("read", path, new Error(`only ${got} of ${bytes.length} bytes are there at ${position}`));
}
