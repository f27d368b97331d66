/**
 * The status codes of gRPC, OK left out: a call that went well has no status. Source: the gRPC status code specification.
 */
export type RpcStatus =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** Each status with gRPC's number for it, which is what travels. */
export const rpcStatusNumbers: Readonly<Record<RpcStatus, number>> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

const byNumber = new Map<number, RpcStatus>(
  Object.entries(rpcStatusNumbers).map(([status, number]) => [number, status as RpcStatus] as const),
);

/** The status for a number from the wire; `UNKNOWN` for one that this version does not know, as gRPC asks. */
export function statusFromNumber(number: number): RpcStatus {
  return byNumber.get(number) ?? "UNKNOWN";
}
