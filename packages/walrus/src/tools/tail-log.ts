import type { Scheduler } from "@octopii/interfaces";
import { systemScheduler } from "@octopii/system";
import { isWalrusError } from "../errors.js";
import { FrameKind, SEGMENT_HEADER_BYTES } from "../format/format.js";
import { segmentSeed } from "../format/segment-header.js";
import { FrameScanner } from "../recovery/frame-scanner.js";
import { readHeader } from "../recovery/outline.js";
import { withFile } from "../recovery/recovery.js";
import { ScanWindow, WINDOW_BYTES } from "../recovery/scan-window.js";
import { FrameRecords } from "../write/frame-records.js";
import { type DumpedRecord, recordsOf, TopicNames } from "./dumped-record.js";
import { listLog, type ToolPorts } from "./log-directory.js";

/** Options of {@link tailWalrus}. */
export interface TailLogOptions {
  /** Ends the following; without it, it never ends. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait before looking again. Default 200. */
  readonly pollIntervalMs?: number | undefined;
  /** Whether to give only what is written from now on. Default true. */
  readonly onlyNew?: boolean | undefined;
}

/** What following needs from outside. */
export interface TailLogPorts extends ToolPorts {
  readonly scheduler?: Scheduler | undefined;
}

/**
 * Gives the records of a log as they are written, by another process if need be: takes no lock and changes nothing. A frame is given once
 * all of it is in the file, which may be before it is on stable storage. Resolves when the signal says so.
 * @throws {WalrusError} `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function tailWalrus(
  directory: string,
  onRecord: (record: DumpedRecord) => void,
  options: TailLogOptions = {},
  ports: TailLogPorts = {},
): Promise<void> {
  const { signal, pollIntervalMs = 200, onlyNew = true } = options;
  const scheduler = ports.scheduler ?? systemScheduler;
  const follower = new LogFollower(directory, ports, onRecord);
  await follower.advance(onlyNew);
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    await new Promise<void>((resolve) => {
      const timer = scheduler.setTimer(pollIntervalMs, done);
      function done(): void {
        timer.cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      }
      signal?.addEventListener("abort", done, { once: true });
    });
    if (!isOver()) await follower.advance(false);
  }
}

class LogFollower {
  readonly #directory: string;
  readonly #ports: ToolPorts;
  readonly #onRecord: (record: DumpedRecord) => void;
  readonly #names = new TopicNames();
  readonly #records = new FrameRecords();
  #segment = 0;
  #offset = SEGMENT_HEADER_BYTES;

  constructor(directory: string, ports: ToolPorts, onRecord: (record: DumpedRecord) => void) {
    this.#directory = directory;
    this.#ports = ports;
    this.#onRecord = onRecord;
  }

  /** Reads on as far as there is something whole. */
  async advance(silent: boolean): Promise<void> {
    const log = await listLog(this.#directory, this.#ports);
    for (const number of log.contents.segments) {
      if (number < this.#segment) continue;
      if (number > this.#segment) this.#offset = SEGMENT_HEADER_BYTES;
      this.#segment = number;
      try {
        await this.#read(number, log, silent);
      } catch (error) {
        // It was removed meanwhile, as its entries are gone, or is damaged: that is for verify to say.
        if (!isWalrusError(error, "OCTOPII_WALRUS_IO_FAILED") && !isWalrusError(error, "OCTOPII_WALRUS_CORRUPT")) throw error;
      }
    }
  }

  async #read(number: number, { fileSystem, hasher, path }: Awaited<ReturnType<typeof listLog>>, silent: boolean): Promise<void> {
    await withFile(fileSystem, path(number), async (file, size) => {
      const { logId } = await readHeader(path(number), file, size, number, hasher);
      const window = new ScanWindow(file, size, new Uint8Array(Math.min(size, WINDOW_BYTES)));
      const scanner = new FrameScanner(window, segmentSeed(logId, number, hasher), hasher);
      while (this.#offset < size) {
        const frame = await scanner.read(this.#offset, this.#records);
        if (frame.damaged) return;
        this.#offset = frame.end;
        const kind = frame.header.kind === FrameKind.checkpoint ? "checkpoint" : "commit";
        this.#names.learn(this.#records);
        if (!silent && frame.header.kind === FrameKind.commit) recordsOf(kind, number, this.#records, this.#names, this.#onRecord);
      }
    });
  }
}
