import { FrameKind, RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { encodeDirectory, encodePlaces, encodeTrailer, type RunEntry } from "../format/segment-footer.js";
import { EntryTable, type Run } from "../state/entry-table.js";
import type { LogState } from "../state/log-state.js";
import type { TopicIndex } from "../state/topic-index.js";
import { FrameBuilder, type FramePlace } from "./frame-builder.js";

/** The end of a segment: its seal frame and trailer, which follow from the state alone. */
export interface Seal {
  readonly buffers: readonly Uint8Array[];
  readonly byteLength: number;
  /** The seal frame's checksum. */
  readonly checksum: bigint;
  /** To be called once the seal is on stable storage. Gives the tables that are there now, too. */
  readonly apply: () => EntryTable[];
}

function placesOf({ table, first, next }: Readonly<Run>): Uint32Array {
  return table.places?.slice((first - table.first) * 2, (next - table.first) * 2) ?? new Uint32Array(0);
}

function recordBytes(places: Uint32Array): number {
  let bytes = (places.length >>> 1) * RECORD_HEADER_BYTES;
  for (let at = 1; at < places.length; at += 2) bytes += places[at] ?? 0;
  return bytes;
}

/** Works out the seal of the segment that is written to. */
export function buildSeal(state: LogState, segment: number, place: FramePlace, hasher: Hasher): Seal {
  const builder = new FrameBuilder();
  const directory: RunEntry[] = [];
  const sealed: [TopicIndex, EntryTable[]][] = [];
  for (const topic of state.topics()) {
    const tables: EntryTable[] = [];
    for (const run of topic.runsIn(segment)) {
      const places = placesOf(run);
      const count = run.next - run.first;
      const recordAt = place.position + builder.byteLength;
      builder.add(RecordType.run, topic.id, run.first, encodePlaces(places));
      directory.push({ topic: topic.id, first: run.first, count, bytes: recordBytes(places), recordAt });
      const table = new EntryTable(segment, run.first, count, places);
      table.recordAt = recordAt;
      tables.push(table);
    }
    if (tables.length > 0) sealed.push([topic, tables]);
  }
  const directoryAt = place.position + builder.byteLength;
  builder.add(RecordType.directory, 0, directory.length, encodeDirectory(directory));
  const frame = builder.finish(FrameKind.seal, place, hasher);
  const trailer = encodeTrailer({ sealAt: place.position, directoryAt, seal: frame.checksum }, place.seed, hasher);
  return {
    buffers: [...frame.buffers, trailer],
    byteLength: frame.byteLength + trailer.length,
    checksum: frame.checksum,
    apply: () => {
      for (const [topic, tables] of sealed) topic.sealed(segment, tables);
      return sealed.flatMap(([, tables]) => tables);
    },
  };
}
