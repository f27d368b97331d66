import type { File, FileSystem, OpenOptions } from "@octopii/interfaces";
import {
  createSimulation,
  type DiskOptions,
  type PowerLossOptions,
  type SimulatedDisk,
  type SimulatedProcess,
  type World,
} from "../../src/index.js";

/** One machine with a disk, and waits that run its world. */
export class DiskLab {
  readonly world: World;
  process: SimulatedProcess;

  constructor(seed: number | string, disk: DiskOptions = {}) {
    this.world = createSimulation({ seed });
    this.process = this.world.process("n", { disk });
  }

  get disk(): SimulatedDisk {
    return this.process.disk;
  }

  get fs(): FileSystem {
    return this.process.fileSystem;
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.world.runUntilSettled(promise);
  }

  open(path: string, options: OpenOptions = { mode: "create" }): Promise<File> {
    return this.wait(this.fs.open(path, options));
  }

  write(file: File, text: string, position = 0): Promise<void> {
    return this.wait(file.write([new TextEncoder().encode(text)], position));
  }

  /** A file whose name and content are safe. */
  async durableFile(path: string, text: string): Promise<File> {
    const file = await this.open(path);
    await this.write(file, text);
    await this.wait(file.sync());
    await this.wait(this.fs.syncDirectory(path.slice(0, path.lastIndexOf("/")) || "/"));
    return file;
  }

  /** Crashes and starts anew. */
  crash(options?: PowerLossOptions): void {
    this.process.crash(options);
    this.process = this.process.restart();
  }

  /** What the file holds now; null if it is not there. */
  text(path: string): string | null {
    const bytes = this.disk.readCached(path);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  }

  durableText(path: string): string | null {
    const bytes = this.disk.readDurable(path);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  }

  names(path = "/"): Promise<string[]> {
    return this.wait(this.fs.readDirectory(path));
  }
}
