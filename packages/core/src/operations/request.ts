import type { NodeId } from "@octopii/interfaces";
import { cborCodec, defineMethod, type Method, RpcError, voidCodec } from "@octopii/rpc";
import { isAddress } from "../options.js";

/** One operation, as it travels. */
export type OperationRequest =
  | { readonly type: "addLearner" | "addVoter" | "updateAddress"; readonly id: NodeId; readonly address: string }
  | { readonly type: "promote" | "remove" | "transfer"; readonly id: NodeId }
  | { readonly type: "replace"; readonly id: NodeId; readonly newId: NodeId; readonly address: string };

/** An operation for whoever takes it, or, if a member has passed it on already, for the leader and nobody else. */
export interface OperationMessage {
  readonly request: OperationRequest;
  readonly isPassedOn: boolean;
}

const withAddress: readonly unknown[] = ["addLearner", "addVoter", "updateAddress", "replace"] satisfies OperationRequest["type"][];
const withoutAddress: readonly unknown[] = ["promote", "remove", "transfer"] satisfies OperationRequest["type"][];

/** What is wrong with a request, as a sentence; null if nothing is. It may come from a peer, so nothing of its shape is taken for granted. */
export function operationProblem(request: OperationRequest): string | null {
  const { type, id, newId, address } = (request ?? {}) as { type?: unknown; id?: unknown; newId?: unknown; address?: unknown };
  if (!withAddress.includes(type) && !withoutAddress.includes(type)) return `There is no operation ${JSON.stringify(type)}.`;
  for (const one of type === "replace" ? [id, newId] : [id]) {
    if (!Number.isSafeInteger(one) || (one as number) <= 0) return `A node's id is a whole number above 0, not ${JSON.stringify(one)}.`;
  }
  if (type === "replace" && id === newId) return `Node ${String(id)} cannot take its own place; give the newcomer another id.`;
  if (!withAddress.includes(type) || isAddress(address, 1)) return null;
  return `A member's address is host:port, not ${JSON.stringify(address)}.`;
}

function checkMessage(value: unknown): OperationMessage {
  const { request, isPassedOn } = (value ?? {}) as Partial<OperationMessage>;
  const problem = operationProblem(request as OperationRequest);
  if (problem !== null) throw new RpcError("INVALID_ARGUMENT", problem, { outcome: "failed" });
  return { request: request as OperationRequest, isPassedOn: isPassedOn === true };
}

/** Has the cluster carry out an operation, through whichever member is asked. */
export const operateMethod: Method<OperationMessage, void> = defineMethod("octopii.operate", {
  request: cborCodec<OperationMessage>({ check: checkMessage }),
  response: voidCodec,
});
