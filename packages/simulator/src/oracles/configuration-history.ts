import type { NodeId } from "@octopii/interfaces";
import type { Configuration, Index } from "@octopii/raft";
import { OracleViolation } from "./violation.js";

/** A configuration, and the index from which on it is in effect. */
export interface TakenConfiguration {
  readonly index: Index;
  readonly configuration: Configuration;
}

/**
 * Every configuration of a group, in the order of the log. Nobody can take one into effect before somebody has taken the one before it, so
 * what is known never has gaps, and each step can be checked when it is first seen.
 */
export class ConfigurationHistory {
  readonly #taken: TakenConfiguration[];

  constructor(founding: Configuration) {
    this.#taken = [{ index: 0, configuration: founding }];
  }

  get founding(): TakenConfiguration {
    return this.#taken[0] as TakenConfiguration;
  }

  get latest(): TakenConfiguration {
    return this.#taken[this.#taken.length - 1] as TakenConfiguration;
  }

  get changes(): number {
    return this.#taken.length - 1;
  }

  /** The configuration that whoever has applied everything up to `index` must be in. */
  at(index: Index): TakenConfiguration {
    let at = this.#taken.length - 1;
    while ((this.#taken[at] as TakenConfiguration).index > index) at--;
    return this.#taken[at] as TakenConfiguration;
  }

  /** Those in effect from `index` on, the one of that moment first. */
  since(index: Index): readonly TakenConfiguration[] {
    return this.#taken.slice(this.#taken.indexOf(this.at(index)));
  }

  /** A replica took `configuration` into effect at `index`, by its log or by a snapshot. */
  take(node: NodeId, index: Index, configuration: Configuration): TakenConfiguration {
    const known = this.at(index);
    if (index > this.latest.index && !isSame(configuration, known.configuration)) {
      const problem = stepProblem(known.configuration, configuration);
      if (problem !== null)
        throw new OracleViolation(
          "configuration",
          `node ${node} went at ${index} from ${show(known.configuration)} to ${show(configuration)}: ${problem}`,
        );
      this.#taken.push({ index, configuration });
      return this.latest;
    }
    if (!isSame(configuration, known.configuration)) {
      throw new OracleViolation(
        "configuration",
        `node ${node} is in ${show(configuration)} at ${index}, others were in ${show(known.configuration)}`,
      );
    }
    return known;
  }
}

export function isSame(a: Configuration, b: Configuration): boolean {
  return show(a) === show(b);
}

export function show({ voters, votersOutgoing, learners, learnersNext, autoLeave }: Configuration): string {
  const outgoing = votersOutgoing.length === 0 ? "" : ` and ${votersOutgoing.join(" ")}${autoLeave ? " (to be left)" : ""}`;
  const watching = learners.length === 0 ? "" : `, learners ${learners.join(" ")}`;
  const later = learnersNext.length === 0 ? "" : `, learners later ${learnersNext.join(" ")}`;
  return `[voters ${voters.join(" ")}${outgoing}${watching}${later}]`;
}

/** What keeps the quorums of two configurations from overlapping; null for nothing. Source: Raft §6, thesis §4.1 and §4.3. */
function stepProblem(before: Configuration, after: Configuration): string | null {
  if (before.votersOutgoing.length > 0) {
    if (after.votersOutgoing.length > 0) return "it was joint already";
    return isEqual(before.voters, after.voters) ? null : "a joint configuration is left for its incoming voters";
  }
  if (after.votersOutgoing.length > 0) {
    return isEqual(before.voters, after.votersOutgoing) ? null : "the outgoing half is to be the voters of before";
  }
  const changed = [...before.voters, ...after.voters].filter((id) => !before.voters.includes(id) || !after.voters.includes(id));
  return changed.length <= 1 ? null : "more than one voter changed in one step";
}

function isEqual(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
