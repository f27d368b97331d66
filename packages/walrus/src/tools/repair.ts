import type { FileSystem } from "@octopii/interfaces";
import { asWalrusError, corrupt, WalrusError } from "../errors.js";
import type { CleanMark } from "../format/clean-mark.js";
import { MARK_NAME, segmentName } from "../format/format.js";
import { segmentSeed } from "../format/segment-header.js";
import { lockLog } from "../recovery/lock-log.js";
import { readHeader } from "../recovery/outline.js";
import { readExactly } from "../recovery/read-exactly.js";
import { withFile } from "../recovery/recovery.js";
import type { LogEnd } from "../recovery/segment-scan.js";
import { buildSeal, type Seal } from "../write/seal.js";
import { Backup } from "./backup.js";
import { type LogDirectory, listLog, type Progress, type ToolPorts } from "./log-directory.js";
import { type LostEntries, surveyLost } from "./lost.js";
import { addLost, emptyAccount, type RepairAccount } from "./repair-account.js";
import { type Replay, Replayer } from "./replay.js";

/** What a repair has done. */
export interface RepairReport {
  /** False: the log was sound and nothing was changed. */
  readonly changed: boolean;
  /** What was wrong, one sentence each, in the order in which it was found. */
  readonly problems: readonly string[];
  /** What was done, one sentence each. */
  readonly actions: readonly string[];
  /** The directory with the changed files as they were; null if nothing was changed. */
  readonly backup: string | null;
  /** The entries that are gone, as far as what was cut away still told of them. */
  readonly lost: readonly LostEntries[];
  /** The bytes that were cut away. */
  readonly lostBytes: number;
  /** What else is gone, one sentence each: of files that are missing nothing tells which entries were in them. */
  readonly otherLosses: readonly string[];
}

/** Options of {@link repairWalrus}. */
export interface RepairOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Makes a log that is refused as corrupt one that opens: damaged indexes and marks are made anew, and where entries themselves are damaged
 * the log is cut there, so that it holds what it held at some moment before. Files are copied aside before they are changed.
 * A log that is sound is left alone. A repair that was interrupted is gone on with: its account stands beside the copies.
 * @throws {WalrusError} `OCTOPII_WALRUS_LOCKED` if it is in use, `OCTOPII_WALRUS_CORRUPT` if there is nothing to keep,
 * `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function repairWalrus(directory: string, options: RepairOptions = {}, ports: ToolPorts = {}): Promise<RepairReport> {
  const { fileSystem } = await listLog(directory, ports);
  const lock = await lockLog(fileSystem, directory, () => Promise.resolve());
  try {
    return await new Repair(directory, fileSystem, options, ports, () => lock.confirm()).run();
  } catch (error) {
    throw asWalrusError(error, "repair the log in", directory);
  } finally {
    await lock.release();
  }
}

class Repair {
  readonly #directory: string;
  readonly #fileSystem: FileSystem;
  readonly #options: RepairOptions;
  readonly #ports: ToolPorts;
  readonly #confirm: () => Promise<void>;
  readonly #backup: Backup;
  /** Segments whose seal was found or made sound: what is wrong is not there. */
  readonly #sealed = new Set<number>();
  #account: RepairAccount = emptyAccount();

  constructor(directory: string, fileSystem: FileSystem, options: RepairOptions, ports: ToolPorts, confirm: () => Promise<void>) {
    this.#directory = directory;
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#ports = ports;
    this.#confirm = confirm;
    this.#backup = new Backup(fileSystem, directory);
  }

  async run(): Promise<RepairReport> {
    this.#account = (await this.#backup.resume()) ?? this.#account;
    for (;;) {
      const log = await listLog(this.#directory, this.#ports);
      const { onProgress } = this.#options;
      const replay = await new Replayer(log, onProgress === undefined ? {} : { onProgress }).run();
      if (replay.problem === null) {
        if (this.#account.actions.length === 0) return this.#report();
        this.#account.lostBytes += replay.tornBytes;
        await this.#confirm();
        await this.#backup.note(this.#account, true);
        return this.#report();
      }
      this.#found(replay.problem);
      await this.#step(log, replay);
    }
  }

  #report(): RepairReport {
    return { changed: this.#account.actions.length > 0, ...this.#account, backup: this.#backup.directory };
  }

  /** Notes what is wrong; that nothing was changed, as the error for whoever opens the log says, is not true here. */
  #found({ message, details }: WalrusError): void {
    const { file, offset, problem } = details ?? {};
    const sentence = problem === undefined ? message : `${file}, offset ${offset}: ${problem}.`;
    if (!this.#account.problems.includes(sentence)) this.#account.problems.push(sentence);
  }

  /** Says what is about to be done, durably, before it is done. */
  async #announce(action: string): Promise<void> {
    this.#account.actions.push(action);
    await this.#backup.note(this.#account, false);
  }

  /** Each step removes a file or a problem that was found first, so this comes to an end. */
  async #step(log: LogDirectory, replay: Replay): Promise<void> {
    const { problem, end } = replay;
    if (problem === null) return;
    if (log.contents.marked) {
      await this.#confirm();
      const last = log.contents.segments.at(-1);
      // The next open may cut the end of the last segment, now that nothing says where it ends.
      await this.#backup.keep(last === undefined ? [MARK_NAME] : [MARK_NAME, segmentName(last)]);
      if (replay.mark !== null && last !== undefined) await this.#missEnd(log, replay.mark, last);
      await this.#announce("Removed the mark of a clean close, so that the log is judged by its own bytes.");
      await this.#remove(MARK_NAME);
      return;
    }
    const oldest = log.contents.segments[0] ?? 0;
    if (end === null || replay.state.incompleteTopic() !== null) throw this.#hopeless(problem, oldest);
    if (!(await this.#rebuildSeal(log, replay, end))) await this.#cut(log, replay, end);
  }

  /** Once its mark is gone, nothing tells any more of an end that the log has lost. */
  async #missEnd(log: LogDirectory, mark: CleanMark, last: number): Promise<void> {
    const { otherLosses } = this.#account;
    if (last < mark.segment) {
      const gone = mark.segment - last === 1 ? "which is" : `and all before it from ${segmentName(last + 1)} on, which are`;
      otherLosses.push(`Everything that stood in ${segmentName(mark.segment)}, ${gone} missing; the log ended there when it was closed.`);
      return;
    }
    const size = await withFile(this.#fileSystem, log.path(last), (_, bytes) => Promise.resolve(bytes));
    if (last > mark.segment || size >= mark.end) return;
    otherLosses.push(`Everything that stood in the last ${mark.end - size} bytes of ${segmentName(last)}, which are missing.`);
  }

  /** Makes a segment's index anew, if the frames before it are those that the next segment follows. */
  async #rebuildSeal(log: LogDirectory, { state, logId }: Replay, end: LogEnd): Promise<boolean> {
    const next = end.segment + 1;
    if (!log.contents.segments.includes(next) || logId === null || this.#sealed.has(end.segment)) return false;
    this.#sealed.add(end.segment);
    const path = log.path(end.segment);
    const place = { seed: segmentSeed(logId, end.segment, log.hasher), position: end.end, previous: end.previous, durable: end.end };
    const seal = buildSeal(state, end.segment, place, log.hasher);
    const follows = await withFile(this.#fileSystem, log.path(next), (file, size) =>
      readHeader(log.path(next), file, size, next, log.hasher),
    ).catch(() => null);
    if (follows?.previous !== seal.checksum || (await this.#isThere(path, end.end, seal))) return false;
    await this.#confirm();
    await this.#backup.keep([segmentName(end.segment)]);
    await this.#announce(`Made the index of ${segmentName(end.segment)} anew; no entry is lost.`);
    await this.#truncate(path, end.end, seal);
    return true;
  }

  async #isThere(path: string, position: number, seal: Seal): Promise<boolean> {
    const due = concatenate(seal.buffers);
    return withFile(this.#fileSystem, path, async (file, size) => {
      if (size !== position + due.length) return false;
      const found = new Uint8Array(due.length);
      await readExactly(file, found, position, path);
      return found.every((byte, at) => byte === due[at]);
    });
  }

  /** Cuts the log after the last frame that is sound. */
  async #cut(log: LogDirectory, replay: Replay, end: LogEnd): Promise<void> {
    const later = log.contents.segments.filter((number) => number > end.segment);
    const survey = await surveyLost(log, replay, end);
    await this.#confirm();
    await this.#backup.keep([end.segment, ...later].map(segmentName));
    addLost(this.#account, survey.entries);
    this.#account.lostBytes += survey.bytes;
    await this.#announce(`Cut the log at offset ${end.end} of ${segmentName(end.segment)}: ${survey.bytes} bytes are gone.`);
    // Newest first: a crash leaves a log that is refused like before, or opens.
    for (const number of later.reverse()) await this.#remove(segmentName(number));
    await this.#truncate(log.path(end.segment), end.end, null);
  }

  async #remove(name: string): Promise<void> {
    await this.#fileSystem.remove(`${this.#directory}/${name}`);
    await this.#fileSystem.syncDirectory(this.#directory);
  }

  async #truncate(path: string, size: number, seal: Seal | null): Promise<void> {
    const file = await this.#fileSystem.open(path, { mode: "readWrite" });
    try {
      await file.truncate(size);
      if (seal !== null) await file.write(seal.buffers, size);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #hopeless(problem: WalrusError, oldest: number): WalrusError {
    if (this.#account.actions.length === 0) {
      const { file = segmentName(oldest), offset = 0, problem: what = problem.message } = problem.details ?? {};
      const remedy = "Nothing can be kept of a log whose beginning is damaged or missing, and nothing was changed; restore a backup.";
      return corrupt(String(file), Number(offset), String(what), remedy);
    }
    const message = `${problem.message} The repair has got no further; the files as they were are in ${this.#backup.directory ?? this.#directory}.`;
    return new WalrusError("OCTOPII_WALRUS_CORRUPT", message, { details: { backup: this.#backup.directory } });
  }
}

function concatenate(buffers: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(buffers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const buffer of buffers) {
    whole.set(buffer, at);
    at += buffer.length;
  }
  return whole;
}
