import type { NodeId } from "@octopii/interfaces";
import { type MembershipRefusal, refuse } from "./refusal.js";
import { isNodeId } from "./validate.js";

/**
 * What happens to one node. `addVoter` also promotes a learner; `addLearner` also demotes a voter; `removeNode` takes it out
 * whichever it was; `updateNode` changes no membership and only carries its context to whoever applies it.
 */
export type MemberChangeType = "addVoter" | "addLearner" | "removeNode" | "updateNode";

/** One step of a {@link ConfigurationChange}. */
export interface MemberChange {
  readonly type: MemberChangeType;
  /** Whom it concerns. 0 names nobody: the step is skipped, by which a proposed step can be made void in place. */
  readonly nodeId: NodeId;
  /** The application's, such as the node's address; at most {@link changeContextBytesMax}. Default: none. */
  readonly context?: Uint8Array;
}

/**
 * How the change is carried out. `auto`: in one step if it is a single one, otherwise through a joint configuration that the leader
 * leaves by itself. `implicit`: through a joint configuration, left by itself. `explicit`: through a joint configuration that
 * stays until {@link leaveJointChange} is proposed.
 */
export type Transition = "auto" | "implicit" | "explicit";

/** What an entry of kind `configuration` holds. Source: thesis §4.1 (one voter at a time), §4.3 (joint). */
export interface ConfigurationChange {
  readonly transition: Transition;
  /** Carried out in order, all or none; at most {@link configurationChangesMax}. */
  readonly changes: readonly MemberChange[];
}

/** How many steps one change may have: enough to replace the largest configuration. */
export const configurationChangesMax = 2048;

/** How long one step's context may be: room for addresses, not for data. */
export const changeContextBytesMax = 4096;

/** Leaves a joint configuration: the change without steps. */
export const leaveJointChange: ConfigurationChange = { transition: "auto", changes: [] };

/** The way that a change takes. */
export type ChangeRoute =
  | { readonly kind: "simple" }
  | { readonly kind: "enterJoint"; readonly autoLeave: boolean }
  | { readonly kind: "leaveJoint" };

/** Which way a change takes; see {@link Transition}. */
export function routeOf(change: ConfigurationChange): ChangeRoute {
  if (change.transition !== "auto") return { kind: "enterJoint", autoLeave: change.transition === "implicit" };
  if (change.changes.length === 0) return { kind: "leaveJoint" };
  return change.changes.length === 1 ? { kind: "simple" } : { kind: "enterJoint", autoLeave: true };
}

const transitions: readonly string[] = ["auto", "implicit", "explicit"] satisfies Transition[];
const changeTypes: readonly string[] = ["addVoter", "addLearner", "removeNode", "updateNode"] satisfies MemberChangeType[];

/**
 * Checks a change on its own, before it is proposed: types, ids and limits. Whether the membership admits it, the changer says.
 * @returns null if it can be encoded, otherwise the first thing wrong.
 */
export function validateConfigurationChange(change: ConfigurationChange): MembershipRefusal | null {
  if (!transitions.includes(change.transition))
    return refuse("unknownChange", `${change.transition} is no transition: use auto, implicit or explicit`);
  if (change.changes.length > configurationChangesMax) {
    return refuse(
      "tooManyChanges",
      `${change.changes.length} steps are too many: split the change, at most ${configurationChangesMax} are allowed`,
    );
  }
  for (const step of change.changes) {
    const problem = validateStep(step);
    if (problem !== null) return problem;
  }
  return null;
}

function validateStep({ type, nodeId, context }: MemberChange): MembershipRefusal | null {
  if (!changeTypes.includes(type))
    return refuse("unknownChange", `${type} is no change: use addVoter, addLearner, removeNode or updateNode`);
  if (nodeId !== 0 && !isNodeId(nodeId)) return refuse("invalidNodeId", `${nodeId} is no node id: ids are safe integers above 0`, [nodeId]);
  if (context !== undefined && context.length > changeContextBytesMax) {
    const limit = `at most ${changeContextBytesMax} are allowed`;
    return refuse("contextTooLong", `the context of node ${nodeId} has ${context.length} bytes: shorten it, ${limit}`, [nodeId]);
  }
  return null;
}
