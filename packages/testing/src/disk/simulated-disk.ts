import { TestingError } from "../errors.js";
import type { SeededRandom } from "../random/seeded-random.js";
import type { EventLoop } from "../world/event-loop.js";
import type { Lifetime } from "../world/lifetime.js";
import { type EventKind, eventKind } from "../world/simulated-event.js";
import { DiskFaults, type DiskOperation, type PlannedFault } from "./faults.js";
import { Namespace, splitPath } from "./namespace.js";
import { DirectoryNode, FileNode } from "./nodes.js";
import { type DiskConfig, type DiskOptions, type Latency, resolveDiskOptions } from "./options.js";
import { type SilentFault, type SilentFaultKind, SilentFaults } from "./silent-faults.js";
import type { SurvivalMode } from "./survival.js";
import { systemError } from "./system-error.js";

/** How a disk comes through a power failure. */
export interface PowerLossOptions {
  /**
   * What becomes of unsynced state. `seed` draws it: half of all failures keep a prefix of what was written, as an ordered journal
   * does, half keep any sectors and entries. Default `seed`.
   */
  readonly unsynced?: "seed" | SurvivalMode;
}

/** The files that are on the disk for sure, by path. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

/** Carries an operation out, and gives what tells its caller. A process that dies in between is never told. */
export type Execute = () => () => void;

interface InFlight {
  readonly lifetime: Lifetime;
  readonly execute: Execute;
}

const OPERATIONS: readonly DiskOperation[] = [
  "open",
  "read",
  "write",
  "sync",
  "truncate",
  "size",
  "close",
  "readDirectory",
  "rename",
  "remove",
  "makeDirectory",
  "syncDirectory",
  "lock",
];
const KINDS: ReadonlyMap<DiskOperation, EventKind> = new Map(OPERATIONS.map((name) => [name, eventKind(`disk:${name}`)]));
const FALLBACK_KIND = eventKind("disk");
const SYNCING: ReadonlySet<DiskOperation> = new Set<DiskOperation>(["sync", "syncDirectory"]);

/**
 * The disk of one machine. It outlives the processes that use it: after a crash it holds what was synced, and of the rest what the
 * seed leaves. Processes reach it through their `fileSystem`; tests and oracles through this class.
 */
export class SimulatedDisk {
  readonly name: string;
  readonly faults: DiskFaults = new DiskFaults();
  /** What it does without a word: see {@link SimulatedDisk.failSilently}. */
  readonly silentFaults: SilentFaults;
  /** Syncs succeed without doing anything. No storage engine survives that: it proves that an oracle notices. */
  lieAboutSync = false;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #latency: SeededRandom;
  readonly #failures: SeededRandom;
  readonly #locks = new Map<DirectoryNode, Lifetime>();
  readonly #inFlight = new Set<InFlight>();
  readonly #handles = new Map<Lifetime, number>();
  #config: DiskConfig;
  #namespace = new Namespace();
  #powerLosses = 0;
  #stalledUntilUs = 0;
  #usedAtMost = 0;
  #interrupting = false;

  /** Use `world.process(name).disk`. */
  constructor(name: string, loop: EventLoop, random: SeededRandom, options: DiskOptions) {
    this.name = name;
    this.#loop = loop;
    this.#random = random;
    this.#latency = random.fork("latency");
    this.#failures = random.fork("failures");
    this.silentFaults = new SilentFaults(random.fork("silent"));
    this.#config = resolveDiskOptions(options);
  }

  /** Changes options from now on, such as `capacityBytes` to fill the disk up. */
  configure(options: DiskOptions): void {
    this.#config = resolveDiskOptions(options, this.#config);
  }

  /** Lets a coming operation fail. A failed sync drops the unsynced state it covered, and the next sync succeeds. */
  failNext(operation: DiskOperation, fault: PlannedFault): void {
    this.faults.plan(operation, fault);
  }

  /** Lets a coming read show a flipped bit, or a coming write go to another place of its file. The operation succeeds. */
  failSilently(kind: SilentFaultKind, fault: SilentFault = {}): void {
    this.silentFaults.plan(kind, fault);
    this.#note(kind, fault.path ?? "");
  }

  /** No operation completes in the next `durationMs`. */
  stall(durationMs: number): void {
    this.#stalledUntilUs = Math.max(this.#stalledUntilUs, this.#loop.now + Math.ceil(durationMs * 1000));
    this.#note("stall", durationMs);
  }

  /** Flips the bits of `mask` in one byte of a file, at rest. @throws a system error if there is no such byte. */
  flipByte(path: string, offset: number, mask = 0xff): void {
    const entry = this.#namespace.find(path, "flip");
    if (!(entry instanceof FileNode)) throw systemError("EISDIR", "flip", path);
    if (offset < 0 || offset >= Math.max(entry.durable.size, entry.cached.size)) throw systemError("EINVAL", "flip", path);
    entry.corrupt(offset, mask);
    this.#note("flip", `${path}@${offset}`);
  }

  /** What a reader would find at `path` if the power failed now and everything unsynced were lost; null if there would be no file. */
  readDurable(path: string): Uint8Array | null {
    const entry = this.#namespace.walk(splitPath(path), "durable");
    return entry instanceof FileNode ? entry.durable.toBytes() : null;
  }

  /** What processes see at `path` now; null if there is no file. */
  readCached(path: string): Uint8Array | null {
    const entry = this.#namespace.walk(splitPath(path), "cached");
    return entry instanceof FileNode ? entry.cached.toBytes() : null;
  }

  /** Whether a file right in `directory` would have `bytes` in a row, if the power failed now and everything unsynced were lost. For oracles. */
  durablyHolds(directory: string, bytes: Uint8Array): boolean {
    const entry = this.#namespace.walk(splitPath(directory), "durable");
    if (!(entry instanceof DirectoryNode)) return false;
    const newestFirst = [...entry.durable.keys()].sort().reverse();
    return newestFirst.some((name) => {
      const file = entry.durable.get(name);
      return file instanceof FileNode && file.durable.holds(bytes);
    });
  }

  /** Every file that would survive if the power failed now and everything unsynced were lost. For oracles and for backups. */
  durableImage(): DiskImage {
    return new Map([...this.#namespace.files("durable")].map(([path, file]) => [path, file.durable.toBytes()]));
  }

  /**
   * Puts an image in place of all that is on the disk: a stale backup, another machine's disk, or nothing.
   * @throws {TestingError} `OCTOPII_TESTING_STATE` while a process is using the disk.
   */
  restore(image: DiskImage): void {
    const user = [...this.#inFlight].find((operation) => operation.lifetime.alive);
    if (this.openFiles > 0 || user !== undefined) {
      throw new TestingError("OCTOPII_TESTING_STATE", `The disk of ${this.name} is in use; crash its process before you replace it.`);
    }
    this.#namespace = new Namespace();
    this.#usedAtMost = 0;
    for (const [path, bytes] of image) {
      this.#usedAtMost += bytes.length;
      this.#namespace.makeDirectories(splitPath(path).slice(0, -1).join("/"));
      const { directory, name } = this.#namespace.parent(path, "restore");
      const file = this.#namespace.createFile(directory, name);
      file.change({ kind: "write", position: 0, bytes });
      file.flush(file.version);
    }
    this.#namespace.journal.losePower("keep", this.#random);
    this.#note("restore", image.size);
  }

  /** The number of changes and directory operations that a power failure could undo. */
  get unsyncedChanges(): number {
    let changes = this.#namespace.journal.pendingOperations;
    for (const file of this.#namespace.files("cached").values()) changes += file.pendingChanges;
    return changes;
  }

  /** Handles that processes have open now. */
  get openFiles(): number {
    let open = 0;
    for (const count of this.#handles.values()) open += count;
    return open;
  }

  /** Files that processes see now. */
  get fileCount(): number {
    return this.#namespace.files("cached").size;
  }

  /** @internal A process opened (1) or closed (-1) a handle. */
  countHandle(lifetime: Lifetime, change: 1 | -1): void {
    this.#handles.set(lifetime, (this.#handles.get(lifetime) ?? 0) + change);
  }

  /** @internal */
  get namespace(): Namespace {
    return this.#namespace;
  }

  /** @internal */
  get config(): DiskConfig {
    return this.#config;
  }

  /** @internal False: a flush does nothing, because the disk lies, or because death came before it got anywhere. */
  get flushes(): boolean {
    return !this.lieAboutSync && !this.#interrupting;
  }

  /** @internal Draws what a failed operation leaves behind. */
  get failures(): SeededRandom {
    return this.#failures;
  }

  /** @internal The processes that hold directories. */
  get locks(): Map<DirectoryNode, Lifetime> {
    return this.#locks;
  }

  /** @internal Whether files may grow by `bytes` together. Counts exactly only when the rough sum of all growth says that it may matter. */
  reserve(bytes: number): boolean {
    if (this.#usedAtMost + bytes > this.#config.capacityBytes) {
      this.#usedAtMost = 0;
      for (const file of this.#namespace.files("cached").values()) this.#usedAtMost += file.cached.size;
      if (this.#usedAtMost + bytes > this.#config.capacityBytes) return false;
    }
    this.#usedAtMost += bytes;
    return true;
  }

  /** @internal Carries `execute` out after the operation's latency, as an event of `lifetime`. */
  submit(operation: DiskOperation, path: string, durable: boolean, lifetime: Lifetime, execute: Execute): void {
    const entry: InFlight = { lifetime, execute };
    this.#inFlight.add(entry);
    this.#complete(entry, this.#delayUs(operation, durable), KINDS.get(operation) ?? FALLBACK_KIND, path);
  }

  /** @internal The process is gone, the machine lives on: the page cache stays. Operations in flight happen or not. */
  loseProcess(lifetime: Lifetime): void {
    const random = this.#random.fork(`lost/${this.#powerLosses}`);
    this.#powerLosses += 1;
    for (const entry of this.#inFlight) {
      if (entry.lifetime !== lifetime) continue;
      this.#inFlight.delete(entry);
      this.#interrupting = true;
      if (random.chance(1, 2)) entry.execute();
      this.#interrupting = false;
    }
    for (const [directory, owner] of this.#locks) if (owner === lifetime) this.#locks.delete(directory);
    this.#handles.delete(lifetime);
  }

  /** @internal The power fails. Call {@link loseProcess} before. */
  losePower(options: PowerLossOptions): void {
    const random = this.#random.fork(`power/${this.#powerLosses}`);
    const mode = options.unsynced ?? "seed";
    const drawn = mode === "seed" ? random.pick(["prefix", "subset"] as const) : mode;
    this.#note("power", drawn);
    this.#namespace.losePower(drawn, drawn, random);
    this.#stalledUntilUs = 0;
  }

  #complete(entry: InFlight, delayUs: number, kind: EventKind, path: string): void {
    this.#loop.post(delayUs, entry.lifetime, kind, path, () => {
      if (this.#loop.now < this.#stalledUntilUs) {
        this.#complete(entry, this.#stalledUntilUs - this.#loop.now, kind, path);
        return;
      }
      this.#inFlight.delete(entry);
      entry.execute()();
    });
  }

  #delayUs(operation: DiskOperation, durable: boolean): number {
    const { minMs, meanMs } = this.#latencyOf(operation, durable);
    return Math.round((minMs + this.#latency.exponential(meanMs)) * 1000);
  }

  #latencyOf(operation: DiskOperation, durable: boolean): Latency {
    if (durable || SYNCING.has(operation)) return this.#config.syncLatency;
    if (operation === "read") return this.#config.readLatency;
    return operation === "write" ? this.#config.writeLatency : this.#config.metadataLatency;
  }

  #note(kind: string, detail: number | string): void {
    this.#loop.trace.note(this.#loop.now, this.name, `disk:${kind}`, detail);
  }
}
