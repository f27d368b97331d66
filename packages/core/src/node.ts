import type { Listener, NodeId, TlsCredentials, Transport } from "@octopii/interfaces";
import { type LogStorage, openRaftNode, type RaftNode } from "@octopii/raft";
import { createRpc, type Method, type NotifyOptions, type OneWayMethod, type Rpc, type RpcMetadata } from "@octopii/rpc";
import { createShippingLane, type ShippingLane } from "@octopii/shipping-lane";
import { isWalrusError, openWalrus, type Walrus } from "@octopii/walrus";
import { authorityFingerprints } from "./adapters/authorities.js";
import { compactingSnapshots } from "./adapters/compacting-snapshots.js";
import { FileSnapshotStorage } from "./adapters/file-snapshot-storage.js";
import { OwnTransport } from "./adapters/own-transport.js";
import { TransportPeerNetwork } from "./adapters/transport-peer-network.js";
import { WalrusLogStorage } from "./adapters/walrus-log-storage.js";
import type { CallOptions, QueryOptions } from "./call-options.js";
import { DataDirectory } from "./data-directory.js";
import { CoreError, notBytes, refusalOf } from "./errors.js";
import { MemberLane, type NodeLane } from "./lane/node-lane.js";
import { type Operations, Operator } from "./operations/operations.js";
import { operateOrPassOn } from "./operations/passing.js";
import type { OperationMessage, OperationRequest } from "./operations/request.js";
import { configurationError, type NodeConfig, type NodeOptions, resolveNodeOptions } from "./options.js";
import { Peers } from "./peers/peers.js";
import { completeParts, type NodeParts, type NodePorts } from "./ports.js";
import { MemberCalls } from "./service/member-calls.js";
import { nodeRouter } from "./service/node-router.js";
import { serveNode } from "./service/node-service.js";
import { Attempts } from "./service/retry.js";
import { encodePlain } from "./sessions/envelope.js";
import { resultOf } from "./sessions/outcome.js";
import { openSession, type Session } from "./sessions/session.js";
import { SessionTable } from "./sessions/session-table.js";
import { AddressBook } from "./state-machine/address-book.js";
import { type ApplyResult, replicated } from "./state-machine/replicated.js";
import type { MemberStatus, NodeStatus, PeerProgress } from "./status.js";
import { membersOf, progressOf } from "./status-of.js";

/** Room for what surrounds a command in an RPC frame or a Raft message. */
const envelopeBytes = 64 * 1024;

/** Everything of a node that has to be closed, in the order in which it was opened. */
interface Running {
  readonly transport: Transport;
  /** Null where a transport was passed in. */
  readonly own: OwnTransport | null;
  readonly listener: Listener;
  readonly peers: Peers;
  readonly rpc: Rpc;
  readonly wal: Walrus;
  readonly raft: RaftNode<ApplyResult>;
  readonly memberCalls: MemberCalls;
}

/** A member of a cluster, inside your process. */
export interface Node extends Operations {
  readonly id: NodeId;
  /**
   * Takes the node into its cluster: checks its directory and certificate, listens, reads its log back, and takes part.
   * @throws {CoreError} `CONFIGURATION_INVALID`, `DIRECTORY_FOREIGN`, `LOG_MISSING`, `ADDRESS_IN_USE`; or the log's own error if it is
   * damaged. After a refusal no file that was there has changed, and nothing is left open.
   */
  start(): Promise<void>;
  /**
   * Replicates a command; resolves with the state machine's result once a quorum holds it. Any node takes it and forwards it to the
   * leader, waiting through an election if need be.
   * @param command - belongs to the node from now on: do not change it.
   * @throws {Rejection} if the state machine refused it.
   * @throws {CoreError} `UNAVAILABLE`, `BUSY`, `TOO_LARGE`, `NOT_RUNNING`: it did not happen, if `outcome` is `failed`. `TIMEOUT`, or
   * any code with `outcome` `unknown`: it may have; repeat it only if doing it twice does no harm.
   */
  propose(command: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Opens a session, in which each command is applied once, however often it is sent. @throws {CoreError} as {@link Node.propose}. */
  openSession(options?: CallOptions): Promise<Session>;
  /** Asks this node's replica. Linearizable by default: the answer reflects every write acknowledged before the call. */
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** Takes a snapshot now and compacts the log behind it. @returns the index that it holds. @throws {CoreError} `SNAPSHOT_FAILED`. */
  snapshot(options?: CallOptions): Promise<number>;
  /** Stands for election now. Does nothing on a leader or a member without a vote. */
  campaign(): void;
  /**
   * Calls a method that the application on another member serves (`services`). Waits for a connection if there is none, and sends once.
   * @throws {RpcError} what that member's handler threw, and as `RpcClient.call`; {@link CoreError} `UNAVAILABLE`, `NOT_RUNNING`: not sent.
   */
  call<Request, Response>(
    member: NodeId,
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions & { readonly metadata?: RpcMetadata },
  ): Promise<Response>;
  /** Sends the application on another member a message that nobody answers. @returns false if it will never be sent. */
  notify<Message>(member: NodeId, method: OneWayMethod<Message>, message: Message, options?: NotifyOptions): boolean;
  /** Bulk transfer to other members. */
  readonly shippingLane: NodeLane;
  /**
   * Shows another certificate on every connection from now on, dialed or accepted; those that are open live on. Restarting is not needed.
   * @throws {CoreError} `CONFIGURATION_INVALID` if it does not fit this node, or a transport was passed in, which has to be told itself.
   */
  replaceCredentials(credentials: TlsCredentials): Promise<void>;
  /** The node's view of itself. Works in every state. */
  status(): NodeStatus;
  /** Whether this node leads, as far as it knows: another may have been elected meanwhile. */
  readonly isLeader: boolean;
  /** Who leads, as far as this node knows; null when unknown. */
  readonly leader: NodeId | null;
  /** The members of the configuration that is in effect on this node; empty while it waits to be added. */
  membership(): readonly MemberStatus[];
  /** How far each other member is, as the leader sees it; empty on a node that does not lead. */
  peerProgress(): readonly PeerProgress[];
  /** Leaves quietly and releases every handle; what is pending settles with an error. Repeating the call gives the same promise. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a node; nothing happens until it is started.
 * @throws {CoreError} `CONFIGURATION_INVALID`, listing every problem of the options at once.
 */
export function createNode(options: NodeOptions, parts: NodeParts): Node {
  return new ClusterNode(resolveNodeOptions(options, parts.transport !== undefined), parts);
}

class ClusterNode extends Operator implements Node {
  readonly #config: NodeConfig;
  readonly #ports: NodePorts;
  #running: Running | null = null;
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  readonly #book: AddressBook;
  readonly #lane: ShippingLane;
  readonly shippingLane: NodeLane;

  constructor(config: NodeConfig, parts: NodeParts) {
    super();
    this.#config = config;
    this.#ports = completeParts(parts, config, () => this.close());
    const random = this.#ports.random.fork("shipping-lane");
    this.#lane = createShippingLane({ ...this.#ports, random }, config.shippingLane);
    this.#lane.onOffer = this.#ports.onOffer;
    this.shippingLane = new MemberLane(this.#lane, (connectionNow, options) =>
      this.#attempts(options).run(async () => connectionNow(this.#expectRunning().peers)),
    );
    this.#book = new AddressBook(config.members);
  }

  get id(): NodeId {
    return this.#config.id;
  }

  start(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new CoreError("OCTOPII_CORE_NOT_RUNNING", "The node was closed; make a new one."));
    this.#starting ??= this.#start();
    return this.#starting;
  }

  propose(command: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const refusal = refusalOf(command, this.#config.entryBytesMax);
    return refusal === null ? this.#proposeEntry(encodePlain(command), options) : Promise.reject(refusal);
  }

  openSession(options: CallOptions = {}): Promise<Session> {
    const { clock, scheduler } = this.#ports;
    const { entryBytesMax, requestTimeoutMs } = this.#config;
    const host = {
      clock,
      scheduler,
      requestTimeoutMs,
      refusalOf: (command: Uint8Array) => refusalOf(command, entryBytesMax),
      send: (bytes: Uint8Array, limits: CallOptions) => this.#proposeEntry(bytes, limits),
      query: (request: Uint8Array, limits: QueryOptions) => this.query(request, limits),
    };
    return openSession(host, options);
  }

  async query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    const { consistency } = options;
    const misuse = notBytes("A query", request);
    if (misuse !== null) throw misuse;
    if (consistency === "stale") this.#expectRunning();
    else {
      const lease = consistency === "lease";
      await this.#attempts(options).run((attempt) => this.#expectRunning().raft.readIndex({ ...attempt, lease }));
    }
    return this.#ports.stateMachine.query(request);
  }

  status(): NodeStatus {
    const { id, cluster, address } = this.#config;
    const stopped = this.#isStopped;
    const status = this.#running?.raft.status();
    return {
      id,
      cluster,
      address,
      role: stopped ? "stopped" : (status?.role ?? "stopped"),
      term: status?.currentTerm ?? 0,
      leaderId: stopped ? 0 : (status?.leaderId ?? 0),
      lastIndex: status?.lastIndex ?? 0,
      commitIndex: status?.commitIndex ?? 0,
      appliedIndex: status?.appliedIndex ?? 0,
      compactedIndex: status?.compactedIndex ?? 0,
      snapshotIndex: status?.snapshotIndex ?? 0,
      members: status === undefined ? [] : membersOf(status, this.#book),
    };
  }

  get isLeader(): boolean {
    return this.status().role === "leader";
  }

  get leader(): NodeId | null {
    return this.status().leaderId || null;
  }

  membership(): readonly MemberStatus[] {
    return this.status().members;
  }

  peerProgress(): readonly PeerProgress[] {
    const raft = this.#running?.raft;
    return raft === undefined || this.#isStopped ? [] : progressOf(raft.status());
  }

  protected operate(request: OperationRequest, options: CallOptions): Promise<void> {
    return this.#operate({ request, isPassedOn: false }, options);
  }

  snapshot(options: CallOptions = {}): Promise<number> {
    return this.#attempts(options).once(async (attempt) => (await this.#expectRunning().raft.snapshot(attempt)).index);
  }

  campaign(): void {
    this.#expectRunning().raft.campaign();
  }

  async call<Request, Response>(
    member: NodeId,
    method: Method<Request, Response>,
    request: Request,
    { metadata, ...options }: CallOptions & { readonly metadata?: RpcMetadata } = {},
  ): Promise<Response> {
    const { memberCalls } = this.#expectRunning();
    return memberCalls.call(member, method, request, this.#attempts(options), metadata === undefined ? {} : { metadata });
  }

  notify<Message>(member: NodeId, method: OneWayMethod<Message>, message: Message, options: NotifyOptions = {}): boolean {
    return this.#expectRunning().memberCalls.notify(member, method, message, options);
  }

  async replaceCredentials(credentials: TlsCredentials): Promise<void> {
    const { own } = this.#expectRunning();
    if (own === null) throw configurationError(["the transport was passed in: replace the credentials there"]);
    await own.replace(credentials);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const closers: (() => unknown)[] = [() => this.#ports.background.close(), () => this.#lane.close()];
    try {
      const directory = this.#dataDirectory();
      await directory.check();
      const { own, transport } = await this.#openTransport();
      closers.push(() => (own ?? transport).close());
      const rpc = this.#createRpc();
      closers.push(() => rpc.close({ timeoutMs: 0 }));
      const { peers, network } = this.#createPeers(transport, rpc);
      closers.push(() => peers.close());
      const listener = await listen(transport, this.#config.listenAddress, peers);
      await directory.claim();
      const wal = await this.#openLog(directory);
      closers.push(() => wal.close());
      const storage = new WalrusLogStorage(wal, () => directory.record(wal.status().logId));
      const raft = await this.#openRaft(storage, peers, network);
      const memberCalls = new MemberCalls(rpc, (member) => peers.connectionTo(member));
      this.#running = { transport, own, listener, peers, rpc, wal, raft, memberCalls };
      serveNode(rpc.router, {
        propose: (data, options) => this.#proposeEntry(data, options),
        query: (request, options) => this.query(request, options),
        operate: (message, options) => this.#operate(message, options),
        snapshot: (options) => this.snapshot(options),
        status: () => this.status(),
      });
    } catch (error) {
      await closeAll(closers.reverse()).catch((closeError: unknown) => {
        this.#ports.logger.warn({ error: closeError }, "What a failed start had opened could not be closed in full.");
      });
      throw error;
    }
  }

  async #openTransport(): Promise<Pick<Running, "own" | "transport">> {
    const { transport } = this.#ports;
    if (transport !== null) return { own: null, transport };
    const own = await OwnTransport.load(this.#config, this.#ports);
    return { own, transport: own.transport };
  }

  #createRpc(): Rpc {
    const { clock, scheduler, logger } = this.#ports;
    const maxFrameBytes = this.#config.entryBytesMax + envelopeBytes;
    const maxQueuedBytes = Math.max(4 * maxFrameBytes, 64 * 1024 * 1024);
    const router = nodeRouter(this.#ports.services, this.#ports.authorize, logger);
    return createRpc({ clock, scheduler, logger, router }, { maxFrameBytes, maxQueuedBytes, maxInboundBytes: maxQueuedBytes });
  }

  #createPeers(transport: Transport, rpc: Rpc): { peers: Peers; network: TransportPeerNetwork } {
    const { clock, scheduler, random, logger } = this.#ports;
    const { members, id, cluster, reconnectMinMs, reconnectMaxMs } = this.#config;
    const ports = { transport, clock, scheduler, random: random.fork("reconnect"), logger };
    const lane = this.#lane;
    const served: Pick<Rpc, "acceptStream"> = {
      acceptStream: (stream, connection) => lane.acceptStream(stream, connection) || rpc.acceptStream(stream, connection),
    };
    const peers = new Peers(members, { cluster, id }, served, ports, { minMs: reconnectMinMs, maxMs: reconnectMaxMs });
    const { entryBytesMax, appendBytesMax, inflightBytesMax } = this.#config;
    const limits = { frameBytesMax: entryBytesMax + appendBytesMax + envelopeBytes, queuedBytesMax: 2 * inflightBytesMax };
    const network = new TransportPeerNetwork((peer) => peers.connectionTo(peer), limits, logger);
    peers.network = network;
    return { peers, network };
  }

  #dataDirectory(): DataDirectory {
    const { cluster, id, directory, credentials } = this.#config;
    const authorities = credentials === null ? null : authorityFingerprints(credentials.authorities);
    return new DataDirectory(this.#ports.fileSystem, directory, { cluster, nodeId: id, authorities });
  }

  async #openLog(directory: DataDirectory): Promise<Walrus> {
    const { fileSystem, scheduler, logger } = this.#ports;
    const { logPath, expectedLogId } = directory;
    // A node reads all of its log before it votes; if some of it is damaged, that must be known before anything is changed.
    const options = { directory: logPath, segmentBytes: this.#config.logSegmentBytes, verifyOnOpen: "all" } as const;
    try {
      return await openWalrus(expectedLogId === null ? options : { ...options, expectedLogId }, { fileSystem, scheduler, logger });
    } catch (error) {
      throw isWalrusError(error, "OCTOPII_WALRUS_WRONG_LOG") ? directory.logMissing(error) : error;
    }
  }

  async #openRaft(storage: LogStorage, peers: Peers, network: TransportPeerNetwork): Promise<RaftNode<ApplyResult>> {
    const { members, id, raft, join, directory } = this.#config;
    const { clock, scheduler, random, logger, fileSystem, onEvent } = this.#ports;
    const voters = join ? [] : members.map((member) => member.id);
    const configuration = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const { background } = this.#ports;
    const files = new FileSnapshotStorage(fileSystem, `${directory}/snapshots`, logger);
    await files.prepare();
    const snapshots = background.snapshots(compactingSnapshots(files, (index) => this.#ports.stateMachine.compact?.(index)));
    const stateMachine = replicated(this.#ports.stateMachine, this.#book, new SessionTable(), () => peers.reach(this.#book.members()));
    const ports = { storage, snapshots, network, stateMachine, clock, scheduler, random, logger };
    return openRaftNode({ id, configuration }, ports, raft, background.replica(onEvent));
  }

  get #isStopped(): boolean {
    return this.#running === null || this.#running.raft.stoppedBy !== null || this.#closing !== null;
  }

  /** @param data - as it is to stand in the log. */
  #proposeEntry(data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#attempts(options).run(async (attempt) => resultOf(await this.#expectRunning().raft.propose(data, attempt)));
  }

  #operate(message: OperationMessage, options: CallOptions): Promise<void> {
    const expectRunning = (): Running => this.#expectRunning();
    const attempts = (one: CallOptions): Attempts => this.#attempts(one);
    return operateOrPassOn({ id: this.id, expectRunning, attempts }, message, options);
  }

  async #close(): Promise<void> {
    // A start under way finishes, or fails and cleans up, before anything is taken apart.
    await this.#starting?.catch(() => undefined);
    const running = this.#running;
    const { background } = this.#ports;
    await this.#lane.close();
    if (running === null) return background.close();
    const { listener, raft, rpc, peers, transport, own, wal } = running;
    const closers = [listener, raft, { close: () => rpc.close({ timeoutMs: 0 }) }, peers, own ?? transport, wal, background];
    await closeAll(closers.map((part) => () => part.close()));
  }

  #expectRunning(): Running {
    if (this.#running !== null && this.#closing === null) return this.#running;
    throw new CoreError("OCTOPII_CORE_NOT_RUNNING", this.#closing === null ? "The node is not started yet." : "The node was closed.");
  }

  #attempts(options: CallOptions): Attempts {
    return new Attempts(this.#ports.clock, this.#ports.scheduler, options, this.#config.requestTimeoutMs);
  }
}

/** Closes everything, whatever fails on the way. @throws the first failure, at the end. */
async function closeAll(closers: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function listen(transport: Transport, address: string, peers: Peers): Promise<Listener> {
  try {
    return await transport.listen({ address, onConnection: (connection) => peers.accept(connection) });
  } catch (error) {
    if (!isAddressInUse(error)) throw error;
    const message = `Another program listens on ${address} already; stop it, or give this node another address.`;
    throw new CoreError("OCTOPII_CORE_ADDRESS_IN_USE", message, { cause: error, details: { address } });
  }
}

function isAddressInUse(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { code?: unknown }).code === "EADDRINUSE") return true;
  }
  return false;
}
