import type { Listener, NodeId, Transport } from "@octopii/interfaces";
import { type LogStorage, openRaftNode, type RaftNode } from "@octopii/raft";
import { createRpc, type Rpc } from "@octopii/rpc";
import { isWalrusError, openWalrus, type Walrus } from "@octopii/walrus";
import { authorityFingerprints } from "./adapters/authorities.js";
import { loadDefaultTransport } from "./adapters/default-transport.js";
import { TransportPeerNetwork } from "./adapters/transport-peer-network.js";
import { WalrusLogStorage } from "./adapters/walrus-log-storage.js";
import type { CallOptions, QueryOptions } from "./call-options.js";
import { DataDirectory } from "./data-directory.js";
import { CoreError, tooLargeError } from "./errors.js";
import { type NodeConfig, type NodeOptions, resolveNodeOptions } from "./options.js";
import { Peers } from "./peers/peers.js";
import { completeParts, type NodeParts, type NodePorts } from "./ports.js";
import { proposeHereMethod } from "./service/methods.js";
import { serveNode } from "./service/node-service.js";
import { Attempts } from "./service/retry.js";
import { type ApplyResult, replicated } from "./state-machine/replicated.js";
import { Rejection } from "./state-machine/state-machine.js";
import type { MemberStatus, NodeStatus } from "./status.js";

/** Room for what surrounds a command in an RPC frame or a Raft message. */
const envelopeBytes = 64 * 1024;

/** Everything of a node that has to be closed, in the order in which it was opened. */
interface Running {
  readonly transport: Transport;
  readonly listener: Listener;
  readonly peers: Peers;
  readonly rpc: Rpc;
  readonly wal: Walrus;
  readonly raft: RaftNode<ApplyResult>;
}

/** A member of a cluster, inside your process. */
export interface Node {
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
  /** Asks this node's replica. Linearizable by default: the answer reflects every write acknowledged before the call. */
  query(request: Uint8Array, options?: QueryOptions): Promise<Uint8Array>;
  /** The node's view of itself. Works in every state. */
  status(): NodeStatus;
  /** Leaves quietly and releases every handle; what is pending settles with an error. Repeating the call gives the same promise. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a node; nothing happens until it is started.
 * @throws {CoreError} `CONFIGURATION_INVALID`, listing every problem of the options at once.
 */
export function createNode(options: NodeOptions, parts: NodeParts): Node {
  return new ClusterNode(resolveNodeOptions(options, parts.transport !== undefined), completeParts(parts));
}

class ClusterNode implements Node {
  readonly #config: NodeConfig;
  readonly #ports: NodePorts;
  #running: Running | null = null;
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** Whom this node followed when its role last changed; 0 for nobody. */
  #followedId: NodeId = 0;

  constructor(config: NodeConfig, ports: NodePorts) {
    this.#config = config;
    this.#ports = ports;
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
    const tooLarge = tooLargeError(command, this.#config.entryBytesMax);
    if (tooLarge !== null) return Promise.reject(tooLarge);
    return this.#attempts(options).run((attempt) => {
      const { raft } = this.#expectRunning();
      const { leaderId } = raft;
      return leaderId === this.id || leaderId === 0 ? this.#proposeHere(command, attempt) : this.#forward(leaderId, command, attempt);
    });
  }

  async query(request: Uint8Array, options: QueryOptions = {}): Promise<Uint8Array> {
    if (options.consistency !== "stale") await this.#attempts(options).run((attempt) => this.#expectRunning().raft.readIndex(attempt));
    else this.#expectRunning();
    return this.#ports.stateMachine.query(request);
  }

  status(): NodeStatus {
    const { id, cluster, address } = this.#config;
    const raft = this.#running?.raft;
    const stopped = raft === undefined || raft.stoppedBy !== null || this.#closing !== null;
    const status = raft?.status();
    const matches = new Map(status?.progress.map((progress) => [progress.id, progress.matchIndex]));
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
      members: this.#config.members.map((member): MemberStatus => ({ ...member, matchIndex: matches.get(member.id) ?? null })),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const directory = this.#dataDirectory();
    await directory.check();
    const transport = this.#ports.transport ?? (await loadDefaultTransport(this.#config, this.#ports));
    const closers: (() => unknown)[] = [() => transport.close()];
    try {
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
      this.#running = { transport, listener, peers, rpc, wal, raft };
      serveNode(rpc.router, {
        propose: (command, options) => this.propose(command, options),
        proposeHere: (command, options) => this.#proposeHere(command, options),
        query: (request, options) => this.query(request, options),
        status: () => this.status(),
      });
    } catch (error) {
      await closeAll(closers.reverse()).catch((closeError: unknown) => {
        this.#ports.logger.warn({ error: closeError }, "What a failed start had opened could not be closed in full.");
      });
      throw error;
    }
  }

  #createRpc(): Rpc {
    const { clock, scheduler, logger } = this.#ports;
    const maxFrameBytes = this.#config.entryBytesMax + envelopeBytes;
    const maxQueuedBytes = Math.max(4 * maxFrameBytes, 64 * 1024 * 1024);
    return createRpc({ clock, scheduler, logger }, { maxFrameBytes, maxQueuedBytes, maxInboundBytes: maxQueuedBytes });
  }

  #createPeers(transport: Transport, rpc: Rpc): { peers: Peers; network: TransportPeerNetwork } {
    const { clock, scheduler, random, logger } = this.#ports;
    const { members, id, reconnectMinMs, reconnectMaxMs } = this.#config;
    const ports = { transport, clock, scheduler, random: random.fork("reconnect"), logger };
    const peers = new Peers(members, id, rpc, ports, { minMs: reconnectMinMs, maxMs: reconnectMaxMs });
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
    const options = { directory: logPath, segmentBytes: this.#config.logSegmentBytes };
    try {
      return await openWalrus(expectedLogId === null ? options : { ...options, expectedLogId }, { fileSystem, scheduler, logger });
    } catch (error) {
      throw isWalrusError(error, "OCTOPII_WALRUS_WRONG_LOG") ? directory.logMissing(error) : error;
    }
  }

  #openRaft(storage: LogStorage, peers: Peers, network: TransportPeerNetwork): Promise<RaftNode<ApplyResult>> {
    const { members, id, raft } = this.#config;
    const { clock, scheduler, random, logger, stateMachine, onEvent } = this.#ports;
    const voters = members.map((member) => member.id);
    const configuration = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const ports = { storage, network, stateMachine: replicated(stateMachine), clock, scheduler, random, logger };
    return openRaftNode({ id, configuration }, ports, raft, (event) => {
      if (event.type === "role") this.#follow(event.leaderId, peers);
      onEvent?.(event);
    });
  }

  /** Commands that were forwarded to a leader which this node does not follow any more must not wait for its answer. */
  #follow(leaderId: NodeId, peers: Peers): void {
    if (leaderId !== this.#followedId) peers.abandonCalls(this.#followedId);
    this.#followedId = leaderId;
  }

  async #close(): Promise<void> {
    // A start under way finishes, or fails and cleans up, before anything is taken apart.
    await this.#starting?.catch(() => undefined);
    const running = this.#running;
    if (running === null) return;
    const { listener, raft, rpc, peers, transport, wal } = running;
    const closers = [listener, raft, { close: () => rpc.close({ timeoutMs: 0 }) }, peers, transport, wal];
    await closeAll(closers.map((part) => () => part.close()));
  }

  #expectRunning(): Running {
    if (this.#running !== null && this.#closing === null) return this.#running;
    throw new CoreError("OCTOPII_CORE_NOT_RUNNING", this.#closing === null ? "The node is not started yet." : "The node was closed.");
  }

  #attempts(options: CallOptions): Attempts {
    return new Attempts(this.#ports.clock, this.#ports.scheduler, options, this.#config.requestTimeoutMs);
  }

  async #proposeHere(command: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const outcome = await this.#expectRunning().raft.propose(command, options);
    if ("rejection" in outcome) throw new Rejection(outcome.rejection);
    return outcome.result;
  }

  async #forward(leaderId: NodeId, command: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    // No waiting here: the next attempt comes soon, and by then another node may lead.
    const client = this.#expectRunning().peers.clientFor(leaderId);
    if (client === null)
      throw new CoreError("OCTOPII_CORE_UNAVAILABLE", `The leader, node ${leaderId}, cannot be reached from node ${this.id}.`);
    return client.call(proposeHereMethod, command, options);
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
