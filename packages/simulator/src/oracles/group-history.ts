import type { NodeId } from "@octopii/interfaces";
import type { Configuration, Entry, Index, SnapshotMetadata, Term } from "@octopii/raft";
import { ConfigurationHistory, isSame, show } from "./configuration-history.js";
import { chainHash } from "./entry-hash.js";
import type { LogBase } from "./observed-log.js";
import { OracleViolation } from "./violation.js";

/** The newest commit that a leader has counted. */
export interface CountedCommit {
  readonly index: Index;
  /** Whose quorum it was. */
  readonly configuration: Configuration;
  readonly leader: NodeId;
}

/** What a whole group has done so far, as far as anybody has said. */
export class GroupHistory {
  readonly configurations: ConfigurationHistory;
  /** Chain hash by `index/term`: log matching says that there is only one. */
  readonly #hashOf = new Map<string, number>([["0/0", 0]]);
  /** What stands before each of those entries: the chain hash up to there. */
  readonly #before = new Map<number, number>();
  /** Chain hash of every committed entry, by index. */
  readonly #committed: number[] = [0];
  /** The term in which each entry was first known to be committed, by index; it never falls. */
  readonly #committedInTerm: Term[] = [0];
  #newestCommit: CountedCommit | null = null;

  constructor(founding: Configuration) {
    this.configurations = new ConfigurationHistory(founding);
  }

  /** The highest index that any node has committed. */
  get committedIndex(): Index {
    return this.#committed.length - 1;
  }

  /** Undefined where nothing is committed. */
  committedHash(index: Index): number | undefined {
    return this.#committed[index];
  }

  /** What the group's survival rests on: whoever led last must have had it on a quorum of disks. Null before the first commit. */
  get newestCommit(): CountedCommit | null {
    return this.#newestCommit;
  }

  /** The highest index that was committed by a leader of a term before `term`. */
  committedBefore(term: Term): Index {
    let index = this.committedIndex;
    while ((this.#committedInTerm[index] as Term) >= term) index--;
    return index;
  }

  /** Undefined where nobody has ever held such an entry. */
  hashOf(index: Index, term: Term): number | undefined {
    return this.#hashOf.get(`${index}/${term}`);
  }

  /** Whether the entry of chain hash `hash` was ever appended behind what `previousHash` stands for. */
  follows(hash: number, previousHash: number): boolean {
    return this.#before.get(hash) === previousHash;
  }

  /** Somebody appended `entry`. @returns its chain hash, and whether nobody had it before. */
  append(node: NodeId, previousHash: number, entry: Entry): { hash: number; isNew: boolean } {
    const { index, term } = entry;
    const hash = chainHash(previousHash, entry);
    const known = this.hashOf(index, term);
    if (known === undefined) {
      this.#hashOf.set(`${index}/${term}`, hash);
      this.#before.set(hash, previousHash);
    } else if (known !== hash)
      throw new OracleViolation(
        "log matching",
        `two logs hold different entries up to ${index} of term ${term}; node ${node} has one of them`,
      );
    return { hash, isNew: known === undefined };
  }

  /** A leader committed everything up to the count's index. @param hashAt - its log. */
  commit(count: CountedCommit, term: Term, hashAt: (index: Index) => number): void {
    for (let index = this.committedIndex + 1; index <= count.index; index++) {
      this.#committed[index] = hashAt(index);
      this.#committedInTerm[index] = term;
    }
    if (count.index >= (this.#newestCommit?.index ?? 0)) this.#newestCommit = count;
  }

  /** Checks that `entry` is what was committed in its place. */
  checkApplied(node: NodeId, entry: Entry): void {
    const { index } = entry;
    if (this.#committed[index] === undefined)
      throw new OracleViolation("apply", `node ${node} applied entry ${index} before anybody committed it`);
    if (chainHash(this.#committed[index - 1] as number, entry) !== this.#committed[index])
      throw new OracleViolation("state-machine safety", `node ${node} applied another entry ${index} than was committed there`);
  }

  /** Checks that the log of `node` may begin after this entry: it was committed. */
  baseAt(node: NodeId, index: Index, term: Term): LogBase {
    const hash = this.hashOf(index, term);
    if (hash === undefined || hash !== this.#committed[index])
      throw new OracleViolation(
        "compaction",
        `the log of node ${node} begins after entry ${index} of term ${term}, which was never committed`,
      );
    return { index, term, hash };
  }

  /** Checks that a snapshot stands for something that was committed, with the configuration of that moment. */
  checkSnapshot(node: NodeId, { index, term, configuration }: SnapshotMetadata): LogBase {
    const hash = this.hashOf(index, term);
    if (hash === undefined || hash !== this.#committed[index])
      throw new OracleViolation("snapshot", `node ${node} has a snapshot of entry ${index} of term ${term}, which was never committed`);
    const expected = this.configurations.at(index).configuration;
    if (!isSame(configuration, expected))
      throw new OracleViolation(
        "snapshot",
        `node ${node} has a snapshot of ${index} with ${show(configuration)}, others were in ${show(expected)} then`,
      );
    return { index, term, hash };
  }
}
