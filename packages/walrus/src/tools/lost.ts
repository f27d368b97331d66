import { RecordType, SEGMENT_HEADER_BYTES } from "../format/format.js";
import { segmentSeed } from "../format/segment-header.js";
import { FrameScanner } from "../recovery/frame-scanner.js";
import { withFile } from "../recovery/recovery.js";
import { ScanWindow, WINDOW_BYTES } from "../recovery/scan-window.js";
import type { LogEnd } from "../recovery/segment-scan.js";
import { FrameRecords } from "../write/frame-records.js";
import type { LogDirectory } from "./log-directory.js";
import type { Replay } from "./replay.js";

/** Entries of one topic that are gone. */
export interface LostEntries {
  readonly topic: string;
  /** The first that is gone. */
  readonly first: number;
  /** The index after the last of which anything is known. */
  readonly next: number;
}

/** What is known of that which a cut takes away. */
export interface Survey {
  readonly entries: LostEntries[];
  readonly bytes: number;
}

/** Reads what of the frames after a place is still readable, and gives the entries that they tell of. */
export async function surveyLost(log: LogDirectory, { state, logId }: Replay, end: LogEnd): Promise<Survey> {
  const names = new Map<number, string>();
  const ends = new Map<number, number>();
  const see = (topic: number, next: number): void => void ends.set(topic, Math.max(next, ends.get(topic) ?? 0));
  for (const { id, name } of state.topics()) names.set(id, name);
  let bytes = 0;
  for (const number of log.contents.segments.filter((one) => one >= end.segment)) {
    const from = number === end.segment ? end.end : SEGMENT_HEADER_BYTES;
    bytes += await withFile(log.fileSystem, log.path(number), async (file, size) => {
      const window = new ScanWindow(file, size, new Uint8Array(WINDOW_BYTES));
      const scanner = new FrameScanner(window, segmentSeed(logId ?? new Uint8Array(16), number, log.hasher), log.hasher);
      await readAround(scanner, from, size, (records) => note(records, names, see));
      const used = (await window.lastNonZero(Math.min(from, size))) ?? from - 1;
      return number === end.segment ? Math.max(0, used + 1 - from) : size;
    });
  }
  const entries: LostEntries[] = [];
  for (const [id, next] of ends) {
    const name = names.get(id);
    const first = name === undefined ? 1 : (state.topic(name)?.next ?? 1);
    if (next > first) entries.push({ topic: name ?? `(topic ${id})`, first, next });
  }
  return { entries, bytes };
}

/** Gives every sound frame from a place on, whatever is between them. */
async function readAround(scanner: FrameScanner, from: number, size: number, give: (records: FrameRecords) => void): Promise<void> {
  const records = new FrameRecords();
  for (let at: number | null = from; at !== null && at < size; ) {
    const frame = await scanner.read(at, records);
    if (frame.damaged) at = await scanner.find(at + 1);
    else {
      give(records);
      at = frame.end;
    }
  }
}

function note(records: FrameRecords, names: Map<number, string>, see: (topic: number, next: number) => void): void {
  for (const { id, name, next } of records.declarations) {
    names.set(id, name);
    see(id, next);
  }
  for (let at = 0; at < records.count; at++) {
    if (records.types[at] === RecordType.append) see(records.topics[at] ?? 0, (records.indexes[at] ?? 0) + 1);
  }
}
