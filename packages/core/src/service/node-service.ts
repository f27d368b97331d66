import type { RpcContext, RpcRouter } from "@octopii/rpc";
import type { CallOptions, QueryOptions } from "../call-options.js";
import { type OperationMessage, operateMethod } from "../operations/request.js";
import type { NodeStatus } from "../status.js";
import { toRpcError } from "./error-mapping.js";
import { proposeMethod, queryMethod, snapshotMethod, staleQueryMethod, statusMethod } from "./methods.js";

/** What a node offers to others over RPC. */
export interface ServedNode {
  propose(command: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  query(request: Uint8Array, options: QueryOptions): Promise<Uint8Array>;
  operate(message: OperationMessage, options: CallOptions): Promise<void>;
  snapshot(options: CallOptions): Promise<number>;
  status(): NodeStatus;
}

/** Registers a node's methods. */
export function serveNode(router: RpcRouter, node: ServedNode): void {
  router.handle(
    proposeMethod,
    translated((command: Uint8Array, options) => node.propose(command.slice(), options)),
  );
  router.handle(
    queryMethod,
    translated((request: Uint8Array, options) => node.query(request.slice(), options)),
  );
  router.handle(
    staleQueryMethod,
    translated((request: Uint8Array, options) => node.query(request.slice(), { ...options, consistency: "stale" })),
  );
  router.handle(
    operateMethod,
    translated((message: OperationMessage, options) => node.operate(message, options)),
  );
  router.handle(
    snapshotMethod,
    translated((_request: unknown, options) => node.snapshot(options)),
  );
  router.handle(statusMethod, () => node.status());
}

/**
 * Passes on the caller's deadline and cancellation, and gives errors the form in which they travel. Bytes are views of what the transport
 * delivered; the log keeps commands for long, so handlers take copies.
 */
function translated<Request, Response>(handler: (request: Request, options: CallOptions) => Promise<Response>) {
  return async (request: Request, context: RpcContext): Promise<Response> => {
    try {
      return await handler(request, { timeoutMs: context.remainingMs(), signal: context.signal });
    } catch (error) {
      throw toRpcError(error);
    }
  };
}
