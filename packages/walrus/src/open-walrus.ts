import type { FileLock, FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";
import { nodeFileSystem, systemRandom, systemScheduler } from "@octopii/system";
import { toHex } from "./bytes.js";
import { asWalrusError, ioFailed, isWalrusError, WalrusError, wrongLog } from "./errors.js";
import { LOG_ID_BYTES, MARK_NAME } from "./format.js";
import { type Hasher, openHasher } from "./hasher.js";
import { LogState } from "./log-state.js";
import { resolveWalrusOptions, type WalrusOptions } from "./options.js";
import { holdsLog, prepareDirectory } from "./prepare-directory.js";
import { type RecoveredLog, readExactly, recover, sortNames } from "./recovery.js";
import { type ActiveSegment, SegmentWriter } from "./segment-writer.js";
import type { Walrus, WalrusPorts } from "./types.js";
import { WalrusLog } from "./walrus-log.js";

const TAIL_CUT =
  "walrus cut the bad tail of a log that was not closed: an interrupted write, or damage to the last commit, which looks the same";

/** How much of a frame that is written anew is held at a time. */
const REWRITE_BYTES = 1024 * 1024;

/**
 * Opens the log in a directory, or begins one, and takes the directory for itself.
 *
 * In a log that was not closed, a bad last commit is cut: a write that a crash interrupted looks like this. So does damage that was done
 * later to the last commit that was acknowledged, and nothing in the log can tell the two apart. Anything else that is wrong is refused,
 * and then every file in the directory is as it was, a dead owner's lock included.
 * @throws {WalrusError} `OCTOPII_WALRUS_INVALID_OPTIONS`, `OCTOPII_WALRUS_LOCKED`, `OCTOPII_WALRUS_WRONG_LOG`,
 * `OCTOPII_WALRUS_CORRUPT`, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function openWalrus(options: WalrusOptions, ports: WalrusPorts = {}): Promise<Walrus> {
  const config = resolveWalrusOptions(options);
  const fileSystem = ports.fileSystem ?? nodeFileSystem;
  const opening: Opening = {
    fileSystem,
    directory: config.directory,
    expectedLogId: config.expectedLogId,
    hasher: await openHasher(),
    random: ports.random ?? systemRandom,
    logger: ports.logger ?? null,
  };
  const lock = await takeLock(opening);
  try {
    const opened = await openLocked(opening, lock);
    const scheduler: Scheduler = ports.scheduler ?? systemScheduler;
    return new WalrusLog({ config, lock, scheduler, ...opening, ...opened });
  } catch (error) {
    await lock.release().catch((failure: unknown) => {
      opening.logger?.warn(
        { directory: config.directory, error: failure },
        "walrus could not release the directory of a log that it did not open",
      );
    });
    throw asWalrusError(error, "open the log in", config.directory);
  }
}

interface Opening {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly expectedLogId: string | null;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly logger: Logger | null;
}

async function takeLock({ fileSystem, directory, expectedLogId }: Opening): Promise<FileLock> {
  try {
    if (expectedLogId === null) await prepareDirectory(fileSystem, directory);
    else if (!(await holdsLog(fileSystem, directory))) throw wrongLog(directory, expectedLogId, null);
    return await fileSystem.lock(directory);
  } catch (error) {
    if (isWalrusError(error)) throw error;
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

/** First the verdict, then the changes. The lock is provisional until then, so that a refusal leaves even a dead owner's lock file. */
async function openLocked(opening: Opening, lock: FileLock): Promise<Opened> {
  const { fileSystem, directory, hasher, random } = opening;
  const contents = sortNames(await fileSystem.readDirectory(directory));
  const log = await recover(fileSystem, directory, contents, hasher);
  checkLogId(opening, log);
  await lock.confirm();
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

function checkLogId({ directory, expectedLogId }: Opening, log: RecoveredLog | null): void {
  if (expectedLogId === null) return;
  const found = log === null ? null : toHex(log.logId);
  if (found !== expectedLogId) throw wrongLog(directory, expectedLogId, found);
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
      logger?.warn({ file: path, offset: end, bytes: log.tornBytes }, TAIL_CUT);
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
