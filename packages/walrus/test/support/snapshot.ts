import { readdir, readFile } from "node:fs/promises";
import type { SimulatedProcess, World } from "@octopii/testing";

/** All names in a tree of real files, with their bytes in hexadecimal. */
export async function snapshotOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const pairs = entries.map(async (entry) => {
    const path = `${entry.parentPath}/${entry.name}`;
    return [path, entry.isFile() ? (await readFile(path)).toString("hex") : "a directory"] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** The same of one directory on a simulated disk. */
export async function simulatedSnapshotOf(world: World, process: SimulatedProcess, directory: string): Promise<Record<string, string>> {
  const names = await world.runUntilSettled(process.fileSystem.readDirectory(directory));
  const bytesOf = (name: string): string => Buffer.from(process.disk.readCached(`${directory}/${name}`) ?? []).toString("hex");
  return Object.fromEntries(names.map((name) => [name, bytesOf(name)]));
}
