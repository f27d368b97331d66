import type { Clock, Logger, Random, Scheduler, Transport } from "@octopii/interfaces";
import { createRpc, type Method, type Rpc, type RpcClient } from "@octopii/rpc";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
import type { CallOptions, QueryOptions } from "../call-options.js";
import { CoreError, notBytes, refusalOf } from "../errors.js";
import { type Operations, Operator } from "../operations/operations.js";
import { type OperationRequest, operateMethod, operationProblem } from "../operations/request.js";
import { configurationError, isAddress } from "../options.js";
import { silence } from "../ports.js";
import { proposeMethod, queryMethod, snapshotMethod, staleQueryMethod, statusMethod } from "../service/methods.js";
import { Attempts } from "../service/retry.js";
import { encodePlain } from "../sessions/envelope.js";
import { openSession, type Session } from "../sessions/session.js";
import type { NodeStatus } from "../status.js";
import { MemberConnections } from "./member-connections.js";
import { RaceLost, type RaceWon, race } from "./race.js";
import { unreachedError } from "./unreached.js";

/** Settings of a {@link Client}. */
export interface ClientOptions {
  /** Where the cluster's members listen: some of them suffice, in order of preference. */
  readonly addresses: readonly string[];
  /** How long a call waits, retries included, when it does not say. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How long to wait for one member before it counts as unreachable. The next one is tried long before. Default 2,000. */
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
export interface Client extends Operations {
  /**
   * As a node's `propose`. A proposal is sent again by itself only when it certainly did not happen.
   * @throws {CoreError} also `IDENTITY_REFUSED`, at once, if no member accepts who we are, or proves who it is, and none is merely slow.
   */
  propose(command: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Opens a session, in which each command is applied once, however often it is sent. @throws {CoreError} as {@link Client.propose}. */
  openSession(options?: CallOptions): Promise<Session>;
  /** As a node's `query`, answered by whichever member is reached. */
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** What the member at `address` says of itself. No other member is asked. */
  status(address: string, options?: CallOptions): Promise<NodeStatus>;
  /** As `query`, but of the member at `address` and no other. */
  queryAt(address: string, request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** Has the member at `address` take a snapshot now and compact its log behind it. @returns the index that it holds. */
  snapshotAt(address: string, options?: CallOptions): Promise<number>;
  /** Closes the connections and the transport; what is pending settles with an error. Repeating the call gives the same promise. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const requestTimeoutMsDefault = 10_000;
const entryBytesMaxDefault = 16 * 1024 * 1024;

/** How long one member is dialed before the next is dialed as well. Source: RFC 8305 section 8. */
const headStartMs = 250;

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

class ClusterClient extends Operator implements Client {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #rpc: Rpc;
  readonly #connections: MemberConnections;
  /** Position in the addresses of the member that served last. */
  #preferred: number;
  #closing: Promise<void> | null = null;

  constructor(options: ClientOptions, parts: ClientParts) {
    super();
    this.#options = options;
    this.#transport = parts.transport;
    this.#clock = parts.clock ?? systemClock;
    this.#scheduler = parts.scheduler ?? systemScheduler;
    const maxFrameBytes = (options.entryBytesMax ?? entryBytesMaxDefault) + envelopeBytes;
    const ports = { clock: this.#clock, scheduler: this.#scheduler, logger: parts.logger ?? silence };
    this.#rpc = createRpc(ports, { maxFrameBytes, maxQueuedBytes: 4 * maxFrameBytes, maxInboundBytes: 4 * maxFrameBytes });
    this.#connections = new MemberConnections(parts.transport, this.#rpc, options.connectTimeoutMs ?? 2_000);
    // Many clients with the same list begin at different members.
    this.#preferred = (parts.random ?? systemRandom).uint32() % options.addresses.length;
  }

  propose(command: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const refusal = refusalOf(command, this.#options.entryBytesMax ?? entryBytesMaxDefault);
    if (refusal !== null) return Promise.reject(refusal);
    return this.#callAny(proposeMethod, encodePlain(command), options);
  }

  openSession(options: CallOptions = {}): Promise<Session> {
    const { entryBytesMax = entryBytesMaxDefault, requestTimeoutMs = requestTimeoutMsDefault } = this.#options;
    const host = {
      clock: this.#clock,
      scheduler: this.#scheduler,
      requestTimeoutMs,
      refusalOf: (command: Uint8Array) => refusalOf(command, entryBytesMax),
      send: (bytes: Uint8Array, limits: CallOptions) => this.#callAny(proposeMethod, bytes, limits),
      query: (request: Uint8Array, limits: QueryOptions) => this.query(request, limits),
    };
    return openSession(host, options);
  }

  query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    const misuse = notBytes("A query", request);
    if (misuse !== null) return Promise.reject(misuse);
    return this.#callAny(options.consistency === "stale" ? staleQueryMethod : queryMethod, request, options, true);
  }

  status(address: string, options: CallOptions = {}): Promise<NodeStatus> {
    return this.#callOne(address, statusMethod, undefined, options);
  }

  queryAt(address: string, request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    const misuse = notBytes("A query", request);
    if (misuse !== null) return Promise.reject(misuse);
    const method = options.consistency === "stale" ? staleQueryMethod : queryMethod;
    return this.#callOne(address, method, request, options);
  }

  snapshotAt(address: string, options: CallOptions = {}): Promise<number> {
    return this.#callOne(address, snapshotMethod, undefined, options);
  }

  protected operate(request: OperationRequest, options: CallOptions): Promise<void> {
    const problem = operationProblem(request);
    if (problem !== null) return Promise.reject(new CoreError("OCTOPII_CORE_CHANGE_REFUSED", problem));
    return this.#callAny(operateMethod, { request, isPassedOn: false }, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #callOne<Request, Response>(
    address: string,
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const attempts = this.#attempts(options);
    return attempts.once(async () => {
      const { value } = this.#liveAt(address) ?? (await this.#reach([address], attempts));
      return value.call(method, request, attempts.options);
    });
  }

  #callAny<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
    harmless = false,
  ): Promise<Response> {
    const attempts = this.#attempts(options);
    return attempts.run(async () => {
      const { addresses } = this.#options;
      const first = this.#preferred;
      const live = this.#liveAt(addresses[first] as string);
      const reached = live ?? (await this.#reach([...addresses.slice(first), ...addresses.slice(0, first)], attempts));
      const chosen = (first + reached.position) % addresses.length;
      this.#preferred = chosen;
      try {
        return await reached.value.call(method, request, attempts.options);
      } catch (error) {
        // Whatever went wrong there, the next attempt goes to another member.
        if (this.#preferred === chosen) this.#preferred = (chosen + 1) % addresses.length;
        throw error;
      }
    }, harmless);
  }

  #liveAt(address: string): RaceWon<RpcClient> | null {
    this.#checkOpen();
    const value = this.#connections.live(address);
    return value === null ? null : { value, position: 0 };
  }

  /** The first of some members that can be reached. */
  async #reach(addresses: readonly string[], attempts: Attempts): Promise<RaceWon<RpcClient>> {
    const dials = addresses.map((address) => () => this.#connections.dial(address));
    try {
      return await race(dials, this.#scheduler, { headStartMs, ...attempts.options });
    } catch (error) {
      this.#checkOpen();
      if (!(error instanceof RaceLost)) throw error;
      const unreached = addresses.map((address, i) => ({ address, failure: error.failures[i] }));
      throw unreachedError(unreached, this.#connections.wasAccepted);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new CoreError("OCTOPII_CORE_NOT_RUNNING", "The client was closed.");
  }

  #attempts(options: CallOptions): Attempts {
    return new Attempts(this.#clock, this.#scheduler, options, this.#options.requestTimeoutMs ?? requestTimeoutMsDefault);
  }

  async #close(): Promise<void> {
    await this.#rpc.close({ timeoutMs: 0 });
    await this.#transport.close();
  }
}
