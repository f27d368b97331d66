import { type BatchLimits, checkPayload, checkRoom, checkTopicName, planBatch } from "./batch-plan.js";
import type { CommitQueue } from "./commit-queue.js";
import { WalrusError } from "./errors.js";
import { MAX_TOPIC_RECORD_BYTES, RECORD_HEADER_BYTES, RecordType } from "./format.js";
import type { Group } from "./group.js";
import type { LogState } from "./log-state.js";
import type { WalrusConfig } from "./options.js";
import type { BatchOperation, IndexRange } from "./types.js";

/** Where a topic will stand once everything that was taken is durable. */
interface TakenTopic {
  readonly id: number;
  first: number;
  next: number;
}

/** Takes calls: gives them their indexes, and puts their records into the queue. Synchronous; either all of a call is taken or nothing. */
export class Intake {
  readonly #topics = new Map<string, TakenTopic>();
  readonly #queue: CommitQueue;
  readonly #config: WalrusConfig;
  readonly #limits: BatchLimits;

  constructor(state: LogState, queue: CommitQueue, config: WalrusConfig) {
    for (const { id, name, first, next } of state.topics()) this.#topics.set(name, { id, first, next });
    this.#queue = queue;
    this.#config = config;
    this.#limits = config;
  }

  bounds(name: string): IndexRange | undefined {
    return this.#topics.get(name);
  }

  names(): string[] {
    return [...this.#topics.keys()];
  }

  append(name: string, payload: Uint8Array): Promise<number> {
    checkPayload(payload, this.#limits);
    const known = this.#topics.get(name);
    if (known === undefined) checkTopicName(name);
    else checkRoom(name, known.next, 1);
    const bytes = RECORD_HEADER_BYTES + payload.length + (known === undefined ? MAX_TOPIC_RECORD_BYTES : 0);
    this.#checkQueue(bytes, known === undefined ? 1 : 0);
    const group = this.#queue.gather(bytes);
    const topic = known ?? this.#declare(name, group);
    const index = topic.next++;
    group.frame.add(RecordType.append, topic.id, index, payload);
    return group.wait(index);
  }

  batch(operations: readonly BatchOperation[]): Promise<readonly IndexRange[]> {
    if (!Array.isArray(operations)) throw new TypeError("A batch must be an array of operations.");
    const plan = planBatch(operations, (name) => this.#topics.get(name), this.#limits);
    if (plan.bytes > this.#config.maxQueuedBytes) {
      const message = `A batch of ${plan.bytes} bytes is over maxQueuedBytes, ${this.#config.maxQueuedBytes}; split it.`;
      throw new WalrusError("OCTOPII_WALRUS_TOO_LARGE", message, { outcome: "failed" });
    }
    this.#checkQueue(plan.bytes, plan.newTopics);
    const group = this.#queue.gather(plan.bytes);
    for (const operation of operations) this.#execute(operation, group);
    return group.wait(plan.ranges);
  }

  /** A promise that resolves after everything that was taken before. */
  barrier(): Promise<void> {
    return this.#queue.gather(0).wait(undefined);
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
    } else {
      const index = operation.truncateFront;
      if (index <= (known?.first ?? 1)) return;
      const topic = known ?? this.#declare(operation.topic, group);
      group.frame.add(RecordType.truncateFront, topic.id, index, null);
      topic.first = index;
      topic.next = Math.max(topic.next, index);
    }
  }

  #checkQueue(bytes: number, newTopics: number): void {
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

  #declare(name: string, group: Group): TakenTopic {
    const topic: TakenTopic = { id: this.#topics.size + 1, first: 1, next: 1 };
    this.#topics.set(name, topic);
    group.frame.addTopic(topic.id, name, 1, 1);
    return topic;
  }
}
