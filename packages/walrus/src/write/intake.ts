import { WalrusError } from "../errors.js";
import { MAX_TOPIC_RECORD_BYTES, RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import { encodeCursorName } from "../format/record-codec.js";
import type { WalrusConfig } from "../options.js";
import type { LogState } from "../state/log-state.js";
import type { BatchOperation, IndexRange } from "../types.js";
import { checkPayload, checkRoom, checkTopicName, planBatch } from "./batch-plan.js";
import type { CommitQueue } from "./commit-queue.js";
import type { Group } from "./group.js";

/** Where a topic will stand once everything that was taken is written. */
interface TakenTopic {
  readonly id: number;
  first: number;
  next: number;
  /** How often its end was cut. Entries that were read before such a cut may not be those that have their indexes after it. */
  cuts: number;
}

/** An entry that is to be written once more, further on. */
export interface MovedEntry {
  readonly index: number;
  readonly payload: Uint8Array;
}

/** Takes calls: gives them their indexes, and puts their records into the queue. Synchronous; either all of a call is taken or nothing. */
export class Intake {
  readonly #topics = new Map<string, TakenTopic>();
  readonly #state: LogState;
  readonly #queue: CommitQueue;
  readonly #config: WalrusConfig;

  constructor(state: LogState, queue: CommitQueue, config: WalrusConfig) {
    for (const { id, name, first, next, cuts } of state.topics()) this.#topics.set(name, { id, first, next, cuts });
    this.#state = state;
    this.#queue = queue;
    this.#config = config;
  }

  bounds(name: string): IndexRange | undefined {
    return this.#topics.get(name);
  }

  names(): string[] {
    return [...this.#topics.keys()];
  }

  append(name: string, payload: Uint8Array, durable: boolean): Promise<number> {
    checkPayload(payload, this.#config);
    const known = this.#topics.get(name);
    if (known === undefined) checkTopicName(name);
    else checkRoom(name, known.next, 1);
    const bytes = RECORD_HEADER_BYTES + payload.length + (known === undefined ? MAX_TOPIC_RECORD_BYTES : 0);
    this.#checkLimits(bytes, known === undefined ? 1 : 0);
    this.#checkDisk(bytes);
    const group = this.#queue.gather(bytes, durable);
    const topic = known ?? this.#declare(name, group);
    const index = topic.next++;
    group.frame.add(RecordType.append, topic.id, index, payload);
    return group.wait(index);
  }

  batch(operations: readonly BatchOperation[], durable: boolean): Promise<readonly IndexRange[]> {
    if (!Array.isArray(operations)) throw new TypeError("A batch must be an array of operations.");
    const plan = planBatch(operations, (name) => this.#topics.get(name), this.#config);
    if (plan.bytes > this.#config.maxQueuedBytes) {
      const message = `A batch of ${plan.bytes} bytes is over maxQueuedBytes, ${this.#config.maxQueuedBytes}; split it.`;
      throw new WalrusError("OCTOPII_WALRUS_TOO_LARGE", message, { outcome: "failed" });
    }
    this.#checkLimits(plan.bytes, plan.newTopics);
    // Whoever gives room back must not need room for it.
    if (operations.some((operation) => "append" in operation)) this.#checkDisk(plan.bytes);
    const group = this.#queue.gather(plan.bytes, durable);
    for (const operation of operations) this.#execute(operation, group);
    return group.wait(plan.ranges);
  }

  /** Notes where a cursor stands. */
  cursor(name: string, cursor: string, position: number, durable: boolean): Promise<void> {
    const known = this.#topics.get(name);
    if (known === undefined) checkTopicName(name);
    const bytes = RECORD_HEADER_BYTES + cursor.length * 3 + (known === undefined ? MAX_TOPIC_RECORD_BYTES : 0);
    this.#checkLimits(bytes, known === undefined ? 1 : 0);
    const group = this.#queue.gather(bytes, durable);
    group.frame.addCursor((known ?? this.#declare(name, group)).id, cursor, position);
    return group.wait(undefined);
  }

  /** Forgets a cursor. */
  dropCursor(name: string, cursor: string, durable: boolean): Promise<void> {
    const known = this.#topics.get(name);
    if (known === undefined) return Promise.resolve();
    const group = this.#queue.gather(RECORD_HEADER_BYTES + cursor.length * 3, durable);
    group.frame.add(RecordType.dropCursor, known.id, 1, encodeCursorName(cursor));
    return group.wait(undefined);
  }

  /** How often the end of a topic was cut, by calls that were taken. */
  cutsOf(name: string): number {
    return this.#topics.get(name)?.cuts ?? 0;
  }

  /**
   * Has entries written once more, those that still exist; null if the topic's end was cut since they were read.
   * @param cuts - {@link cutsOf} when they were read.
   */
  move(name: string, entries: readonly MovedEntry[], cuts: number): Promise<void> | null {
    const topic = this.#topics.get(name);
    if (topic === undefined || topic.cuts !== cuts) return null;
    let bytes = 0;
    for (const { payload } of entries) bytes += RECORD_HEADER_BYTES + payload.length;
    // Their old places go only when the new ones are durable.
    const group = this.#queue.gather(bytes, true);
    for (const { index, payload } of entries) {
      if (index >= topic.first && index < topic.next) group.frame.add(RecordType.move, topic.id, index, payload);
    }
    return group.wait(undefined);
  }

  /** A promise that resolves after everything that was taken before, and once it is on stable storage if `durable`. */
  barrier(durable: boolean): Promise<void> {
    return this.#queue.gather(0, durable).wait(undefined);
  }

  #execute(operation: BatchOperation, group: Group): void {
    const known = this.#topics.get(operation.topic);
    if ("append" in operation) {
      if (operation.append.length === 0) return;
      const topic = known ?? this.#declare(operation.topic, group);
      for (const payload of operation.append) group.frame.add(RecordType.append, topic.id, topic.next++, payload);
    } else if ("truncateBack" in operation) {
      const index = operation.truncateBack;
      if (known === undefined || index >= known.next) return;
      group.frame.add(RecordType.truncateBack, known.id, index, null);
      known.next = index;
      known.cuts++;
    } else {
      const index = operation.truncateFront;
      if (index <= (known?.first ?? 1)) return;
      const topic = known ?? this.#declare(operation.topic, group);
      group.frame.add(RecordType.truncateFront, topic.id, index, null);
      topic.first = index;
      topic.next = Math.max(topic.next, index);
    }
  }

  #checkLimits(bytes: number, newTopics: number): void {
    const { maxQueuedBytes, maxTopics } = this.#config;
    const queued = this.#queue.queuedBytes;
    if (newTopics > 0 && this.#topics.size + newTopics > maxTopics) {
      const message = `The log has ${this.#topics.size} topics and maxTopics is ${maxTopics}; raise it, or use fewer topics.`;
      throw new WalrusError("OCTOPII_WALRUS_TOO_MANY_TOPICS", message, { outcome: "failed" });
    }
    if (queued + bytes <= maxQueuedBytes) return;
    const message = `${queued} bytes already wait for the disk and maxQueuedBytes is ${maxQueuedBytes}; wait for some appends and try again.`;
    throw new WalrusError("OCTOPII_WALRUS_BUSY", message, { outcome: "failed", details: { queuedBytes: queued } });
  }

  #checkDisk(bytes: number): void {
    const { maxDiskBytes, whenFull } = this.#config;
    if (maxDiskBytes === null || whenFull === "evict") return;
    const used = this.#state.segments.bytes + this.#queue.queuedBytes;
    if (used + bytes <= maxDiskBytes) return;
    const message = `The log holds ${used} bytes and maxDiskBytes is ${maxDiskBytes}; truncate topics at their front, or raise it.`;
    throw new WalrusError("OCTOPII_WALRUS_FULL", message, { outcome: "failed", details: { usedBytes: used } });
  }

  #declare(name: string, group: Group): TakenTopic {
    const topic: TakenTopic = { id: this.#topics.size + 1, first: 1, next: 1, cuts: 0 };
    this.#topics.set(name, topic);
    group.frame.addTopic(topic.id, name, 1, 1);
    return topic;
  }
}
