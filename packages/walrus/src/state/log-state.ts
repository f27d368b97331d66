import { RecordType } from "../format/format.js";
import type { CursorRecord, TopicDeclaration } from "../format/record-codec.js";
import type { RunEntry } from "../format/segment-footer.js";
import type { FrameBuilder } from "../write/frame-builder.js";
import type { FrameRecords } from "../write/frame-records.js";
import { EntryTable } from "./entry-table.js";
import { SegmentTable } from "./segment-table.js";
import { TopicIndex } from "./topic-index.js";

/** What the log holds: all topics, where their entries are, and all cursors. Changed by whole frames only, by recovery and by finished writes alike. */
export class LogState {
  readonly segments: SegmentTable = new SegmentTable();
  readonly #byId = new Map<number, TopicIndex>();
  readonly #byName = new Map<string, TopicIndex>();

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
    let cursors = 0;
    for (let at = 0; at < records.count; at++) {
      const type = records.types[at];
      const appended = type === RecordType.append ? this.#append(records, at, segment) : 0;
      if (appended > 0) {
        at += appended - 1;
        continue;
      }
      let problem: string | null;
      if (type === RecordType.topic) problem = this.#declareNew(records.declarations[declared++]);
      else if (type === RecordType.cursor || type === RecordType.dropCursor) problem = this.#setCursor(type, records.cursors[cursors++]);
      else problem = this.#applyRecord(records, at, segment);
      if (problem !== null) return { problem, offset: records.offsets[at] ?? 0 };
    }
    return null;
  }

  /** Takes topics and cursors over from the head of a segment. Their entries, if any are live, are in other segments. */
  loadCheckpoint(records: FrameRecords): Misfit | null {
    let declared = 0;
    let cursors = 0;
    for (let at = 0; at < records.count; at++) {
      const type = records.types[at];
      const problem =
        type === RecordType.topic
          ? this.#declare(records.declarations[declared++])
          : this.#setCursor(RecordType.cursor, records.cursors[cursors++]);
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
    if (topics.length !== records.declarations.length) {
      return { problem: `it restates ${records.declarations.length} topics where there are ${topics.length}`, offset: 0 };
    }
    const cursors = topics.flatMap(({ id, cursors: all }) => [...all].map(([name, position]) => `${id} ${position} ${name}`));
    const restated = records.cursors.map(({ topic, name, position }) => `${topic} ${position} ${name}`);
    if (cursors.length === restated.length && cursors.every((cursor, at) => cursor === restated[at])) return null;
    return { problem: "it restates the cursors otherwise than the records before", offset: 0 };
  }

  /** Adds the records of a checkpoint to a frame. */
  writeCheckpoint(frame: FrameBuilder): void {
    for (const { id, name, first, next } of this.#byId.values()) frame.addTopic(id, name, first, next);
    for (const { id, cursors } of this.#byId.values()) {
      for (const [name, position] of cursors) frame.addCursor(id, name, position);
    }
  }

  /** Takes over what a sealed segment holds. Gives what makes no sense in it. */
  cover(segment: number, runs: readonly RunEntry[]): string | null {
    for (const { topic: id, first, count, bytes, recordAt } of runs) {
      const topic = this.#byId.get(id);
      if (topic === undefined) return `entries of topic ${id}, which the newest segment does not know`;
      const table = new EntryTable(segment, first, count, null);
      table.recordAt = recordAt;
      topic.cover(table, bytes);
    }
    return null;
  }

  /** A topic that should have entries which no segment holds. */
  incompleteTopic(): TopicIndex | null {
    for (const topic of this.#byId.values()) {
      if (topic.missing !== null) return topic;
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

  #setCursor(type: number, cursor: CursorRecord | undefined): string | null {
    const topic = this.#byId.get(cursor?.topic ?? 0);
    if (cursor === undefined || topic === undefined) return "a cursor of a topic that was not declared";
    if (type === RecordType.dropCursor) topic.cursors.delete(cursor.name);
    else topic.cursors.set(cursor.name, topic.clamp(cursor.position));
    return null;
  }

  /** Appends the record at `at` and those after it that are the same topic's. Gives how many; 0 if the first makes no sense. */
  #append(records: FrameRecords, at: number, segment: number): number {
    return this.#byId.get(records.topics[at] ?? 0)?.appendAll(records, at, segment) ?? 0;
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
        // What fits has been appended before, many at a time.
        return `entry ${index} of topic "${topic.name}" where ${topic.next} is due`;
      case RecordType.move:
        if (index < topic.first || index >= topic.next) return `entry ${index} of topic "${topic.name}" is moved, and does not exist`;
        topic.move(index, segment, records.offsets[at] ?? 0, records.lengths[at] ?? 0);
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
