import { RECORD_HEADER_BYTES } from "../format/format.js";
import type { LogReader } from "../read/log-reader.js";
import type { LogState } from "../state/log-state.js";
import type { TopicIndex } from "../state/topic-index.js";
import type { Intake, MovedEntry } from "../write/intake.js";

/** How much is read and written at a time, over all topics, so that appends are hardly held up. */
const STEP_BYTES = 1024 * 1024;
const STEP_ENTRIES = 4096;

/** Writes entries once more at the end of the log, so that an old segment is not kept for their sake. */
export class Rewriter {
  readonly #state: LogState;
  readonly #reader: LogReader;
  readonly #intake: Intake;
  readonly #kick: () => void;
  readonly #isStopping: () => boolean;

  /** @param isStopping - asked between steps: nothing more is begun once it gives true. */
  constructor(state: LogState, reader: LogReader, intake: Intake, kick: () => void, isStopping: () => boolean) {
    this.#state = state;
    this.#reader = reader;
    this.#intake = intake;
    this.#kick = kick;
    this.#isStopping = isStopping;
  }

  /** Moves what is live in a segment. Gives how many entries were moved. Rejects if one cannot be read: then the segment must stay. */
  async rewrite(segment: number): Promise<number> {
    let moved = 0;
    for (let step = await this.#pass(segment); step > 0; step = await this.#pass(segment)) moved += step;
    return moved;
  }

  /** One step of every topic that has something live in the segment; topics share flushes, of which a thousand small ones would need as many. */
  async #pass(segment: number): Promise<number> {
    let moved = 0;
    let step = new Step();
    try {
      for (const topic of this.#state.topics()) {
        const run = topic.firstRunIn(segment);
        if (run === undefined) continue;
        if (this.#isStopping()) break;
        moved += await this.#gather(topic, run.first, run.next, step);
        if (step.bytes < STEP_BYTES) continue;
        await this.#finish(step);
        step = new Step();
      }
    } finally {
      await this.#finish(step);
    }
    return moved;
  }

  /** Takes some entries from `first` on into a step; gives 0 if the topic's bounds are being changed just now. */
  async #gather(topic: TopicIndex, first: number, next: number, step: Step): Promise<number> {
    const cuts = this.#intake.cutsOf(topic.name);
    // What was taken and is not applied yet may remove what would be read now.
    if (cuts !== topic.cuts || (this.#intake.bounds(topic.name)?.first ?? 0) > first) return 0;
    const limits = { maxEntries: Math.min(next - first, STEP_ENTRIES), maxBytes: STEP_BYTES };
    const entries = await this.#reader.read(topic.name, first, limits);
    const done = this.#intake.move(topic.name, entries, cuts);
    if (done === null) return 0;
    step.add(done, entries);
    return entries.length;
  }

  async #finish({ waits }: Step): Promise<void> {
    if (waits.length === 0) return;
    this.#kick();
    await Promise.all(waits);
  }
}

/** Entries that go to the disk together, and who waits for them. */
class Step {
  bytes = 0;
  readonly waits: Promise<void>[] = [];

  add(done: Promise<void>, entries: readonly MovedEntry[]): void {
    // Others may have the disk fail before this step waits for it.
    done.catch(() => undefined);
    this.waits.push(done);
    for (const { payload } of entries) this.bytes += RECORD_HEADER_BYTES + payload.length;
  }
}
