import { createHash } from "node:crypto";
import type { File, FileSystem, Logger } from "@octopii/interfaces";
import type { GroupId, SnapshotMetadata, SnapshotStorage, SnapshotWriter } from "@octopii/raft";
import { createSimulation, type PowerLossOptions, type SimulatedDisk, type SimulatedProcess, type World } from "@octopii/testing";
import { FileSnapshotStorage } from "../../src/adapters/file-snapshot-storage.js";

export const directory = "/data/snapshots";

export function metadataOf(index: number, term = 1): SnapshotMetadata {
  return { index, term, configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [4], learnersNext: [], autoLeave: false } };
}

/** Bytes that differ from place to place, and from those of another seed. */
export function content(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = seed * 2_654_435_761; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** What bytes are told apart by, quickly; short ones are shown as they are. */
export function print(bytes: Uint8Array): string {
  return `${bytes.length}:${bytes.length < 20 ? bytes.join() : createHash("sha256").update(bytes).digest("hex")}`;
}

export async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes);
}

/** The {@link print} of all chunks together, with `before` before them. */
export async function printed(chunks: AsyncIterable<Uint8Array>, before: readonly Uint8Array[] = []): Promise<string> {
  const parts = [...before];
  for await (const chunk of chunks) parts.push(chunk);
  return print(Buffer.concat(parts));
}

/** Writes and commits a snapshot. */
export async function store(
  storage: SnapshotStorage,
  group: GroupId,
  metadata: SnapshotMetadata,
  bytes: Uint8Array,
  chunkBytes = 100_000,
): Promise<void> {
  const writer = await storage.create(group, metadata);
  for await (const chunk of inChunks(bytes, chunkBytes)) await writer.write(chunk);
  await writer.commit();
}

export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** A logger that keeps its warnings. */
export function noting(warnings: string[]): Logger {
  const nothing = (): void => undefined;
  const note = (_fields: object, message: string): number => warnings.push(message);
  return { trace: nothing, debug: nothing, info: nothing, warn: note, error: note } as Logger;
}

/** Snapshots on a simulated disk. */
export class SnapshotLab {
  readonly world: World;
  readonly warnings: string[] = [];
  process: SimulatedProcess;
  storage: FileSnapshotStorage;

  constructor(seed: number | string = 1) {
    this.world = createSimulation({ seed });
    this.process = this.world.process("n");
    this.storage = this.#open();
  }

  get disk(): SimulatedDisk {
    return this.process.disk;
  }

  /** The names in the directory, as processes see them. */
  get names(): Promise<string[]> {
    return this.wait(this.process.fileSystem.readDirectory(directory));
  }

  wait<Value>(work: Promise<Value>): Promise<Value> {
    return this.world.runUntilSettled(work);
  }

  store(group: GroupId, metadata: SnapshotMetadata, bytes: Uint8Array): Promise<void> {
    return this.wait(store(this.storage, group, metadata, bytes));
  }

  async list(group = 0): Promise<number[]> {
    return (await this.wait(this.storage.list(group))).map(({ index }) => index);
  }

  /** The {@link print} of a snapshot's data. */
  read(group: GroupId, index: number): Promise<string> {
    return this.wait(printed(this.storage.read(group, index)));
  }

  create(group: GroupId, metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    return this.wait(this.storage.create(group, metadata));
  }

  /** The power fails, or with `null` just the process is killed; and it starts anew. */
  restart(powerLoss: PowerLossOptions | null): void {
    if (powerLoss === null) this.process.kill();
    else this.process.crash(powerLoss);
    this.process = this.process.restart();
    this.storage = this.#open();
  }

  #open(): FileSnapshotStorage {
    return new FileSnapshotStorage(this.process.fileSystem, directory, noting(this.warnings));
  }
}

/** A file system that tells of each buffer. */
export function watched(fileSystem: FileSystem, saw: (operation: "read" | "write" | "sync", bytes: number) => void): FileSystem {
  const watch = (file: File): File => ({
    write: (buffers, position) => {
      for (const buffer of buffers) saw("write", buffer.length);
      return file.write(buffers, position);
    },
    read: (buffer, position) => {
      saw("read", buffer.length);
      return file.read(buffer, position);
    },
    sync: () => {
      saw("sync", 0);
      return file.sync();
    },
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    open: async (path, options) => watch(await fileSystem.open(path, options)),
    readDirectory: (path) => fileSystem.readDirectory(path),
    rename: (from, to) => fileSystem.rename(from, to),
    remove: (path) => fileSystem.remove(path),
    makeDirectory: (path) => fileSystem.makeDirectory(path),
    syncDirectory: (path) => fileSystem.syncDirectory(path),
    lock: (path) => fileSystem.lock(path),
  };
}
