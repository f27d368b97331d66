import { resolve } from "node:path";
import type { FileLock, FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";
import { blockingFileSystem, nodeFileSystem, systemRandom, systemScheduler } from "@octopii/system";
import { asWalrusError, wrongLog } from "./errors.js";
import { toHex } from "./format/bytes.js";
import { LOG_ID_BYTES, MARK_NAME, segmentName } from "./format/format.js";
import { type Hasher, openHasher } from "./format/hasher.js";
import { resolveWalrusOptions, type WalrusConfig, type WalrusOptions } from "./options.js";
import { type DirectoryContents, sortNames } from "./recovery/directory-contents.js";
import { lockLog } from "./recovery/lock-log.js";
import { holdsLog, prepareDirectory } from "./recovery/prepare-directory.js";
import { type RecoveredLog, recover } from "./recovery/recovery.js";
import { settleTail } from "./recovery/settle-tail.js";
import { LogState } from "./state/log-state.js";
import { Replayer } from "./tools/replay.js";
import type { Walrus, WalrusPorts } from "./types.js";
import { WalrusLog } from "./walrus-log.js";
import type { ActiveSegment } from "./write/active-segment.js";
import { SegmentWriter } from "./write/segment-writer.js";

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
  const given = resolveWalrusOptions(options);
  const fileSystem = ports.fileSystem ?? (given.blocking ? blockingFileSystem : nodeFileSystem);
  // Files are made as the log grows, wherever the process has gone meanwhile. The names in any other file system are its own.
  const ofTheProcess = fileSystem === nodeFileSystem || fileSystem === blockingFileSystem;
  const config = ofTheProcess ? { ...given, directory: resolve(given.directory) } : given;
  const opening: Opening = {
    config,
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
    return new WalrusLog({ lock, scheduler, ...opening, ...opened });
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
  readonly config: WalrusConfig;
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly expectedLogId: string | null;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly logger: Logger | null;
}

async function takeLock({ fileSystem, directory, expectedLogId }: Opening): Promise<FileLock> {
  return lockLog(fileSystem, directory, async () => {
    if (expectedLogId === null) await prepareDirectory(fileSystem, directory);
    else if (!(await holdsLog(fileSystem, directory))) throw wrongLog(directory, expectedLogId, null);
  });
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
  if (opening.config.verifyOnOpen === "all") await verifyAll(opening, contents);
  const log = await recover(fileSystem, directory, contents, hasher);
  checkLogId(opening, log);
  await lock.confirm();
  for (const name of contents.temporaries) await fileSystem.remove(`${directory}/${name}`);
  if (log === null) {
    const logId = random.bytes(LOG_ID_BYTES);
    const segments = new SegmentWriter({ ...opening.config, fileSystem, logId, hasher });
    const state = new LogState();
    const active = await segments.create(1, 0n, state);
    return { state, logId, segments, active, recovery: { clean: true, tornBytes: 0 } };
  }
  const segments = new SegmentWriter({ ...opening.config, fileSystem, logId: log.logId, hasher });
  const { segment, end, previous } = log.end;
  if (log.clean) await removeMark(opening);
  else await settleTail(fileSystem, directory, segments.path(segment), log, opening.logger);
  const active = await segments.open(segment, end, previous, true);
  return { state: log.state, logId: log.logId, segments, active, recovery: { clean: log.clean, tornBytes: log.tornBytes } };
}

/** Reads every byte, which the recovery of a long log does not. @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT` */
async function verifyAll({ fileSystem, directory, hasher }: Opening, contents: DirectoryContents): Promise<void> {
  const path = (segment: number): string => `${directory}/${segmentName(segment)}`;
  const { problem } = await new Replayer({ fileSystem, directory, hasher, contents, path }).run();
  if (problem !== null) throw problem;
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
