import type { BatchOperation, Walrus } from "../../src/index.js";

interface ModelTopic {
  first: number;
  entries: Uint8Array[];
  cursors: Map<string, number>;
}

/** That a cursor was moved, and its place stored. */
export interface CursorMove {
  readonly topic: string;
  readonly cursor: string;
  readonly position: number;
}

/** What a log should hold: the contract in its simplest form. */
export class Model {
  readonly topics: Map<string, ModelTopic> = new Map();

  apply(operations: readonly BatchOperation[]): void {
    for (const operation of operations) this.#step(operation);
    for (const topic of this.topics.values()) {
      const end = topic.first + topic.entries.length;
      for (const [name, position] of topic.cursors) topic.cursors.set(name, Math.min(Math.max(position, topic.first), end));
    }
  }

  move({ topic, cursor, position }: CursorMove): void {
    this.topics.get(topic)?.cursors.set(cursor, position);
  }

  #step(operation: BatchOperation): void {
    const known = this.topics.get(operation.topic);
    const topic = known ?? { first: 1, entries: [], cursors: new Map<string, number>() };
    const next = topic.first + topic.entries.length;
    if ("append" in operation) {
      if (operation.append.length === 0) return;
      topic.entries.push(...operation.append);
    } else if ("truncateBack" in operation) {
      if (operation.truncateBack >= next) return;
      topic.entries.length = operation.truncateBack - topic.first;
    } else {
      if (operation.truncateFront <= topic.first) return;
      topic.entries.splice(0, operation.truncateFront - topic.first);
      topic.first = operation.truncateFront;
    }
    this.topics.set(operation.topic, topic);
  }

  /** All of it as one string. */
  describe(): string {
    return [...this.topics].map(([name, { first, entries, cursors }]) => describeTopic(name, first, entries, cursors)).join("\n");
  }
}

function describeTopic(name: string, first: number, entries: readonly Uint8Array[], cursors: ReadonlyMap<string, number>): string {
  const places = [...cursors].map(([cursor, position]) => ` ${cursor}@${position}`).join("");
  return `${name} ${first}: ${entries.map((entry) => Buffer.from(entry).toString("hex")).join(" ")}${places}`;
}

/** All that a log holds, in the words of {@link Model.describe}. */
export async function describeLog(log: Walrus): Promise<string> {
  const lines: string[] = [];
  for (const name of log.topics()) {
    const { first, next } = log.bounds(name);
    const entries: Uint8Array[] = [];
    for await (const { index, payload } of log.entries(name, first, { maxEntries: 50 })) {
      if (index !== first + entries.length) throw new Error(`entry ${index} of ${name} where ${first + entries.length} is due`);
      entries.push(payload);
    }
    if (first + entries.length !== next) throw new Error(`${name} ends at ${first + entries.length}, not at ${next}`);
    lines.push(describeTopic(name, first, entries, log.cursors(name)));
  }
  return lines.join("\n");
}

/** A payload that names itself, of `length` bytes or more. */
export function payload(name: string, length = 0): Uint8Array {
  return Buffer.from(`<${name}>`.padEnd(length, "."));
}
