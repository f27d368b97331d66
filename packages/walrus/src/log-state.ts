import { RecordType } from "./format.js";
import type { FrameBuilder } from "./frame-builder.js";
import type { FrameRecords } from "./frame-records.js";
import type { TopicDeclaration } from "./record-codec.js";
import { SegmentTable } from "./segment-table.js";
import { TopicIndex } from "./topic-index.js";

/** What is on stable storage: all topics and where their entries are. Changed by whole frames only, by recovery and by finished flushes alike. */
export class LogState {
  readonly segments: SegmentTable = new SegmentTable();
  readonly #byId = new Map<number, TopicIndex>();
  readonly #byName = new Map<string, TopicIndex>();

  get topicCount(): number {
    return this.#byId.size;
  }

  topic(name: string): TopicIndex | undefined {
    return this.#byName.get(name);
  }

  /** All topics, in the order in which they were first used. */
  topics(): IterableIterator<TopicIndex> {
    return this.#byId.values();
  }

  /** Applies a commit frame in `segment`. Gives null, or what makes no sense in it and at which record. */
  applyCommit(records: FrameRecords, segment: number): Misfit | null {
    let declared = 0;
    for (let at = 0; at < records.count; at++) {
      let problem: string | null;
      if (records.types[at] === RecordType.topic) problem = this.#declareNew(records.declarations[declared++]);
      else problem = this.#applyRecord(records, at, segment);
      if (problem !== null) return { problem, offset: records.offsets[at] ?? 0 };
    }
    return null;
  }

  /** Takes topics over from the head of the oldest segment. Their entries, if any are live, were in segments that are gone. */
  loadCheckpoint(records: FrameRecords): Misfit | null {
    for (const [at, topic] of records.declarations.entries()) {
      const problem = this.#declare(topic);
      if (problem !== null) return { problem, offset: records.offsets[at] ?? 0 };
    }
    return null;
  }

  /** Checks that the head of a later segment says what the segments before it lead to. */
  matchCheckpoint(records: FrameRecords): Misfit | null {
    const topics = [...this.#byId.values()];
    for (const [at, said] of records.declarations.entries()) {
      const topic = topics[at];
      const same = topic?.id === said.id && topic.name === said.name && topic.first === said.first && topic.next === said.next;
      if (!same) return { problem: `it restates topic "${said.name}" otherwise than the records before`, offset: records.offsets[at] ?? 0 };
    }
    if (topics.length === records.declarations.length) return null;
    return { problem: `it restates ${records.declarations.length} topics where there are ${topics.length}`, offset: 0 };
  }

  /** Adds the records of a checkpoint to a frame. */
  writeCheckpoint(frame: FrameBuilder): void {
    for (const { id, name, first, next } of this.#byId.values()) frame.addTopic(id, name, first, next);
  }

  /** A topic that should have entries which no segment holds. */
  incompleteTopic(): TopicIndex | null {
    for (const topic of this.#byId.values()) {
      if (topic.missing > 0) return topic;
    }
    return null;
  }

  #declareNew(topic: TopicDeclaration | undefined): string | null {
    if (topic !== undefined && topic.first !== topic.next) return `a new topic, "${topic.name}", that already has entries`;
    return this.#declare(topic);
  }

  #declare(topic: TopicDeclaration | undefined): string | null {
    if (topic === undefined) return "a topic record that makes no sense";
    if (topic.id !== this.#byId.size + 1) return `topic "${topic.name}" has id ${topic.id} where ${this.#byId.size + 1} is due`;
    if (this.#byName.has(topic.name)) return `topic "${topic.name}" is declared twice`;
    const index = new TopicIndex(topic.id, topic.name, topic.first, topic.next, this.segments);
    this.#byId.set(topic.id, index);
    this.#byName.set(topic.name, index);
    return null;
  }

  #applyRecord(records: FrameRecords, at: number, segment: number): string | null {
    const id = records.topics[at] ?? 0;
    const index = records.indexes[at] ?? 0;
    const topic = this.#byId.get(id);
    if (topic === undefined) return `a record of topic ${id}, which was not declared`;
    if (!Number.isSafeInteger(index)) return `an index beyond the safe integers in topic "${topic.name}"`;
    const type = records.types[at] ?? 0;
    switch (type) {
      case RecordType.append:
        if (index !== topic.next) return `entry ${index} of topic "${topic.name}" where ${topic.next} is due`;
        topic.append(segment, records.offsets[at] ?? 0, records.lengths[at] ?? 0);
        return null;
      case RecordType.truncateBack:
        if (index < topic.first || index >= topic.next) return `a back truncation of topic "${topic.name}" at ${index}, where nothing is`;
        topic.truncateBack(index);
        return null;
      case RecordType.truncateFront:
        if (index <= topic.first) return `a front truncation of topic "${topic.name}" at ${index}, where nothing is`;
        topic.truncateFront(index);
        return null;
      default:
        return `a record of unknown type ${type}`;
    }
  }
}

/** What is wrong with a frame whose bytes are as they were written. */
export interface Misfit {
  readonly problem: string;
  /** In its segment; 0 where it is the frame as a whole. */
  readonly offset: number;
}
