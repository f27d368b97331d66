import type { Clock, Connection, Logger, Scheduler, Stream } from "@octopii/interfaces";
import { systemClock, systemScheduler } from "@octopii/system";
import { type CloseOptions, ConnectionClient, closeDeadline, type RpcClient } from "./client.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { Endpoint } from "./endpoint.js";
import { rpcStreamCodes } from "./frame-format.js";
import { type RpcOptions, resolveRpcOptions } from "./options.js";
import { createRouter, type RpcRouter } from "./router.js";
import { RpcServer, refuseStream } from "./server.js";
import { createCounters, type RpcStats } from "./stats.js";

/** What `createRpc` runs on. */
export interface RpcPorts {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: Node's timers and event loop. */
  readonly scheduler?: Scheduler;
  /** Default: silence. */
  readonly logger?: Logger;
  /** The handlers. Default: an empty router of its own. */
  readonly router?: RpcRouter;
}

/** One endpoint: it answers calls on any number of connections, and makes them. It holds one timer and no threads or handles. */
export interface Rpc {
  /** Where handlers are registered. */
  readonly router: RpcRouter;
  /**
   * Answers the calls that come on a stream, if it is of this package's protocol; for whoever owns the connection's `onStream`.
   * @returns false if the stream is of another protocol; it was not touched then.
   */
  acceptStream(stream: Stream, connection: Connection): boolean;
  /** Answers the calls that come on a connection which carries nothing else: takes its `onStream`, and refuses other protocols. */
  serve(connection: Connection): void;
  /** Makes a client for calls to the peer of a connection. It opens its stream at the first call. */
  client(connection: Connection): RpcClient;
  stats(): RpcStats;
  /**
   * Refuses new requests, waits for running handlers, then closes all clients the same way. What is not done in time is aborted.
   * Connections stay open: they are their owner's. Repeating the call waits for the same end.
   */
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an endpoint. It does nothing until it is given a connection.
 * @throws {RangeError} if options are wrong; it names all that are.
 */
export function createRpc(ports: RpcPorts = {}, options: RpcOptions = {}): Rpc {
  const { clock = systemClock, scheduler = systemScheduler, logger = null, router = createRouter() } = ports;
  const config = resolveRpcOptions(options);
  const deadlines = new DeadlineQueue(clock, scheduler);
  return new RpcEndpoint({ config, clock, scheduler, logger, counters: createCounters(), deadlines }, router);
}

class RpcEndpoint implements Rpc {
  readonly router: RpcRouter;
  readonly #endpoint: Endpoint;
  readonly #server: RpcServer;
  readonly #clients = new Set<ConnectionClient>();
  #closed: Promise<void> | null = null;

  constructor(endpoint: Endpoint, router: RpcRouter) {
    this.#endpoint = endpoint;
    this.router = router;
    this.#server = new RpcServer(endpoint, router);
  }

  acceptStream(stream: Stream, connection: Connection): boolean {
    return this.#server.accept(stream, connection);
  }

  serve(connection: Connection): void {
    connection.onStream = (stream) => {
      if (!this.acceptStream(stream, connection)) refuseStream(stream, rpcStreamCodes.closed);
    };
  }

  client(connection: Connection): RpcClient {
    const client = new ConnectionClient(this.#endpoint, connection, (closed) => this.#clients.delete(closed));
    this.#clients.add(client);
    // After the end: a client that refuses every call says so better than a throw here.
    if (this.#closed !== null) void client.closeBy(this.#endpoint.clock.now());
    return client;
  }

  stats(): RpcStats {
    return { ...this.#endpoint.counters };
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const deadline = closeDeadline(this.#endpoint, options);
    this.#closed ??= this.#close(deadline);
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Handlers that run may need the clients, so those come second. */
  async #close(deadline: number): Promise<void> {
    await this.#server.close(deadline);
    await Promise.all([...this.#clients].map((client) => client.closeBy(deadline)));
    this.#endpoint.deadlines.release();
  }
}
