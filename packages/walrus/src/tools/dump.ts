import { RecordType } from "../format/format.js";
import { listLog, type ToolPorts } from "./log-directory.js";
import { Replayer } from "./replay.js";

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

/**
 * Gives every record of the log in a directory, in order, to `onRecord`, until the end or the first damage. Changes nothing.
 * @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT` at the first damage, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function dumpWalrus(directory: string, onRecord: (record: DumpedRecord) => void, ports: ToolPorts = {}): Promise<void> {
  const log = await listLog(directory, ports);
  const names = new Map<number, string>();
  const replay = await new Replayer(log, {
    onFrame: (frame, segment, records) => {
      for (const { id, name } of records.declarations) names.set(id, name);
      for (let at = 0; at < records.count; at++) {
        const topic = records.topics[at] ?? 0;
        onRecord({
          segment,
          offset: records.offsets[at] ?? 0,
          frame,
          type: TYPES[records.types[at] ?? 0] ?? "unknown",
          topic: names.get(topic) ?? `(topic ${topic})`,
          index: records.indexes[at] ?? 0,
          bytes: records.lengths[at] ?? 0,
        });
      }
    },
  }).run();
  if (replay.problem !== null) throw replay.problem;
}
