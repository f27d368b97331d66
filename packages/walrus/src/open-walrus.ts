import type { FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";
import { nodeFileSystem, systemRandom, systemScheduler } from "@octopii/system";
import { asWalrusError, ioFailed, isWalrusError, WalrusError } from "./errors.js";
import { LOG_ID_BYTES, MARK_NAME } from "./format.js";
import { type Hasher, openHasher } from "./hasher.js";
import { LogState } from "./log-state.js";
import { resolveWalrusOptions, type WalrusOptions } from "./options.js";
import { prepareDirectory } from "./prepare-directory.js";
import { type RecoveredLog, readExactly, recover, sortNames } from "./recovery.js";
import { type ActiveSegment, SegmentWriter } from "./segment-writer.js";
import type { Walrus, WalrusPorts } from "./types.js";
import { WalrusLog } from "./walrus-log.js";

/** How much of a frame that is written anew is held at a time. */
const REWRITE_BYTES = 1024 * 1024;

/**
 * Opens the log in a directory, or begins one, and takes the directory for itself.
 *
 * A write that a crash cut off is removed; it was never acknowledged. Anything else that is wrong is refused, and then nothing was changed.
 * @throws {WalrusError} `OCTOPII_WALRUS_INVALID_OPTIONS`, `OCTOPII_WALRUS_LOCKED`, `OCTOPII_WALRUS_CORRUPT`,
 * `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function openWalrus(options: WalrusOptions, ports: WalrusPorts = {}): Promise<Walrus> {
  const config = resolveWalrusOptions(options);
  const fileSystem = ports.fileSystem ?? nodeFileSystem;
  const opening: Opening = {
    fileSystem,
    directory: config.directory,
    hasher: await openHasher(),
    random: ports.random ?? systemRandom,
    logger: ports.logger ?? null,
  };
  const lock = await takeLock(fileSystem, config.directory);
  try {
    const opened = await openLocked(opening);
    const scheduler: Scheduler = ports.scheduler ?? systemScheduler;
    return new WalrusLog({ config, lock, scheduler, ...opening, ...opened });
  } catch (error) {
    await lock.release();
    throw asWalrusError(error, "open the log in", config.directory);
  }
}

interface Opening {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly logger: Logger | null;
}

async function takeLock(fileSystem: FileSystem, directory: string): ReturnType<FileSystem["lock"]> {
  try {
    await prepareDirectory(fileSystem, directory);
    return await fileSystem.lock(directory);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ELOCKED")) throw ioFailed("take", directory, error);
    throw new WalrusError("OCTOPII_WALRUS_LOCKED", `The log in ${directory} is in use: ${error.message}`, { cause: error });
  }
}

interface Opened {
  readonly state: LogState;
  readonly logId: Uint8Array;
  readonly segments: SegmentWriter;
  readonly active: ActiveSegment;
  readonly recovery: { readonly clean: boolean; readonly tornBytes: number };
}

/** First the verdict, then the changes. */
async function openLocked(opening: Opening): Promise<Opened> {
  const { fileSystem, directory, hasher, random } = opening;
  const contents = sortNames(await fileSystem.readDirectory(directory));
  const log = await recover(fileSystem, directory, contents, hasher);
  for (const name of contents.temporaries) await fileSystem.remove(`${directory}/${name}`);
  if (log === null) {
    const logId = random.bytes(LOG_ID_BYTES);
    const segments = new SegmentWriter(fileSystem, directory, logId, hasher);
    const state = new LogState();
    const active = await segments.create(1, 0n, state);
    return { state, logId, segments, active, recovery: { clean: true, tornBytes: 0 } };
  }
  const segments = new SegmentWriter(fileSystem, directory, log.logId, hasher);
  if (log.clean) await removeMark(opening);
  else await settleTail(opening, log, segments);
  const active = await openActive(log, segments);
  return { state: log.state, logId: log.logId, segments, active, recovery: { clean: log.clean, tornBytes: log.tornBytes } };
}

/** The mark must be gone for good before anything is written: from then on the log does not end where it says. */
async function removeMark({ fileSystem, directory }: Opening): Promise<void> {
  await fileSystem.remove(`${directory}/${MARK_NAME}`);
  await fileSystem.syncDirectory(directory);
}

/**
 * Makes certain that what recovery found is on stable storage before anybody builds on it. A torn tail is cut, durably, so that nothing of
 * it can come back behind later frames. The last frame is written anew: whoever wrote it may have died before it was flushed, or been told
 * that the flush failed, and after a failed flush a system may take pages for clean that are not on disk.
 */
async function settleTail(opening: Opening, log: RecoveredLog, segments: SegmentWriter): Promise<void> {
  const { fileSystem, directory, logger } = opening;
  const { segment, end, lastFrame } = log.end;
  const path = segments.path(segment);
  const file = await fileSystem.open(path, { mode: "readWrite" });
  try {
    if (log.tornBytes > 0) {
      logger?.warn({ file: path, offset: end, bytes: log.tornBytes }, "walrus cut an unfinished write that was never acknowledged");
      await file.truncate(end);
    }
    const bytes = new Uint8Array(Math.min(REWRITE_BYTES, end - lastFrame));
    for (let at = lastFrame; at < end; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, end - at));
      await readExactly(file, part, at, path);
      await file.write([part], at);
    }
    await file.sync();
  } catch (error) {
    throw isWalrusError(error) ? error : ioFailed("settle the tail of", path, error);
  } finally {
    await file.close();
  }
  await fileSystem.syncDirectory(directory);
}

async function openActive(log: RecoveredLog, segments: SegmentWriter): Promise<ActiveSegment> {
  const { segment, end, previous, sealed } = log.end;
  if (sealed) return segments.create(segment + 1, previous, log.state);
  return segments.open(segment, end, previous, true);
}
