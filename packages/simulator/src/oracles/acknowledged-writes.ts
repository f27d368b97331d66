import type { Entry } from "@octopii/raft";
import { OracleViolation } from "./violation.js";

const decoder = new TextDecoder();

/** Every write that a client was told of must have been applied. Blind to the protocol: it knows values, not logs. */
export class AcknowledgedWrites {
  readonly #applied = new Set<string>();

  /** Workloads end each value with a `v` and a number of its own. */
  applied(entry: Entry): void {
    if (entry.kind !== "command") return;
    const value = /v\d+$/.exec(decoder.decode(entry.data))?.[0];
    if (value !== undefined) this.#applied.add(value);
  }

  check(acknowledged: readonly string[]): void {
    const lost = acknowledged.filter((value) => !this.#applied.has(value));
    if (lost.length > 0)
      throw new OracleViolation(
        "acknowledged write",
        `${lost.length} acknowledged writes were never applied, ${String(lost[0])} among them`,
      );
  }
}
