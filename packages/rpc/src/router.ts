import type { RpcContext } from "./context.js";
import { isRpcError, RpcError } from "./errors.js";
import { checkMethodName, type Method, type OneWayMethod } from "./method.js";
import { isThenable } from "./thenable.js";

/**
 * Answers a call with bytes, at once or later. An `RpcError` that it throws goes to the caller with its status, message, outcome
 * and details; anything else is logged here and reaches the caller as `INTERNAL` without its text.
 *
 * `payload` belongs to the handler and may be a view of a larger buffer: copy what is kept for long. The bytes it returns belong to
 * the endpoint from then on.
 */
export type RpcHandler = (payload: Uint8Array, context: RpcContext) => Uint8Array | Promise<Uint8Array>;

/** Takes a one-way message. What it throws is logged. */
export type OneWayHandler = (payload: Uint8Array, context: RpcContext) => void | Promise<void>;

/** The handlers of an endpoint, by method. They may be added and removed while it serves. */
export interface RpcRouter {
  /**
   * Answers calls of a method.
   * @throws {RangeError} if the name is malformed or taken.
   */
  handle(method: string, handler: RpcHandler): void;
  handle<Request, Response>(
    method: Method<Request, Response>,
    handler: (request: Request, context: RpcContext) => Response | Promise<Response>,
  ): void;
  /**
   * Takes one-way messages of a method. Calls and one-way messages have separate names.
   * @throws {RangeError} if the name is malformed or taken.
   */
  onOneWay(method: string, handler: OneWayHandler): void;
  onOneWay<Message>(method: OneWayMethod<Message>, handler: (message: Message, context: RpcContext) => void | Promise<void>): void;
  /** Forgets the handlers of a name; those that run go on. @returns whether there were any. */
  remove(method: string): boolean;
  /** The handler for calls of a method, if there is one. */
  find(method: string): RpcHandler | undefined;
  /** The handler for one-way messages of a method, if there is one. */
  findOneWay(method: string): OneWayHandler | undefined;
}

/** An empty router. */
export function createRouter(): RpcRouter {
  const handlers = new Map<string, RpcHandler>();
  const oneWayHandlers = new Map<string, OneWayHandler>();
  return {
    handle<Request, Response>(
      method: string | Method<Request, Response>,
      handler: RpcHandler | ((request: Request, context: RpcContext) => Response | Promise<Response>),
    ): void {
      if (typeof method === "string") register(handlers, method, handler as RpcHandler);
      else register(handlers, method.name, withCodecs(method, handler as (request: Request, context: RpcContext) => Response));
    },
    onOneWay<Message>(
      method: string | OneWayMethod<Message>,
      handler: OneWayHandler | ((message: Message, context: RpcContext) => void | Promise<void>),
    ): void {
      if (typeof method === "string") register(oneWayHandlers, method, handler as OneWayHandler);
      else register(oneWayHandlers, method.name, withMessageCodec(method, handler as (message: Message, context: RpcContext) => void));
    },
    remove: (method) => {
      const removed = handlers.delete(method);
      return oneWayHandlers.delete(method) || removed;
    },
    find: (method) => handlers.get(method),
    findOneWay: (method) => oneWayHandlers.get(method),
  };
}

function register<Handler>(handlers: Map<string, Handler>, method: string, handler: Handler): void {
  checkMethodName(method);
  if (handlers.has(method)) throw new RangeError(`The method "${method}" has a handler already; remove it first.`);
  handlers.set(method, handler);
}

function withCodecs<Request, Response>(
  method: Method<Request, Response>,
  handler: (request: Request, context: RpcContext) => Response | Promise<Response>,
): RpcHandler {
  const encode = (response: unknown): Uint8Array => method.response.encode(response as Response);
  return (payload, context) => {
    const response = handler(
      decodeArgument(() => method.request.decode(payload), method.name),
      context,
    );
    return isThenable(response) ? Promise.resolve(response).then(encode) : encode(response);
  };
}

function withMessageCodec<Message>(
  method: OneWayMethod<Message>,
  handler: (message: Message, context: RpcContext) => void | Promise<void>,
): OneWayHandler {
  return (payload, context) =>
    handler(
      decodeArgument(() => method.message.decode(payload), method.name),
      context,
    );
}

/** Whatever is wrong with an argument, the handler has not run. */
function decodeArgument<T>(decode: () => T, method: string): T {
  try {
    return decode();
  } catch (cause) {
    const { status, message, details } = isRpcError(cause)
      ? cause
      : { status: "INVALID_ARGUMENT" as const, message: `The payload for "${method}" could not be decoded.`, details: undefined };
    throw new RpcError(status, message, { outcome: "failed", cause, ...(details === undefined ? {} : { details }) });
  }
}
