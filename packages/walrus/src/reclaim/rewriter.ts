import type { LogReader } from "../read/log-reader.js";
import type { LogState } from "../state/log-state.js";
import type { TopicIndex } from "../state/topic-index.js";
import type { Intake } from "../write/intake.js";

/** How much is read and written at a time, so that appends are hardly held up. */
const STEP_BYTES = 1024 * 1024;
const STEP_ENTRIES = 4096;

/** Writes entries once more at the end of the log, so that an old segment is not kept for their sake. */
export class Rewriter {
  readonly #state: LogState;
  readonly #reader: LogReader;
  readonly #intake: Intake;
  readonly #kick: () => void;

  constructor(state: LogState, reader: LogReader, intake: Intake, kick: () => void) {
    this.#state = state;
    this.#reader = reader;
    this.#intake = intake;
    this.#kick = kick;
  }

  /** Moves what is live in a segment. Gives how many entries were moved. Rejects if one cannot be read: then the segment must stay. */
  async rewrite(segment: number): Promise<number> {
    let moved = 0;
    for (const topic of this.#state.topics()) {
      for (let run = topic.runsIn(segment)[0]; run !== undefined; run = topic.runsIn(segment)[0]) {
        const count = await this.#step(topic, run.first, run.next);
        if (count === 0) break;
        moved += count;
      }
    }
    return moved;
  }

  /** Moves some entries from `first` on; gives 0 if the topic's bounds are being changed just now. */
  async #step(topic: TopicIndex, first: number, next: number): Promise<number> {
    const cuts = this.#intake.cutsOf(topic.name);
    // What was taken and is not applied yet may remove what would be read now.
    if (cuts !== topic.cuts || (this.#intake.bounds(topic.name)?.first ?? 0) > first) return 0;
    const limits = { maxEntries: Math.min(next - first, STEP_ENTRIES), maxBytes: STEP_BYTES };
    const entries = await this.#reader.read(topic.name, first, limits);
    const done = this.#intake.move(topic.name, entries, cuts);
    if (done === null) return 0;
    this.#kick();
    await done;
    return entries.length;
  }
}
