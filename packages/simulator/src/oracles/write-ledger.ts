import type { NodeId } from "@octopii/interfaces";
import type { Entry, Index } from "@octopii/raft";
import { OracleViolation } from "./violation.js";

/** What one member has applied since its process began. */
interface MemberWrites {
  /** A snapshot stands for everything up to here. */
  snapshotIndex: Index;
  readonly marks: Set<string>;
}

/**
 * What clients were told of their writes, held against what replicas apply. Each write has a mark of its own. One that was acknowledged must be
 * in the state of every member, as its present process has applied it: entry by entry, or by a snapshot, which counts as all that others have
 * applied up to its index. One that failed for certain must be nowhere, and none may stand in the log twice: nobody sends a proposal again
 * whose outcome is open. Blind to the protocol: it knows marks, not terms.
 */
export class WriteLedger {
  readonly #markOf: (command: Uint8Array) => string | null;
  readonly #members = new Map<NodeId, MemberWrites>();
  readonly #indexOf = new Map<string, Index>();
  readonly #acknowledged = new Set<string>();
  readonly #failed = new Set<string>();

  /** @param markOf - the mark of a command, or null for what is no write. */
  constructor(markOf: (command: Uint8Array) => string | null) {
    this.#markOf = markOf;
  }

  /** A client was told that its write is safe. */
  acknowledged(mark: string | null): void {
    if (mark !== null) this.#acknowledged.add(mark);
  }

  /** A client was told that its write did not happen, and never will. */
  failed(mark: string | null): void {
    if (mark === null) return;
    this.#failed.add(mark);
    this.#checkFailed(mark);
  }

  /** A member begins anew: what it applied before, it must apply again. */
  began(member: NodeId): void {
    this.#members.set(member, { snapshotIndex: 0, marks: new Set() });
  }

  /** A member took the state of a snapshot. */
  restored(member: NodeId, index: Index): void {
    const writes = this.#members.get(member);
    if (writes === undefined) return;
    writes.snapshotIndex = index;
    writes.marks.clear();
  }

  applied(member: NodeId, entry: Entry): void {
    const mark = entry.kind === "command" ? this.#markOf(entry.data) : null;
    if (mark === null) return;
    const index = this.#indexOf.get(mark);
    if (index !== undefined && index !== entry.index)
      throw new OracleViolation("exactly once", `the write ${mark} stands in the log at ${index} and again at ${entry.index}`);
    this.#indexOf.set(mark, entry.index);
    if (index === undefined) this.#checkFailed(mark);
    this.#members.get(member)?.marks.add(mark);
  }

  /** @param members - those that must have all that was acknowledged. */
  check(members: readonly NodeId[]): void {
    for (const member of members) {
      const writes = this.#members.get(member);
      const lost = [...this.#acknowledged].filter((mark) => !this.#has(writes, mark));
      if (lost.length === 0) continue;
      throw new OracleViolation(
        "acknowledged write",
        `node ${member} lacks ${lost.length} acknowledged writes, ${String(lost[0])} among them`,
      );
    }
  }

  #checkFailed(mark: string): void {
    const index = this.#indexOf.get(mark);
    if (index === undefined || !this.#failed.has(mark)) return;
    throw new OracleViolation("failed write", `the client of the write ${mark} was told that it failed, and it was applied at ${index}`);
  }

  #has(writes: MemberWrites | undefined, mark: string): boolean {
    const index = this.#indexOf.get(mark);
    return index !== undefined && writes !== undefined && (index <= writes.snapshotIndex || writes.marks.has(mark));
  }
}
