import type { RpcContext, RpcRouter } from "@octopii/rpc";
import type { CallOptions, QueryOptions } from "../call-options.js";
import type { NodeStatus } from "../status.js";
import { toRpcError } from "./error-mapping.js";
import { proposeMethod, queryMethod, staleQueryMethod, statusMethod } from "./methods.js";

/** What a node offers to others over RPC. */
export interface ServedNode {
  propose(command: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  query(request: Uint8Array, options: QueryOptions): Promise<Uint8Array>;
  status(): NodeStatus;
}

/** Registers a node's methods. */
export function serveNode(router: RpcRouter, node: ServedNode): void {
  router.handle(
    proposeMethod,
    translated((command, options) => node.propose(command, options)),
  );
  router.handle(
    queryMethod,
    translated((request, options) => node.query(request, options)),
  );
  router.handle(
    staleQueryMethod,
    translated((request, options) => node.query(request, { ...options, consistency: "stale" })),
  );
  router.handle(statusMethod, () => node.status());
}

type Handler = (payload: Uint8Array, options: CallOptions) => Promise<Uint8Array>;

/** Passes on the caller's deadline and cancellation, and gives errors the form in which they travel. */
function translated(handler: Handler) {
  return async (payload: Uint8Array, context: RpcContext): Promise<Uint8Array> => {
    try {
      // The payload is a view of what the transport delivered; the log keeps commands for long, so it gets bytes of its own.
      return await handler(payload.slice(), { timeoutMs: context.remainingMs(), signal: context.signal });
    } catch (error) {
      throw toRpcError(error);
    }
  };
}
