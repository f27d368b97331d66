import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import type { Configuration } from "./configuration.js";
import type { MembershipRefusal } from "./refusal.js";

/** What a leader starts from when it begins to replicate to a member. */
export interface MemberProgress {
  readonly id: NodeId;
  /** 0: nothing is known of a new member's log. */
  readonly matchIndex: Index;
  /** Where the first probe begins: the leader's last index when the member was added, and at least 1. */
  readonly nextIndex: Index;
  /** It has no vote, in either half. */
  readonly isLearner: boolean;
}

/** A configuration and, for each of its members, the progress that its leader started from. */
export interface Membership {
  readonly configuration: Configuration;
  /** One for each member, ascending by id. */
  readonly progress: readonly MemberProgress[];
}

/** What became of a change. A refusal leaves everything as it was. */
export type MembershipOutcome =
  | {
      readonly accepted: true;
      readonly membership: Membership;
      /** Members whose progress begins anew, ascending. */
      readonly added: readonly NodeId[];
      /** Members whose progress is to be dropped, ascending. Who is in `added` as well was removed and came back. */
      readonly removed: readonly NodeId[];
    }
  | { readonly accepted: false; readonly refusal: MembershipRefusal };
