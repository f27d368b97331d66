import type { NodeReport } from "./node-watch.js";
import { formatDuration, type Tone } from "./text.js";

/** Something that happened, for the person who watches. */
export interface Happening {
  readonly text: string;
  readonly tone: Tone;
}

/** Compares what nodes report with what they reported before, and tells what happened in between. */
export class Narrator {
  readonly #now: () => number;
  #before: readonly NodeReport[] = [];
  #leader: { readonly id: number; readonly term: number } | null = null;
  /** When the last leader was lost; null while there is one, and before the first. */
  #leaderlessSince: number | null = null;

  /** @param now - a monotonic clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  tell(reports: readonly NodeReport[]): Happening[] {
    const happenings = reports.flatMap((report) => this.#ofProcess(report));
    happenings.push(...this.#ofLeader(reports));
    this.#before = reports;
    return happenings;
  }

  #ofProcess(report: NodeReport): Happening[] {
    const { id, state, pid, lastWords } = report;
    const before = this.#before.find((one) => one.id === id);
    if (before === undefined || before.state === state) return [];
    const leadership = this.#leader?.id === id ? ", the leader" : "";
    switch (state) {
      case "up":
        return [{ text: `node ${id} is up, pid ${pid}`, tone: "quiet" }];
      case "killed":
        return [{ text: `node ${id}${leadership}, pid ${before.pid}, was killed by SIGKILL`, tone: "bad" }];
      case "stopped":
        return [{ text: `node ${id} closed cleanly`, tone: "quiet" }];
      case "crashed":
        return [{ text: `node ${id}${leadership}, pid ${before.pid}, ${this.#crash(report)}`, tone: "bad" }];
      case "refused":
        return [{ text: `node ${id} refused to start: ${(lastWords ?? "without a word").replace(/^octopii: /, "")}`, tone: "bad" }];
      case "down":
      case "starting":
      case "stopping":
        return [];
    }
  }

  #crash({ endedBy, lastWords, log }: NodeReport): string {
    const last = lastWords === null ? "" : `, its last words: ${lastWords}`;
    return `ended unasked by ${endedBy ?? "an unknown cause"}${last} (log: ${log})`;
  }

  #ofLeader(reports: readonly NodeReport[]): Happening[] {
    const leaders = reports.flatMap(({ id, status }) => (status?.role === "leader" ? [{ id, term: status.term }] : []));
    const newest = leaders.sort((a, b) => b.term - a.term)[0] ?? null;
    const old = this.#leader;
    if (newest === null) {
      if (old !== null) this.#leaderlessSince = this.#now();
      this.#leader = null;
      return [];
    }
    this.#leader = newest;
    if (old?.id === newest.id && old.term === newest.term) return [];
    const gap =
      this.#leaderlessSince === null ? "" : `, ${formatDuration(this.#now() - this.#leaderlessSince)} after the last one was lost`;
    this.#leaderlessSince = null;
    return [{ text: `node ${newest.id} leads in term ${newest.term}${gap}`, tone: "good" }];
  }
}
