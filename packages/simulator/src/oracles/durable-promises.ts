import type { NodeId } from "@octopii/interfaces";
import type { Entry, EntryKind, Index, Term } from "@octopii/raft";
import type { ObservedReplica } from "./observed-replica.js";
import { isQuorum } from "./quorum.js";
import { OracleViolation } from "./violation.js";

/** Looks at what is on the disks at this moment. */
export interface DiskWitness {
  /** Whether these bytes stand in the log of `node` on stable storage, or nobody can expect that of its disk any more. */
  holds(node: NodeId, bytes: Uint8Array): boolean;
}

const recordVersion = 1;
/** What stands for a kind in a record. Written down here once more, so that the code under test is not asked about itself. */
const kindBytes: Readonly<Record<EntryKind, number>> = { command: 0, noop: 1, configuration: 2, founding: 3 };

/**
 * RULE 1, durable before promised: at the moment when a leader counts acknowledgements as a commit, or votes as its election, the records that
 * they promised are on a quorum of disks. Sees what a restart may never show: that promises were early, and the power did not fail.
 */
export class DurablePromises {
  readonly #witness: DiskWitness;
  readonly #replicas: ReadonlyMap<NodeId, ObservedReplica>;
  /** What leaders have appended and none has committed, by index and term. */
  readonly #open = new Map<Index, Map<Term, Entry>>();
  #committed: Index = 0;

  constructor(witness: DiskWitness, replicas: ReadonlyMap<NodeId, ObservedReplica>) {
    this.#witness = witness;
    this.#replicas = replicas;
  }

  appended(entry: Entry): void {
    const { index, term } = entry;
    if (index <= this.#committed) return;
    const byTerm = this.#open.get(index);
    if (byTerm === undefined) this.#open.set(index, new Map([[term, entry]]));
    else byTerm.set(term, entry);
  }

  /** `leader` has counted a commit of `index`. */
  committed({ id, log, taken }: ObservedReplica, index: Index): void {
    const term = log.termAt(index);
    const entry = term === undefined ? undefined : this.#open.get(index)?.get(term);
    for (; this.#committed < index; this.#committed++) this.#open.delete(this.#committed + 1);
    if (entry === undefined) return;
    const record = entryRecord(entry);
    const holds = (voter: NodeId): boolean => (this.#replicas.get(voter)?.log.base ?? 0) >= index || this.#witness.holds(voter, record);
    if (isQuorum(taken.configuration, holds)) return;
    throw new OracleViolation("durable before promised", `node ${id} committed entry ${index}, which is not on the disks of a quorum yet`);
  }

  /** `leader` has won its election. */
  elected({ id, currentTerm: term, taken }: ObservedReplica): void {
    const record = voteRecord(term, id);
    // Who is in a later term by now need not have kept an old vote.
    const holds = (voter: NodeId): boolean => (this.#replicas.get(voter)?.currentTerm ?? 0) > term || this.#witness.holds(voter, record);
    if (isQuorum(taken.configuration, holds)) return;
    throw new OracleViolation(
      "durable before promised",
      `node ${id} leads term ${term} by votes that are not on the disks of a quorum yet`,
    );
  }
}

function entryRecord({ kind, term, data }: Entry): Uint8Array {
  const bytes = new Uint8Array(10 + data.length);
  bytes[0] = recordVersion;
  bytes[1] = kindBytes[kind];
  new DataView(bytes.buffer).setBigUint64(2, BigInt(term), true);
  bytes.set(data, 10);
  return bytes;
}

/** How a hard state with this vote begins. */
function voteRecord(term: Term, candidate: NodeId): Uint8Array {
  const bytes = new Uint8Array(17);
  bytes[0] = recordVersion;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(1, BigInt(term), true);
  view.setBigUint64(9, BigInt(candidate), true);
  return bytes;
}
