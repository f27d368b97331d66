import type { Connection, Logger, NodeId, Stream } from "@octopii/interfaces";
import type { Rpc, RpcClient } from "@octopii/rpc";
import { raftProtocol, type TransportPeerNetwork } from "../adapters/transport-peer-network.js";
import type { Member } from "../options.js";
import { type BackoffOptions, type LinkPorts, PeerLink } from "./peer-link.js";

/** The stream code for a protocol that this node does not speak. */
const unknownProtocol = 3;

interface Peer {
  readonly link: PeerLink;
  client: RpcClient | null;
}

/** All connections of a node: those it dials to the other members, and those that come in, sorted by protocol. */
export class Peers {
  readonly #peers: ReadonlyMap<NodeId, Peer>;
  readonly #rpc: Rpc;
  readonly #logger: Logger;
  #network: TransportPeerNetwork | null = null;

  constructor(members: readonly Member[], ownId: NodeId, rpc: Rpc, ports: LinkPorts, backoff: BackoffOptions) {
    this.#rpc = rpc;
    this.#logger = ports.logger;
    const others = members.filter(({ id }) => id !== ownId);
    this.#peers = new Map(others.map(({ id, address }) => [id, { link: this.#link(id, address, ports, backoff), client: null }]));
  }

  /** Where Raft's streams go; set once, before any connection comes in. */
  set network(network: TransportPeerNetwork) {
    this.#network = network;
  }

  /** The live connection to a member, or null while it is being dialed. */
  connectionTo(id: NodeId): Connection | null {
    return this.#peers.get(id)?.link.connection ?? null;
  }

  /** A client for calls to a member, or null if there is no connection to it now; one is being made then. */
  clientFor(id: NodeId): RpcClient | null {
    const peer = this.#peers.get(id);
    const connection = peer?.link.connection ?? null;
    if (peer === undefined || connection === null) return null;
    if (peer.client?.connection !== connection) peer.client = this.#rpc.client(connection);
    return peer.client;
  }

  /**
   * Gives up the calls to a member that does not lead any more: its answers may never come. Whoever waits for one hears that the outcome
   * is unknown.
   */
  abandonCalls(id: NodeId): void {
    const peer = this.#peers.get(id);
    const client = peer?.client ?? null;
    if (peer === undefined || client === null) return;
    peer.client = null;
    void client.close({ timeoutMs: 0 });
  }

  /** Takes a connection that came in. */
  accept(connection: Connection): void {
    connection.onStream = (stream) => this.#route(stream, connection);
  }

  close(): void {
    for (const { link } of this.#peers.values()) link.close();
  }

  #route(stream: Stream, connection: Connection): void {
    if (stream.protocol === raftProtocol && this.#network !== null) return this.#network.accept(stream, connection);
    if (this.#rpc.acceptStream(stream, connection)) return;
    this.#logger.warn(
      { peer: connection.peer.name, protocol: stream.protocol },
      "A peer asked for a protocol that this node does not speak.",
    );
    stream.reset(unknownProtocol);
    stream.stop(unknownProtocol);
  }

  #link(id: NodeId, address: string, ports: LinkPorts, backoff: BackoffOptions): PeerLink {
    return new PeerLink(id, address, ports, backoff, {
      connected: (connection) => this.accept(connection),
      disconnected: () => this.#network?.disconnected(id),
    });
  }
}
