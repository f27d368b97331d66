import type { Clock } from "@octopii/interfaces";
import { type HistoryEvent, operationsOf } from "./history.js";
import type { Operation } from "./model.js";

/** Settings of a {@link HistoryRecorder}. */
export interface HistoryRecorderOptions {
  /** Events after which `invoke` refuses, so that a run cannot fill memory; completions still pass. Default: 1,000,000 (some 100 MB). */
  readonly maxEvents?: number;
}

/** Settings that a {@link HistoryRecorder} starts from; {@link HistoryRecorderOptions} gives the reasons. */
export const historyRecorderDefaults: Readonly<Required<HistoryRecorderOptions>> = { maxEvents: 1_000_000 };

/**
 * Writes down what clients ask and are told, in the order in which one event loop sees it. Record an `invoke` before the request
 * leaves and its completion after the answer is there: a span that is too long weakens a check, one that is too short falsifies it.
 */
export interface HistoryRecorder<Input, Output> {
  /** What was recorded so far, oldest first. The recorder's own array: do not change it. */
  readonly events: readonly HistoryEvent<Input, Output>[];
  /** A process number that was never given before. A client takes a new one at its start and after each `info`. */
  newProcess(): number;
  /** @throws {TypeError} if the process was not given, is busy or is retired. @throws {RangeError} if the recorder is full. */
  invoke(process: number, input: Input): void;
  /** The operation took effect and this was the answer. @throws {TypeError} if the process has none under way. */
  ok(process: number, output: Output): void;
  /** The operation did not and will not take effect. @throws {TypeError} if the process has none under way. */
  fail(process: number, error?: string): void;
  /** Nobody knows, such as after a timeout. Retires the process. @throws {TypeError} if the process has none under way. */
  info(process: number, error?: string): void;
  /** The history for {@link checkLinearizability}; operations still under way count as unknown. */
  operations(): Operation<Input, Output>[];
}

/** An empty recorder. @throws {RangeError} if an option is out of range. */
export function createHistoryRecorder<Input, Output>(
  ports: { readonly clock: Pick<Clock, "now"> },
  options: HistoryRecorderOptions = {},
): HistoryRecorder<Input, Output> {
  const maxEvents = options.maxEvents ?? historyRecorderDefaults.maxEvents;
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) {
    throw new RangeError(`History recorder: maxEvents must be a positive integer, not ${maxEvents}.`);
  }
  return new EventRecorder(ports.clock, maxEvents);
}

class EventRecorder<Input, Output> implements HistoryRecorder<Input, Output> {
  readonly events: HistoryEvent<Input, Output>[] = [];
  readonly #clock: Pick<Clock, "now">;
  readonly #maxEvents: number;
  readonly #pending = new Map<number, { readonly input: Input }>();
  readonly #retired = new Set<number>();
  #processes = 0;

  constructor(clock: Pick<Clock, "now">, maxEvents: number) {
    this.#clock = clock;
    this.#maxEvents = maxEvents;
  }

  newProcess(): number {
    this.#processes += 1;
    return this.#processes - 1;
  }

  invoke(process: number, input: Input): void {
    if (!Number.isInteger(process) || process < 0 || process >= this.#processes) {
      throw new TypeError(`Process ${process} is not one that newProcess() gave; take one from it.`);
    }
    if (this.#retired.has(process)) throw new TypeError(`Process ${process} had an unknown outcome; continue with one from newProcess().`);
    if (this.#pending.has(process)) throw new TypeError(`Process ${process} has an operation under way; complete that first.`);
    if (this.events.length >= this.#maxEvents) {
      throw new RangeError(`The history holds ${this.#maxEvents} events, its maxEvents; check it and start another.`);
    }
    this.#pending.set(process, { input });
    this.events.push({ ...this.#stamp(), process, type: "invoke", input });
  }

  ok(process: number, output: Output): void {
    const input = this.#complete(process);
    this.events.push({ ...this.#stamp(), process, type: "ok", input, output });
  }

  fail(process: number, error?: string): void {
    const input = this.#complete(process);
    this.events.push({ ...this.#stamp(), process, type: "fail", input, ...(error === undefined ? {} : { error }) });
  }

  info(process: number, error?: string): void {
    const input = this.#complete(process);
    this.#retired.add(process);
    this.events.push({ ...this.#stamp(), process, type: "info", input, ...(error === undefined ? {} : { error }) });
  }

  operations(): Operation<Input, Output>[] {
    return operationsOf(this.events);
  }

  #stamp(): { index: number; time: number } {
    return { index: this.events.length, time: this.#clock.now() };
  }

  #complete(process: number): Input {
    const pending = this.#pending.get(process);
    if (pending === undefined) throw new TypeError(`Process ${process} has no operation under way to complete.`);
    this.#pending.delete(process);
    return pending.input;
  }
}
