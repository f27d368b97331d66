import type { Connection, NodeId } from "@octopii/interfaces";
import type { Method, NotifyOptions, OneWayMethod, Rpc, CallOptions as RpcCallOptions, RpcClient } from "@octopii/rpc";
import { CoreError } from "../errors.js";
import type { Attempts } from "./retry.js";

/** Calls of the application's own methods on other members, over the connections that the node has anyway. */
export class MemberCalls {
  readonly #rpc: Rpc;
  readonly #connectionTo: (member: NodeId) => Connection | null;
  readonly #clients = new WeakMap<Connection, RpcClient>();

  constructor(rpc: Rpc, connectionTo: (member: NodeId) => Connection | null) {
    this.#rpc = rpc;
    this.#connectionTo = connectionTo;
  }

  /** Waits for a connection within the call's time, and then sends once. */
  async call<Request, Response>(
    member: NodeId,
    method: Method<Request, Response>,
    request: Request,
    attempts: Attempts,
    options: Pick<RpcCallOptions, "metadata">,
  ): Promise<Response> {
    const client = await attempts.run(async () => this.#clientOf(member));
    return client.call(method, request, { ...options, ...attempts.options });
  }

  /** Sends over the connection that there is. @throws {CoreError} `UNAVAILABLE` if there is none. */
  callNow<Request, Response>(
    member: NodeId,
    method: Method<Request, Response>,
    request: Request,
    options: RpcCallOptions,
  ): Promise<Response> {
    return this.#clientOf(member).call(method, request, options);
  }

  notify<Message>(member: NodeId, method: OneWayMethod<Message>, message: Message, options: NotifyOptions): boolean {
    const connection = this.#connectionTo(member);
    return connection !== null && this.#clientFor(connection).notify(method, message, options);
  }

  #clientOf(member: NodeId): RpcClient {
    const connection = this.#connectionTo(member);
    if (connection !== null) return this.#clientFor(connection);
    const message = `Node ${member} cannot be reached now; it is no member, or there is no connection to it.`;
    throw new CoreError("OCTOPII_CORE_UNAVAILABLE", message);
  }

  #clientFor(connection: Connection): RpcClient {
    let client = this.#clients.get(connection);
    if (client === undefined) {
      client = this.#rpc.client(connection);
      this.#clients.set(connection, client);
    }
    return client;
  }
}
