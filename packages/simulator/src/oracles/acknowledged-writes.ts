import type { Entry } from "@octopii/raft";
import { OracleViolation } from "./violation.js";

const decoder = new TextDecoder();

/**
 * Every write that a client was told of must be in the log of every member, as its present process has applied it from the start. Blind
 * to the protocol: it knows values, not terms.
 */
export class AcknowledgedWrites {
  readonly #appliedBy: Map<number, Set<string>> = new Map();

  /** A member begins anew: what it applied before, it must apply again. */
  restored(member: number): void {
    this.#appliedBy.set(member, new Set());
  }

  /** Workloads end each value with a `v` and a number of its own. */
  applied(member: number, entry: Entry): void {
    if (entry.kind !== "command") return;
    const value = /v\d+$/.exec(decoder.decode(entry.data))?.[0];
    if (value !== undefined) this.#appliedBy.get(member)?.add(value);
  }

  check(acknowledged: readonly string[]): void {
    for (const [member, applied] of this.#appliedBy) {
      const lost = acknowledged.filter((value) => !applied.has(value));
      if (lost.length === 0) continue;
      throw new OracleViolation(
        "acknowledged write",
        `node ${member} lacks ${lost.length} acknowledged writes, ${String(lost[0])} among them`,
      );
    }
  }
}
