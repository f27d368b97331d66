import type { FileSystem, Logger } from "@octopii/interfaces";
import { ioFailed, isWalrusError } from "../errors.js";
import { readExactly } from "./read-exactly.js";
import type { RecoveredLog } from "./recovery.js";

const TAIL_CUT =
  "walrus cut the bad tail of a log that was not closed: an interrupted write, or damage to the last commit, which looks the same";

/** How much of what is written anew is held at a time. */
const REWRITE_BYTES = 1024 * 1024;

/**
 * Makes certain that what recovery found is on stable storage before anybody builds on it. A torn tail is cut, durably, so that nothing of
 * it can come back behind later frames. All from the point that the last frame calls durable is written anew: whoever wrote it may have
 * died before it was flushed, or been told that the flush failed, and after a failed flush a system may take pages for clean that are not
 * on disk.
 */
export async function settleTail(
  fileSystem: FileSystem,
  directory: string,
  path: string,
  log: RecoveredLog,
  logger: Logger | null,
): Promise<void> {
  const { end, lastFrame, durable } = log.end;
  const file = await fileSystem.open(path, { mode: "readWrite" });
  try {
    if (log.tornBytes > 0) logger?.warn({ file: path, offset: end, bytes: log.tornBytes }, TAIL_CUT);
    if (log.isLonger) await file.truncate(end);
    const start = Math.min(lastFrame, durable);
    const bytes = new Uint8Array(Math.min(REWRITE_BYTES, end - start));
    for (let at = start; at < end; at += bytes.length) {
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
