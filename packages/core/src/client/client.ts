import type { Clock, Connection, Logger, Random, Scheduler, Transport } from "@octopii/interfaces";
import { createRpc, type Method, type Rpc, type RpcClient } from "@octopii/rpc";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
import type { CallOptions, QueryOptions } from "../call-options.js";
import { CoreError, tooLargeError } from "../errors.js";
import { configurationError, isAddress } from "../options.js";
import { silence } from "../ports.js";
import { proposeMethod, queryMethod, staleQueryMethod, statusMethod } from "../service/methods.js";
import { Attempts } from "../service/retry.js";
import type { NodeStatus } from "../status.js";

/** Settings of a {@link Client}. */
export interface ClientOptions {
  /** Where the cluster's members listen: some of them suffice, in order of preference. */
  readonly addresses: readonly string[];
  /** How long a call waits, retries included, when it does not say. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How long to wait for one member before trying the next. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /** The longest command, query and answer. Default 16 MiB, as for nodes. */
  readonly entryBytesMax?: number;
}

/** What a client is made of. */
export interface ClientParts {
  /** How to reach the members; it proves who we are. The client closes it. */
  readonly transport: Transport;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** Speaks to a cluster from a program that is not a member of it. */
export interface Client {
  /** As a node's `propose`. A proposal is sent again by itself only when it certainly did not happen. */
  propose(command: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** As a node's `query`, answered by whichever member is reached. */
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** What the member at `address` says of itself. No other member is asked. */
  status(address: string, options?: CallOptions): Promise<NodeStatus>;
  /** As `query`, but of the member at `address` and no other. */
  queryAt(address: string, request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** Closes the connections and the transport; what is pending settles with an error. Repeating the call gives the same promise. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const entryBytesMaxDefault = 16 * 1024 * 1024;

/** What is left out of a frame for the envelope. */
const envelopeBytes = 64 * 1024;

/**
 * Makes a client; it connects at the first call.
 * @throws {CoreError} `CONFIGURATION_INVALID`, listing every problem of the options at once.
 */
export function createClient(options: ClientOptions, parts: ClientParts): Client {
  const problems: string[] = [];
  if (options.addresses.length === 0) problems.push("addresses must name at least one member");
  for (const address of options.addresses) if (!isAddress(address, 1)) problems.push(`${address} is not host:port`);
  if (problems.length > 0) throw configurationError(problems);
  return new ClusterClient(options, parts);
}

class ClusterClient implements Client {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #rpc: Rpc;
  readonly #connections = new Map<string, Promise<RpcClient>>();
  /** Position in the addresses of the member that served last. */
  #preferred: number;
  #closing: Promise<void> | null = null;

  constructor(options: ClientOptions, parts: ClientParts) {
    this.#options = options;
    this.#transport = parts.transport;
    this.#clock = parts.clock ?? systemClock;
    this.#scheduler = parts.scheduler ?? systemScheduler;
    const maxFrameBytes = (options.entryBytesMax ?? entryBytesMaxDefault) + envelopeBytes;
    const ports = { clock: this.#clock, scheduler: this.#scheduler, logger: parts.logger ?? silence };
    this.#rpc = createRpc(ports, { maxFrameBytes, maxQueuedBytes: 4 * maxFrameBytes, maxInboundBytes: 4 * maxFrameBytes });
    // Many clients with the same list begin at different members.
    this.#preferred = (parts.random ?? systemRandom).uint32() % options.addresses.length;
  }

  propose(command: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const tooLarge = tooLargeError(command, this.#options.entryBytesMax ?? entryBytesMaxDefault);
    if (tooLarge !== null) return Promise.reject(tooLarge);
    return this.#callAny(proposeMethod, command, options);
  }

  query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    return this.#callAny(options.consistency === "stale" ? staleQueryMethod : queryMethod, request, options, true);
  }

  status(address: string, options: CallOptions = {}): Promise<NodeStatus> {
    return this.#attempts(options).once((attempt) => this.#call(address, statusMethod, undefined, attempt));
  }

  queryAt(address: string, request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    const method = options.consistency === "stale" ? staleQueryMethod : queryMethod;
    return this.#attempts(options).once((attempt) => this.#call(address, method, request, attempt));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #callAny<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
    harmless = false,
  ): Promise<Response> {
    return this.#attempts(options).run(async (attempt) => {
      const position = this.#preferred;
      const address = this.#options.addresses[position] as string;
      try {
        return await this.#call(address, method, request, attempt);
      } catch (error) {
        // Whatever went wrong there, the next attempt goes to another member.
        if (this.#preferred === position) this.#preferred = (position + 1) % this.#options.addresses.length;
        throw error;
      }
    }, harmless);
  }

  async #call<Request, Response>(
    address: string,
    method: Method<Request, Response>,
    request: Request,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Response> {
    if (this.#closing !== null) throw new CoreError("OCTOPII_CORE_NOT_RUNNING", "The client was closed.");
    const client = await this.#clientAt(address);
    return client.call(method, request, options);
  }

  /** Calls to one member share its connection, and the dial for it. */
  #clientAt(address: string): Promise<RpcClient> {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const forget = (): void => {
      if (this.#connections.get(address) === dialed) this.#connections.delete(address);
    };
    const dialed = this.#dial(address).then((connection) => {
      void connection.closed.then(forget);
      return this.#rpc.client(connection);
    });
    this.#connections.set(address, dialed);
    dialed.catch(forget);
    return dialed;
  }

  async #dial(address: string): Promise<Connection> {
    try {
      return await this.#transport.connect(address, { timeoutMs: this.#options.connectTimeoutMs ?? 2_000 });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CoreError("OCTOPII_CORE_UNAVAILABLE", `${address} cannot be reached: ${why}`, { cause: error });
    }
  }

  #attempts(options: CallOptions): Attempts {
    return new Attempts(this.#clock, this.#scheduler, options, this.#options.requestTimeoutMs ?? 10_000);
  }

  async #close(): Promise<void> {
    await this.#rpc.close({ timeoutMs: 0 });
    await this.#transport.close();
  }
}
