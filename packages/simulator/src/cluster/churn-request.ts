import type { Node } from "@octopii/core";
import { type Configuration, membersOf } from "@octopii/raft";
import type { RaftOracle } from "../oracles/raft-oracle.js";

/** Something that an operator asks of a node, and what must be true once it says that it is done. */
export interface ChurnRequest {
  ask(node: Node): Promise<unknown>;
  /** @param answer - what the call resolved with. */
  isKept(answer: unknown): boolean;
}

/** A machine that a request is about. */
interface Place {
  readonly id: number;
  readonly address: string;
}

/** Makes the requests of an operator who can see, but not act on, what the oracle knows. */
export class ChurnRequests {
  readonly #oracle: RaftOracle;

  constructor(oracle: RaftOracle) {
    this.#oracle = oracle;
  }

  addLearner({ id, address }: Place): ChurnRequest {
    return this.#change(
      (node) => node.addLearner(id, address),
      ({ learners, learnersNext }) => learners.includes(id) || learnersNext.includes(id),
    );
  }

  addVoter({ id, address }: Place): ChurnRequest {
    return this.#change(
      (node) => node.addVoter(id, address),
      ({ voters }) => voters.includes(id),
    );
  }

  remove(id: number): ChurnRequest {
    return this.#change(
      (node) => node.remove(id),
      (configuration) => !membersOf(configuration).includes(id),
    );
  }

  replace(old: number, { id, address }: Place): ChurnRequest {
    return this.#change(
      (node) => node.replaceMember(old, id, address),
      (configuration) => configuration.voters.includes(id) && !membersOf(configuration).includes(old),
    );
  }

  /** Done when the target leads a later term than that of whoever was asked, which may be a leader of the past. */
  transfer(id: number): ChurnRequest {
    let askedIn = 0;
    const ask = (node: Node): Promise<void> => {
      askedIn = node.status().term;
      return node.transferLeadership(id);
    };
    return { ask, isKept: () => this.#oracle.latestTermLedBy(id) > askedIn };
  }

  campaign(): ChurnRequest {
    return {
      ask: async (node) => node.campaign(),
      isKept: () => true,
    };
  }

  snapshot(): ChurnRequest {
    return {
      ask: (node) => node.snapshot(),
      isKept: (index) => typeof index === "number" && index > 0 && index <= this.#oracle.committedIndex,
    };
  }

  /** A change is done when it has taken effect somewhere; what came after it may have undone it since. */
  #change(ask: (node: Node) => Promise<void>, isDone: (configuration: Configuration) => boolean): ChurnRequest {
    const since = this.#oracle.configuration.index;
    const isKept = (): boolean => this.#oracle.configurationsSince(since).some(({ configuration }) => isDone(configuration));
    return { ask, isKept };
  }
}
