import type { Operation } from "./model.js";

/** Jepsen's words: `ok` it happened, `fail` it did not and never will, `info` nobody knows. */
export type EventType = "invoke" | "ok" | "fail" | "info";

/** One line of a recorded history. */
export interface HistoryEvent<Input, Output> {
  /** The place in the history, from 0. This, not `time`, orders events. */
  readonly index: number;
  /** Monotonic milliseconds of the recording clock. */
  readonly time: number;
  /** A client's identity while its outcomes are known: it has one operation at a time, and none after an `info`. */
  readonly process: number;
  readonly type: EventType;
  /** The operation; an event that completes it repeats the input of its `invoke`. */
  readonly input: Input;
  /** The answer; only `ok` has one. */
  readonly output?: Output;
  /** Why, for people; only `fail` and `info` have one. */
  readonly error?: string;
}

/**
 * Pairs each `invoke` with the event that completes it. An operation that failed is left out, for it never took effect; one that
 * ended as `info`, or not at all, never returns. Calls and returns are indexes of events; the result is in order of call.
 * @throws {TypeError} if a process calls twice at once or completes what it did not call.
 */
export function operationsOf<Input, Output>(events: readonly HistoryEvent<Input, Output>[]): Operation<Input, Output>[] {
  const open = new Map<number, number>();
  const operations: (Operation<Input, Output> | undefined)[] = [];
  events.forEach((event, index) => {
    const { process: client, type, input } = event;
    const slot = open.get(client);
    if (type === "invoke") {
      if (slot !== undefined) throw new TypeError(`Event ${index}: process ${client} calls while an operation of its own is under way.`);
      open.set(client, operations.length);
      operations.push({ client, input, output: undefined, call: index, return: Infinity });
      return;
    }
    const invoked = slot === undefined ? undefined : operations[slot];
    if (slot === undefined || invoked === undefined)
      throw new TypeError(`Event ${index}: process ${client} completes what it did not call.`);
    // After an info the process stays taken: if it called again, its two operations would seem to be in order.
    if (type === "info") return;
    open.delete(client);
    operations[slot] = type === "ok" ? { ...invoked, output: event.output, return: index } : undefined;
  });
  return operations.filter((operation) => operation !== undefined);
}
