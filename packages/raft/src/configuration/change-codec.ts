import { ByteReader, ByteWriter, type DecodeOutcome, malformed, unknownVersion } from "./bytes.js";
import {
  type ConfigurationChange,
  changeContextBytesMax,
  configurationChangesMax,
  type MemberChange,
  type MemberChangeType,
  type Transition,
  validateConfigurationChange,
} from "./change.js";

/**
 * Format 1, numbers little-endian:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | format version: 1 |
 * | 1 | transition: 0 auto, 1 implicit, 2 explicit |
 * | 2 | how many steps |
 *
 * and for each step
 *
 * | bytes | what |
 * | --- | --- |
 * | 8 | node id |
 * | 1 | type: 1 addVoter, 2 addLearner, 3 removeNode, 4 updateNode |
 * | 1 | 1 if it has a context, otherwise 0 |
 * | 2 | the context's length |
 * | … | the context |
 */
const version = 1;
const headerBytes = 4;
const stepBytes = 12;
const what = "configuration change";

const transitionCodes: Readonly<Record<Transition, number>> = { auto: 0, implicit: 1, explicit: 2 };
const transitionOf: readonly (Transition | undefined)[] = ["auto", "implicit", "explicit"];
const typeCodes: Readonly<Record<MemberChangeType, number>> = { addVoter: 1, addLearner: 2, removeNode: 3, updateNode: 4 };
const typeOf: readonly (MemberChangeType | undefined)[] = [undefined, "addVoter", "addLearner", "removeNode", "updateNode"];

/**
 * A change as the data of an entry of kind `configuration`.
 * @throws RangeError if it is malformed or over a limit: ask {@link validateConfigurationChange} first.
 */
export function encodeConfigurationChange(change: ConfigurationChange): Uint8Array {
  const problem = validateConfigurationChange(change);
  if (problem !== null) throw new RangeError(problem.message);
  let length = headerBytes;
  for (const { context } of change.changes) length += stepBytes + (context?.length ?? 0);
  const writer = new ByteWriter(length);
  writer.u8(version);
  writer.u8(transitionCodes[change.transition]);
  writer.u16(change.changes.length);
  for (const { type, nodeId, context } of change.changes) {
    writer.u64(nodeId);
    writer.u8(typeCodes[type]);
    writer.u8(context === undefined ? 0 : 1);
    writer.u16(context?.length ?? 0);
    if (context !== undefined) writer.raw(context);
  }
  return writer.bytes;
}

/** Reads a change back. Never throws. The contexts are views into `bytes`, which nobody may change any more. */
export function decodeConfigurationChange(bytes: Uint8Array): DecodeOutcome<ConfigurationChange> {
  const reader = new ByteReader(bytes);
  if (reader.remaining < 1) return malformed(what, "they are empty");
  const found = reader.u8();
  if (found !== version) return unknownVersion(what, found);
  if (bytes.length < headerBytes) return malformed(what, `${bytes.length} bytes are less than a header`);
  const transitionCode = reader.u8();
  const transition = transitionOf[transitionCode];
  if (transition === undefined) return malformed(what, `the transition ${transitionCode} is not defined`);
  const count = reader.u16();
  if (count > configurationChangesMax) return malformed(what, `${count} steps are more than ${configurationChangesMax}`);
  const changes: MemberChange[] = [];
  for (let read = 0; read < count; read++) {
    const step = readStep(reader);
    if (typeof step === "string") return malformed(what, `step ${read + 1} of ${count} ${step}`);
    changes.push(step);
  }
  return reader.remaining === 0
    ? { accepted: true, value: { transition, changes } }
    : malformed(what, `${reader.remaining} bytes follow the last step`);
}

/** @returns the step, or what is wrong with it. */
function readStep(reader: ByteReader): MemberChange | string {
  if (reader.remaining < stepBytes) return "is cut off";
  const nodeId = reader.u64();
  if (!Number.isSafeInteger(nodeId)) return "names a node whose id is above the safe integers";
  const typeCode = reader.u8();
  const type = typeOf[typeCode];
  if (type === undefined) return `has the type ${typeCode}, which is not defined`;
  const hasContext = reader.u8();
  const length = reader.u16();
  if (hasContext > 1 || (hasContext === 0 && length > 0)) return "is unclear about its context";
  if (length > changeContextBytesMax) return `has a context of ${length} bytes, more than ${changeContextBytesMax}`;
  if (length > reader.remaining) return "has a context that is cut off";
  return hasContext === 0 ? { type, nodeId } : { type, nodeId, context: reader.raw(length) };
}
