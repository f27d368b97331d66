import type { NodeId } from "@octopii/interfaces";
import type { Entry, Index } from "@octopii/raft";
import { OracleViolation } from "./violation.js";

const decoder = new TextDecoder();

/** What one member has applied since its process began. */
interface MemberWrites {
  /** A snapshot stands for everything up to here. */
  snapshotIndex: Index;
  readonly values: Set<string>;
}

/**
 * Every write that a client was told of must be in the state of every member, as its present process has applied it: entry by entry, or by a
 * snapshot, which counts as all that others have applied up to its index. Blind to the protocol: it knows values, not terms. Whether the
 * snapshot holds what it should shows when states are compared, and in the final reads.
 */
export class AcknowledgedWrites {
  readonly #members = new Map<NodeId, MemberWrites>();
  readonly #indexOf = new Map<string, Index>();

  /** A member begins anew: what it applied before, it must apply again. */
  began(member: NodeId): void {
    this.#members.set(member, { snapshotIndex: 0, values: new Set() });
  }

  /** A member took the state of a snapshot. */
  restored(member: NodeId, index: Index): void {
    const writes = this.#members.get(member);
    if (writes === undefined) return;
    writes.snapshotIndex = index;
    writes.values.clear();
  }

  /** Workloads end each value with a `v` and a number of its own. */
  applied(member: NodeId, entry: Entry): void {
    if (entry.kind !== "command") return;
    const value = /v\d+$/.exec(decoder.decode(entry.data))?.[0];
    if (value === undefined) return;
    this.#indexOf.set(value, entry.index);
    this.#members.get(member)?.values.add(value);
  }

  /** @param members - those that must have them. */
  check(acknowledged: readonly string[], members: readonly NodeId[]): void {
    for (const member of members) {
      const writes = this.#members.get(member);
      const lost = acknowledged.filter((value) => !this.#has(writes, value));
      if (lost.length === 0) continue;
      throw new OracleViolation(
        "acknowledged write",
        `node ${member} lacks ${lost.length} acknowledged writes, ${String(lost[0])} among them`,
      );
    }
  }

  #has(writes: MemberWrites | undefined, value: string): boolean {
    const index = this.#indexOf.get(value);
    return index !== undefined && writes !== undefined && (index <= writes.snapshotIndex || writes.values.has(value));
  }
}
