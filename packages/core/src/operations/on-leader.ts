import type { NodeId } from "@octopii/interfaces";
import type { RaftNode, RaftStatus } from "@octopii/raft";
import { CoreError } from "../errors.js";
import type { OperationRequest } from "./request.js";

/** Deadline and cancellation of one step. */
interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Carries an operation out on the node that leads; on any other it fails with `NOT_LEADER`. */
export async function operateOnLeader(raft: RaftNode<unknown>, request: OperationRequest, limits: Limits): Promise<void> {
  const { id } = request;
  switch (request.type) {
    case "addLearner":
      await raft.addLearner(id, { ...limits, context: contextOf(request.address) });
      return;
    case "addVoter":
      await raft.addVoter(id, { ...limits, context: contextOf(request.address) });
      return;
    case "promote":
      return promote(raft, id, limits);
    case "replace":
      await raft.replaceMember(id, request.newId, { ...limits, context: contextOf(request.address) });
      return;
    case "remove":
      await raft.removeMember(id, limits);
      return;
    case "updateAddress":
      return updateAddress(raft, id, request.address, limits);
    case "transfer":
      return raft.transferLeadership(id, limits);
  }
}

async function promote(raft: RaftNode<unknown>, id: NodeId, limits: Limits): Promise<void> {
  const { role, configuration } = raft.status();
  // Whoever does not lead may not know the members of today: it has Raft say so.
  if (role === "leader") {
    if (configuration.voters.includes(id)) return;
    if (!configuration.learners.includes(id)) throw notAMember(id);
  }
  await raft.addVoter(id, limits);
}

async function updateAddress(raft: RaftNode<unknown>, id: NodeId, address: string, limits: Limits): Promise<void> {
  const status = raft.status();
  if (status.role === "leader" && !isMember(status, id)) throw notAMember(id);
  const change = { type: "updateNode", nodeId: id, context: contextOf(address) } as const;
  await raft.changeMembership({ transition: "auto", changes: [change] }, limits);
}

function isMember({ configuration: { voters, votersOutgoing, learners, learnersNext } }: RaftStatus, id: NodeId): boolean {
  return [voters, votersOutgoing, learners, learnersNext].some((ids) => ids.includes(id));
}

function notAMember(id: NodeId): CoreError {
  return new CoreError("OCTOPII_CORE_CHANGE_REFUSED", `Node ${id} is no member; add it first, with its address.`);
}

const contextOf = (address: string): Uint8Array => new TextEncoder().encode(address);
