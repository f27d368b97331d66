import type { CodedError, Outcome } from "@octopii/interfaces";
import type { RpcStatus } from "./status.js";

/** The code of an {@link RpcError}: its status behind a prefix that no other package uses. */
export type RpcErrorCode = `OCTOPII_RPC_${RpcStatus}`;

/** Options of {@link RpcError}. */
export interface RpcErrorOptions {
  /**
   * Whether the work may have been done all the same. Default `unknown`, the safe answer. A handler that knows it did nothing
   * says `failed`, and the caller may then repeat the call whatever the method does.
   */
  readonly outcome?: Outcome;
  /** Facts for programs. They travel as CBOR, so: plain objects, arrays, strings, numbers, bytes. At most 16 KiB encoded. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What led to this error. Stays on this side. */
  readonly cause?: unknown;
  /** The method whose call failed so. Calls set it; handlers leave it out. */
  readonly method?: string;
}

/**
 * Why a call failed. Handlers throw it to give their caller a status; calls reject with it. Test it with {@link isRpcError}.
 */
export class RpcError extends Error implements CodedError {
  /** gRPC's name for the condition. */
  readonly status: RpcStatus;
  readonly code: RpcErrorCode;
  /** `failed`: the handler did not run, or said that it did nothing. `unknown`: it may have run. */
  readonly outcome: Outcome;
  readonly details?: Readonly<Record<string, unknown>>;
  /** The method of the call that failed; null on an error that did not come from a call. */
  readonly method: string | null;

  constructor(status: RpcStatus, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RpcError";
    this.status = status;
    this.code = `OCTOPII_RPC_${status}`;
    this.outcome = options.outcome ?? "unknown";
    if (options.details !== undefined) this.details = options.details;
    this.method = options.method ?? null;
  }
}

/**
 * Whether `error` is an {@link RpcError}, by its shape, so that it holds across copies of this package.
 * @param code - also asks for this code.
 */
export function isRpcError(error: unknown, code?: RpcErrorCode): error is RpcError {
  if (!(error instanceof Error)) return false;
  const { code: actual, status, outcome } = error as Partial<RpcError>;
  if (typeof status !== "string" || actual !== `OCTOPII_RPC_${status}`) return false;
  if (outcome !== "failed" && outcome !== "unknown") return false;
  return code === undefined || actual === code;
}
