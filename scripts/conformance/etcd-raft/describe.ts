import type { Configuration } from "../../../packages/raft/src/configuration/index.js";

/** A configuration as etcd prints it. */
export function describeConfiguration({ voters, votersOutgoing, learners, learnersNext, autoLeave }: Configuration): string {
  const words = [`voters=${list(voters)}${votersOutgoing.length > 0 ? `&&${list(votersOutgoing)}` : ""}`];
  if (learners.length > 0) words.push(`learners=${list(learners)}`);
  if (learnersNext.length > 0) words.push(`learners_next=${list(learnersNext)}`);
  if (autoLeave) words.push("autoleave");
  return words.join(" ");
}

function list(ids: readonly number[]): string {
  return `(${ids.join(" ")})`;
}
