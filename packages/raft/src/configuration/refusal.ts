import type { NodeId } from "@octopii/interfaces";

/**
 * Why a membership change, or a configuration read from outside, was not accepted. Stable across releases.
 *
 * - `alreadyJoint`: a joint configuration must be left before anything else can change.
 * - `notJoint`: there is no joint configuration to leave.
 * - `noVotersYet`: a joint configuration needs voters to begin with.
 * - `noVotersLeft`: the change would leave nobody to vote.
 * - `jointRequired`: more than one voter would change in one step, so the old and the new majority might not overlap.
 * - `tooManyMembers`, `tooManyChanges`, `contextTooLong`: over a documented limit.
 * - `invalidNodeId`, `unknownChange`: the request itself is malformed.
 * - `inconsistent`: the parts of a configuration contradict each other.
 * - `unknownVersion`, `malformed`: bytes that are of another format version, or no such record.
 */
export type MembershipRefusalCode =
  | "alreadyJoint"
  | "notJoint"
  | "noVotersYet"
  | "noVotersLeft"
  | "jointRequired"
  | "tooManyMembers"
  | "tooManyChanges"
  | "contextTooLong"
  | "invalidNodeId"
  | "unknownChange"
  | "inconsistent"
  | "unknownVersion"
  | "malformed";

/** A refusal as data: nothing was changed. */
export interface MembershipRefusal {
  readonly code: MembershipRefusalCode;
  /** One sentence that names what is wrong and the remedy; for people only. */
  readonly message: string;
  /** The nodes that it is about; empty if it is about none in particular. */
  readonly nodes: readonly NodeId[];
}

/** Makes a refusal. */
export function refuse(code: MembershipRefusalCode, message: string, nodes: readonly NodeId[] = []): MembershipRefusal {
  return { code, message, nodes };
}
