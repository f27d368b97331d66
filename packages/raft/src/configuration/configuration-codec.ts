import type { NodeId } from "@octopii/interfaces";
import { ByteReader, ByteWriter, type DecodeOutcome, malformed, unknownVersion } from "./bytes.js";
import { type Configuration, configurationMembersMax } from "./configuration.js";
import { validateConfiguration } from "./validate.js";

/**
 * Format 1, numbers little-endian:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | format version: 1 |
 * | 1 | flags: bit 0 is `autoLeave`, the others are 0 |
 * | 4 × 2 | how many voters, outgoing voters, learners, learners next |
 * | 8 each | the ids, list after list |
 */
const version = 1;
const headerBytes = 10;
const autoLeaveFlag = 1;
const what = "membership configuration";

/**
 * A configuration as bytes, for snapshots and storage.
 * @throws RangeError if it is unsound: see {@link validateConfiguration}.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const problem = validateConfiguration(configuration);
  if (problem !== null) throw new RangeError(problem.message);
  const lists = [configuration.voters, configuration.votersOutgoing, configuration.learners, configuration.learnersNext];
  const ids = lists.flat();
  const writer = new ByteWriter(headerBytes + 8 * ids.length);
  writer.u8(version);
  writer.u8(configuration.autoLeave ? autoLeaveFlag : 0);
  for (const list of lists) writer.u16(list.length);
  for (const id of ids) writer.u64(id);
  return writer.bytes;
}

/** Reads a configuration back, and checks that it is sound. Never throws. The result shares nothing with `bytes`. */
export function decodeConfiguration(bytes: Uint8Array): DecodeOutcome<Configuration> {
  const reader = new ByteReader(bytes);
  if (reader.remaining < 1) return malformed(what, "they are empty");
  const found = reader.u8();
  if (found !== version) return unknownVersion(what, found);
  if (bytes.length < headerBytes) return malformed(what, `${bytes.length} bytes are less than a header`);
  const flags = reader.u8();
  if ((flags & ~autoLeaveFlag) !== 0) return malformed(what, `the flags ${flags} are not defined`);
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
  const total = counts[0] + counts[1] + counts[2] + counts[3];
  if (Math.max(...counts) > configurationMembersMax) return malformed(what, `a list is longer than ${configurationMembersMax} members`);
  if (reader.remaining !== 8 * total) return malformed(what, `${total} ids take ${8 * total} bytes, not ${reader.remaining}`);
  const configuration: Configuration = {
    voters: readIds(reader, counts[0]),
    votersOutgoing: readIds(reader, counts[1]),
    learners: readIds(reader, counts[2]),
    learnersNext: readIds(reader, counts[3]),
    autoLeave: flags === autoLeaveFlag,
  };
  const problem = validateConfiguration(configuration);
  return problem === null ? { accepted: true, value: configuration } : { accepted: false, refusal: problem };
}

function readIds(reader: ByteReader, count: number): NodeId[] {
  const ids: NodeId[] = [];
  for (let read = 0; read < count; read++) ids.push(reader.u64());
  return ids;
}
