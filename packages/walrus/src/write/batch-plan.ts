import { types } from "node:util";
import { WalrusError } from "../errors.js";
import { MAX_TOPIC_NAME_BYTES, MAX_TOPIC_RECORD_BYTES, RECORD_HEADER_BYTES } from "../format/format.js";
import type { BatchOperation, IndexRange } from "../types.js";

/** What every operation is checked against. */
export interface BatchLimits {
  readonly maxRecordBytes: number;
}

/** What a batch would do. */
export interface BatchPlan {
  readonly ranges: readonly IndexRange[];
  /** Payloads and record headers. */
  readonly bytes: number;
  readonly newTopics: number;
}

interface PlannedTopic {
  first: number;
  next: number;
  exists: boolean;
}

const encoder = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Checks the name of a topic that does not exist yet. */
export function checkTopicName(name: string): void {
  if (typeof name !== "string") throw new TypeError(`A topic's name must be a string, not ${typeof name}.`);
  if (name === "" || LONE_SURROGATE.test(name))
    throw new TypeError("A topic's name must be a well-formed string of at least one character.");
  const bytes = encoder.encode(name).length;
  if (bytes <= MAX_TOPIC_NAME_BYTES) return;
  const message = `A topic's name of ${bytes} bytes is too long; ${MAX_TOPIC_NAME_BYTES} are allowed.`;
  throw new WalrusError("OCTOPII_WALRUS_TOO_LARGE", message, { outcome: "failed" });
}

/** Checks one payload. */
export function checkPayload(payload: Uint8Array, limits: BatchLimits): void {
  // The first test is the quicker one; the second is right for arrays of another realm too.
  if (!(payload instanceof Uint8Array || types.isUint8Array(payload))) throw new TypeError("A payload must be a Uint8Array.");
  if (payload.length <= limits.maxRecordBytes) return;
  const message = `A payload of ${payload.length} bytes is over maxRecordBytes, ${limits.maxRecordBytes}; split it, or log a reference to it.`;
  throw new WalrusError("OCTOPII_WALRUS_TOO_LARGE", message, { outcome: "failed" });
}

/** Checks an index that a caller gave. */
export function checkIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 1)
    throw new RangeError(`An index must be a whole number of at least 1, not ${String(index)}.`);
}

/** Makes sure that `count` more entries have safe indexes, and one index is left for the next. */
export function checkRoom(name: string, next: number, count: number): void {
  if (count <= Number.MAX_SAFE_INTEGER - next) return;
  const message = `Topic "${name}" is at its last index; start a new topic.`;
  throw new WalrusError("OCTOPII_WALRUS_OUT_OF_RANGE", message, { outcome: "failed" });
}

function belowFirst(name: string, index: number, first: number): WalrusError {
  const message = `Topic "${name}" cannot be truncated back to ${index}: it begins at ${first}. Truncate it at ${first} or above.`;
  return new WalrusError("OCTOPII_WALRUS_OUT_OF_RANGE", message, { outcome: "failed", details: { first } });
}

/** Works out what a batch does, operation by operation, and changes nothing. Throws if any operation cannot be done. */
export function planBatch(
  operations: readonly BatchOperation[],
  boundsOf: (topic: string) => IndexRange | undefined,
  limits: BatchLimits,
): BatchPlan {
  const topics = new Map<string, PlannedTopic>();
  const ranges: IndexRange[] = [];
  let bytes = 0;
  let newTopics = 0;
  for (const operation of operations) {
    const name = operation.topic;
    let topic = topics.get(name);
    if (topic === undefined) {
      const bounds = boundsOf(name);
      if (bounds === undefined) checkTopicName(name);
      topic = { first: bounds?.first ?? 1, next: bounds?.next ?? 1, exists: bounds !== undefined };
      topics.set(name, topic);
    }
    const added = planOperation(operation, topic, ranges, limits);
    if (added > 0 && !topic.exists) {
      topic.exists = true;
      newTopics++;
      bytes += MAX_TOPIC_RECORD_BYTES;
    }
    bytes += added;
  }
  return { ranges, bytes, newTopics };
}

/** Moves `topic` on; gives the bytes of the operation's records, 0 if it needs none. */
function planOperation(operation: BatchOperation, topic: PlannedTopic, ranges: IndexRange[], limits: BatchLimits): number {
  let bytes = 0;
  const before = topic.next;
  if ("append" in operation) {
    checkRoom(operation.topic, topic.next, operation.append.length);
    for (const payload of operation.append) {
      checkPayload(payload, limits);
      bytes += RECORD_HEADER_BYTES + payload.length;
    }
    topic.next += operation.append.length;
    ranges.push({ first: before, next: topic.next });
    return bytes;
  }
  if ("truncateBack" in operation) {
    checkIndex(operation.truncateBack);
    if (operation.truncateBack < topic.first) throw belowFirst(operation.topic, operation.truncateBack, topic.first);
    if (operation.truncateBack < topic.next) {
      bytes = RECORD_HEADER_BYTES;
      topic.next = operation.truncateBack;
    }
  } else {
    checkIndex(operation.truncateFront);
    if (operation.truncateFront > topic.first) {
      bytes = RECORD_HEADER_BYTES;
      topic.first = operation.truncateFront;
      topic.next = Math.max(topic.next, topic.first);
    }
  }
  ranges.push({ first: topic.next, next: topic.next });
  return bytes;
}
