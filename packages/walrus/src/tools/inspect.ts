import { toHex } from "../format/bytes.js";
import { FORMAT_VERSION } from "../format/format.js";
import { readHeader, readOutline } from "../recovery/outline.js";
import { recover, withFile } from "../recovery/recovery.js";
import { listLog, type ToolPorts } from "./log-directory.js";
import { summarize, type TopicSummary } from "./verify.js";

/** One segment of a log. */
export interface SegmentSummary {
  readonly number: number;
  readonly file: string;
  readonly bytes: number;
  /** Whether another one follows. */
  readonly sealed: boolean;
  /** Runs of entries in it, by its own index; null if it is not sealed. */
  readonly runs: number | null;
}

/** What a log says of itself. */
export interface LogSummary {
  readonly directory: string;
  readonly formatVersion: number;
  readonly logId: string;
  readonly clean: boolean;
  readonly tornBytes: number;
  readonly bytes: number;
  readonly liveBytes: number;
  readonly segments: readonly SegmentSummary[];
  readonly topics: readonly TopicSummary[];
}

/**
 * Says what the log in a directory holds, as opening it would find it. Changes nothing and takes no lock.
 * @returns null if there is no log.
 * @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT`, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function inspectWalrus(directory: string, ports: ToolPorts = {}): Promise<LogSummary | null> {
  const { fileSystem, hasher, contents, path } = await listLog(directory, ports);
  const log = await recover(fileSystem, directory, contents, hasher);
  if (log === null) return null;
  const segments: SegmentSummary[] = [];
  for (const number of contents.segments) {
    const sealed = number !== log.end.segment;
    const file = path(number);
    segments.push(
      await withFile(fileSystem, file, async (handle, bytes) => {
        const runs = sealed ? (await readOutline(file, handle, bytes, number, hasher)).runs.length : null;
        if (!sealed) await readHeader(file, handle, bytes, number, hasher);
        return { number, file, bytes, sealed, runs };
      }),
    );
  }
  const { bytes, liveBytes } = log.state.segments;
  const { clean, tornBytes } = log;
  return {
    directory,
    formatVersion: FORMAT_VERSION,
    logId: toHex(log.logId),
    clean,
    tornBytes,
    bytes,
    liveBytes,
    segments,
    topics: summarize(log),
  };
}
