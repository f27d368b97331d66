import type { NodeId } from "@octopii/interfaces";
import type { RaftNode } from "@octopii/raft";
import type { CallOptions } from "../call-options.js";
import { CoreError } from "../errors.js";
import type { MemberCalls } from "../service/member-calls.js";
import type { Attempts } from "../service/retry.js";
import { operateOnLeader } from "./on-leader.js";
import { type OperationMessage, operateMethod, operationProblem } from "./request.js";

/** A node's part in an operation: carry it out as leader, or pass it on to the one that leads. */
interface Passing {
  readonly id: NodeId;
  /** @throws {CoreError} `NOT_RUNNING` */
  expectRunning(): { readonly raft: RaftNode<unknown>; readonly memberCalls: MemberCalls };
  attempts(options: CallOptions): Attempts;
}

export async function operateOrPassOn(
  { id, expectRunning, attempts }: Passing,
  { request, isPassedOn }: OperationMessage,
  options: CallOptions,
): Promise<void> {
  const problem = operationProblem(request);
  if (problem !== null) throw new CoreError("OCTOPII_CORE_CHANGE_REFUSED", problem);
  const tries = attempts(options);
  // What another has passed on goes no further: while views of the leader differ, it would go in circles.
  if (isPassedOn) return tries.once((limits) => operateOnLeader(expectRunning().raft, request, limits));
  await tries.run(async (limits) => {
    const { raft, memberCalls } = expectRunning();
    const { leaderId } = raft;
    if (leaderId === id || leaderId === 0) return operateOnLeader(raft, request, limits);
    return memberCalls.callNow(leaderId, operateMethod, { request, isPassedOn: true }, limits);
  });
}
