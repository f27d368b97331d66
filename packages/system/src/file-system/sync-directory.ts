import { close, fsync, open } from "node:fs";
import { errnoCode, settleValue, settleVoid } from "./settle.js";

/** Windows cannot open or flush a directory; its file system journals names by itself. Nowhere else is such a failure harmless. */
function ignorable(error: unknown): boolean {
  const code = errnoCode(error);
  return process.platform === "win32" && (code === "EPERM" || code === "EISDIR");
}

/** Puts the entries of the directory at `path` on stable storage. */
export async function syncDirectory(path: string): Promise<void> {
  let descriptor: number;
  try {
    descriptor = await settleValue<number>((done) => open(path, "r", done));
  } catch (error) {
    if (ignorable(error)) return;
    throw error;
  }
  try {
    await settleVoid((done) => fsync(descriptor, done));
  } catch (error) {
    if (!ignorable(error)) throw error;
  } finally {
    await settleVoid((done) => close(descriptor, done));
  }
}
