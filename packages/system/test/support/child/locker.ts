/** A process that takes, confirms and releases the lock of a directory as it is told on standard input. Arguments: the directory. */
import { createInterface } from "node:readline";
import type { FileLock } from "@octopii/interfaces";
import { nodeFileSystem } from "../../../src/index.js";

const directory = process.argv[2] ?? "";
let held: FileLock | null = null;

async function answer(line: string): Promise<string> {
  if (line === "release") {
    await held?.release();
    held = null;
    return "released";
  }
  if (line === "confirm") {
    await held?.confirm();
    return "confirmed";
  }
  try {
    held = await nodeFileSystem.lock(directory);
    return "locked";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${await answer(line)}\n`);
