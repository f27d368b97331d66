import type { Logger, PeerIdentity } from "@octopii/interfaces";
import { createRouter, type OneWayHandler, RpcError, type RpcHandler, type RpcRouter } from "@octopii/rpc";

/** Methods under this prefix are the node's own; no other handler is ever asked for them. */
const ownPrefix = "octopii.";

/**
 * The handlers of a node's port: its own, for peers that may use the cluster, and beside them the application's, which decide by
 * `context.peer` for themselves.
 * @param application - may gain and lose handlers while the node runs.
 */
export function nodeRouter(application: RpcRouter | null, mayUseCluster: (peer: PeerIdentity) => boolean, logger: Logger): RpcRouter {
  const own = createRouter();
  const guarded = new Map<RpcHandler, RpcHandler>();
  const guard = (handler: RpcHandler, method: string): RpcHandler => {
    const wrapped: RpcHandler = (payload, context) => {
      if (!mayUseCluster(context.peer)) throw notForYou(method, context.peer);
      return handler(payload, context);
    };
    guarded.set(handler, wrapped);
    return wrapped;
  };
  const handle = (method: string | { readonly name: string }, handler: unknown): void => {
    const name = typeof method === "string" ? method : method.name;
    if (application?.find(name) !== undefined) {
      logger.warn(
        { method: name },
        `The handler of services for "${name}" will never be asked: names that begin with octopii. are the node's own.`,
      );
    }
    own.handle(method as string, handler as RpcHandler);
  };
  return {
    handle: handle as RpcRouter["handle"],
    onOneWay: own.onOneWay,
    remove: (method) => own.remove(method),
    find: (method) => {
      if (!method.startsWith(ownPrefix)) return application?.find(method);
      const handler = own.find(method);
      return handler === undefined ? undefined : (guarded.get(handler) ?? guard(handler, method));
    },
    findOneWay: (method): OneWayHandler | undefined =>
      method.startsWith(ownPrefix) ? own.findOneWay(method) : application?.findOneWay(method),
  };
}

function notForYou(method: string, { name, cluster }: PeerIdentity): RpcError {
  const message = `"${method}" is for peers that may use this cluster; ${name}${cluster === null ? "" : ` of cluster ${cluster}`} may not.`;
  return new RpcError("PERMISSION_DENIED", message, { outcome: "failed" });
}
