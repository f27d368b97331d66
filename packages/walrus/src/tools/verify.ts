import type { WalrusError } from "../errors.js";
import { toHex } from "../format/bytes.js";
import { listLog, type Progress, type ToolPorts } from "./log-directory.js";
import { type Replay, Replayer } from "./replay.js";

/** One topic of a log, as its files say. */
export interface TopicSummary {
  readonly name: string;
  readonly first: number;
  readonly next: number;
  readonly cursors: Readonly<Record<string, number>>;
}

/** What reading every byte of a log has shown. */
export interface VerifyReport {
  /** Whether nothing is wrong. A torn tail of a log that was not closed is nothing wrong: the next open cuts it. */
  readonly sound: boolean;
  /** What is wrong, with `details.file` and `details.offset`; null if nothing is. */
  readonly problem: WalrusError | null;
  /** Null if there is no log. */
  readonly logId: string | null;
  /** Whether it was closed properly. */
  readonly clean: boolean;
  readonly tornBytes: number;
  readonly segments: number;
  readonly bytes: number;
  readonly frames: number;
  readonly records: number;
  /** As far as the log is sound. */
  readonly topics: readonly TopicSummary[];
}

/** Options of {@link verifyWalrus}. */
export interface VerifyOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Reads every byte of the log in a directory and checks all checksums, the chain of frames and segments, and that the indexes of sealed
 * segments say what is in them. Changes nothing and takes no lock: of a log that is being written it may find an unfinished end.
 * @throws {WalrusError} `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function verifyWalrus(directory: string, options: VerifyOptions = {}, ports: ToolPorts = {}): Promise<VerifyReport> {
  const { onProgress } = options;
  const log = await listLog(directory, ports);
  const replay = await new Replayer(log, onProgress === undefined ? {} : { onProgress }).run();
  return {
    sound: replay.problem === null,
    problem: replay.problem,
    logId: replay.logId === null ? null : toHex(replay.logId),
    clean: log.contents.marked,
    tornBytes: replay.tornBytes,
    segments: log.contents.segments.length,
    bytes: replay.bytes,
    frames: replay.frames,
    records: replay.records,
    topics: summarize(replay),
  };
}

/** The topics of what could be read. */
export function summarize({ state }: Pick<Replay, "state">): TopicSummary[] {
  return [...state.topics()].map(({ name, first, next, cursors }) => ({ name, first, next, cursors: Object.fromEntries(cursors) }));
}
