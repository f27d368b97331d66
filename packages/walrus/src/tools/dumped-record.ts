import { RecordType } from "../format/format.js";
import type { FrameRecords } from "../write/frame-records.js";

/** One record of a log, payload aside. */
export interface DumpedRecord {
  readonly segment: number;
  /** Where it begins in its segment. */
  readonly offset: number;
  /** In which frame it stands: the head of a segment, or a commit. */
  readonly frame: "checkpoint" | "commit";
  readonly type: "append" | "truncateBack" | "truncateFront" | "topic" | "move" | "cursor" | "dropCursor" | "unknown";
  readonly topic: string;
  readonly index: number;
  /** The length of its payload. */
  readonly bytes: number;
}

const TYPES: Readonly<Record<number, DumpedRecord["type"]>> = Object.fromEntries(
  (["append", "truncateBack", "truncateFront", "topic", "move", "cursor", "dropCursor"] as const).map((name) => [RecordType[name], name]),
);

/** The names of topics, as their records declare them. */
export class TopicNames {
  readonly #names = new Map<number, string>();

  learn(records: FrameRecords): void {
    for (const { id, name } of records.declarations) this.#names.set(id, name);
  }

  of(id: number): string {
    return this.#names.get(id) ?? `(topic ${id})`;
  }
}

/** Gives each record of a frame. */
export function recordsOf(
  frame: DumpedRecord["frame"],
  segment: number,
  records: FrameRecords,
  names: TopicNames,
  give: (record: DumpedRecord) => void,
): void {
  for (let at = 0; at < records.count; at++) {
    give({
      segment,
      offset: records.offsets[at] ?? 0,
      frame,
      type: TYPES[records.types[at] ?? 0] ?? "unknown",
      topic: names.of(records.topics[at] ?? 0),
      index: records.indexes[at] ?? 0,
      bytes: records.lengths[at] ?? 0,
    });
  }
}
