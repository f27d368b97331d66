import { UnreadableRecordError, WalrusLogStorage } from "@octopii/core";
import type { Entry, Index } from "@octopii/raft";
import type { SimulatedProcess, World } from "@octopii/testing";
import { isWalrusError, openWalrus } from "@octopii/walrus";
import { logDirectory, type SimulatedMember } from "../cluster/simulated-member.js";

/** The only group there is. */
const group = 0;
const readBytesMax = 1024 * 1024;

/** A log as its files tell it. */
export interface StoredLog {
  readonly compactedIndex: Index;
  readonly lastIndex: Index;
  readonly entries: readonly Entry[];
}

/**
 * Reads what the files of a member hold, on a machine of its own that has the disk mounted. The member's process must be dead.
 * @returns null if the log says itself that it is damaged. @throws whatever else is wrong with it.
 */
export async function readStoredLog(world: World, member: SimulatedMember): Promise<StoredLog | null> {
  const process = readerOf(world, member);
  try {
    return await readLog(process, member);
  } catch (error) {
    if (isWalrusError(error, "OCTOPII_WALRUS_CORRUPT") || isWalrusError(error, "OCTOPII_WALRUS_UNSUPPORTED_VERSION")) return null;
    if (error instanceof UnreadableRecordError) return null;
    throw error;
  } finally {
    process.kill();
  }
}

/** A fresh process on a machine beside the member's. */
export function readerOf(world: World, member: SimulatedMember): SimulatedProcess {
  const process = world.process(`${member.host}-reader`);
  return process.state === "dead" ? process.restart() : process;
}

async function readLog(process: SimulatedProcess, member: SimulatedMember): Promise<StoredLog> {
  const fileSystem = process.mount(member.process.disk);
  const { scheduler, random } = process;
  const walrus = await openWalrus({ directory: logDirectory }, { fileSystem, scheduler, random });
  const storage = new WalrusLogStorage(walrus);
  const { compactedIndex, lastIndex } = await storage.load(group);
  const entries: Entry[] = [];
  for (let from = compactedIndex + 1; from <= lastIndex; ) {
    const read = await storage.read(group, from, lastIndex, readBytesMax);
    if (read.length === 0) throw new Error(`the log says that it ends at ${lastIndex}, and gives nothing from ${from} on`);
    entries.push(...read);
    from += read.length;
  }
  await walrus.close();
  return { compactedIndex, lastIndex, entries };
}
