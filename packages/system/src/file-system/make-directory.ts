import { mkdir, stat } from "node:fs";
import { dirname } from "node:path";
import { errnoCode, settleValue, settleVoid } from "./settle.js";

/**
 * Makes a directory and its missing parents. Node's own recursive `mkdir` never returns where a file system answers that something is
 * missing although the parent is there, as `/proc` does.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    return await makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoCode(error) !== "ENOENT" || parent === path) throw error;
    await makeDirectory(parent);
  }
  await makeOne(path);
}

async function makeOne(path: string): Promise<void> {
  try {
    await settleVoid((done) => mkdir(path, done));
  } catch (error) {
    if (errnoCode(error) === "EEXIST" && (await isDirectory(path))) return;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await settleValue<{ isDirectory(): boolean }>((done) => stat(path, done))).isDirectory();
}
