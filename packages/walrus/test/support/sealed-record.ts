import { viewOf } from "../../src/format/bytes.js";
import { RECORD_HEADER_BYTES, RecordType } from "../../src/format/format.js";
import type { Hasher } from "../../src/format/hasher.js";
import { writeRecordHeader } from "../../src/format/record-codec.js";

/** A record of topic 1 with its checksum, as the documented format says, and the offset for which that holds. */
export function sealedRecord(index: number, payload: Uint8Array, seed: bigint, hasher: Hasher): { whole: Buffer; position: number } {
  const position = index * 1_000_003;
  const whole = Buffer.alloc(RECORD_HEADER_BYTES + payload.length);
  const view = viewOf(whole);
  writeRecordHeader(view, 0, payload.length, RecordType.append, 1, index);
  whole.set(payload, RECORD_HEADER_BYTES);
  view.setBigUint64(16, BigInt(position), true);
  view.setBigUint64(16, hasher.hash(whole, seed), true);
  return { whole, position };
}
