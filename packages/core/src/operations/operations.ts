import type { NodeId } from "@octopii/interfaces";
import type { CallOptions } from "../call-options.js";
import type { OperationRequest } from "./request.js";

/**
 * What an operator has a cluster do. Whoever is asked passes it on to the leader, waiting through an election if need be. Each resolves when
 * it is in effect. All throw {@link CoreError}: `CHANGE_REFUSED` if the membership cannot change like that, or not now, and nothing was changed;
 * `UNAVAILABLE`, `TIMEOUT`, with an `outcome` of `unknown` where it may have happened: {@link NodeStatus.members} shows.
 */
export interface Operations {
  /**
   * Adds a member without a vote: it receives the log. The node itself is started apart, with the option `join`.
   * @param address - where the others reach it: `host:port`.
   */
  addLearner(id: NodeId, address: string, options?: CallOptions): Promise<void>;
  /** Gives a member a vote: adds it as a learner if it is none yet, waits until it has caught up, and promotes it. */
  addVoter(id: NodeId, address: string, options?: CallOptions): Promise<void>;
  /**
   * Gives a learner its vote once it has caught up: once it received, within an election timeout, all that the leader held. Refused after ten
   * rounds in which it did not. Done already for a member that votes. Source: Raft thesis section 4.2.1.
   */
  promote(id: NodeId, options?: CallOptions): Promise<void>;
  /** Puts a new member in the place of an old one, once it has caught up. */
  replaceMember(oldId: NodeId, newId: NodeId, address: string, options?: CallOptions): Promise<void>;
  /** Takes a member out; refused if those that stay could not commit anything. */
  remove(id: NodeId, options?: CallOptions): Promise<void>;
  /** A member is reached at another address from now on: every member learns it through the log, and dials it there. */
  updateAddress(id: NodeId, address: string, options?: CallOptions): Promise<void>;
  /** Hands leadership to a voter; resolves when it leads. @throws {CoreError} `TRANSFER_FAILED`. */
  transferLeadership(id: NodeId, options?: CallOptions): Promise<void>;
}

/** {@link Operations} for whoever knows how to have a request carried out. */
export abstract class Operator implements Operations {
  protected abstract operate(request: OperationRequest, options: CallOptions): Promise<void>;

  addLearner(id: NodeId, address: string, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "addLearner", id, address }, options);
  }

  addVoter(id: NodeId, address: string, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "addVoter", id, address }, options);
  }

  promote(id: NodeId, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "promote", id }, options);
  }

  replaceMember(oldId: NodeId, newId: NodeId, address: string, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "replace", id: oldId, newId, address }, options);
  }

  remove(id: NodeId, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "remove", id }, options);
  }

  updateAddress(id: NodeId, address: string, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "updateAddress", id, address }, options);
  }

  transferLeadership(id: NodeId, options: CallOptions = {}): Promise<void> {
    return this.operate({ type: "transfer", id }, options);
  }
}
