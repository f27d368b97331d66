import {
  emptyMembership,
  enterJoint,
  leaveJoint,
  type MemberChange,
  type MemberProgress,
  type Membership,
  type MembershipOutcome,
  type MembershipRefusal,
  simpleChange,
} from "../../../packages/raft/src/configuration/index.js";
import type { Directive } from "../data-driven.js";
import { describeConfiguration } from "./describe.js";

const changeTypes: Readonly<Record<string, MemberChange["type"]>> = { v: "addVoter", l: "addLearner", r: "removeNode", u: "updateNode" };

/** Begins a file of membership changes: nobody at first, and a log that grows by one entry with each directive. */
export function createMembershipReplay(): (directive: Directive) => string {
  let membership = emptyMembership;
  let entries = 0;
  return (directive) => {
    const outcome = carryOut(directive, membership, entries++);
    if (!outcome.accepted) return wordRefusal(outcome.refusal, directive.command);
    membership = outcome.membership;
    return [describeConfiguration(membership.configuration), ...membership.progress.map(describeProgress)].join("\n");
  };
}

function carryOut(directive: Directive, membership: Membership, lastIndex: number): MembershipOutcome {
  const { command, input } = directive;
  const autoLeave = readAutoLeave(directive);
  const changes = input.flatMap((line) => line.split(/\s+/).filter(Boolean)).map(parseChange);
  if (command === "simple") return simpleChange(membership, lastIndex, changes);
  if (command === "enter-joint") return enterJoint(membership, lastIndex, changes, autoLeave);
  if (command !== "leave-joint") throw new Error(`unknown command ${command}`);
  if (changes.length > 0) throw new Error("leave-joint takes no changes");
  return leaveJoint(membership, lastIndex);
}

function readAutoLeave({ command, args }: Directive): boolean {
  let autoLeave = false;
  for (const { key, values } of args) {
    const value = values.join();
    if (command !== "enter-joint" || key !== "autoleave" || !/^(true|false)$/.test(value))
      throw new Error(`unknown argument ${key}=${value}`);
    autoLeave = value === "true";
  }
  return autoLeave;
}

function parseChange(word: string): MemberChange {
  const type = changeTypes[word.charAt(0)];
  if (type === undefined || !/^.\d+$/.test(word)) throw new Error(`unknown change ${word}`);
  return { type, nodeId: Number(word.slice(1)) };
}

function describeProgress({ id, matchIndex, nextIndex, isLearner }: MemberProgress): string {
  return `${id}: StateProbe match=${matchIndex} next=${nextIndex}${isLearner ? " learner" : ""}`;
}

/** How etcd says it. A refusal that etcd's data does not know is shown as ours, and so fails the case. */
function wordRefusal({ code, message }: MembershipRefusal, command: string): string {
  switch (code) {
    case "alreadyJoint":
      return command === "simple" ? "can't apply simple config change in joint config" : "config is already joint";
    case "notJoint":
      return "can't leave a non-joint config";
    case "noVotersYet":
      return "can't make a zero-voter config joint";
    case "noVotersLeft":
      return "removed all voters";
    case "jointRequired":
      return "more than one voter changed without entering joint config";
    default:
      return `${code}: ${message}`;
  }
}
