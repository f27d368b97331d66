import type { Connection, NodeId, Stream } from "@octopii/interfaces";
import type { Rpc } from "@octopii/rpc";
import { snapshotProtocol } from "../adapters/snapshot-streams.js";
import { raftProtocol, type TransportPeerNetwork } from "../adapters/transport-peer-network.js";
import type { Member } from "../options.js";
import { type BackoffOptions, type LinkPorts, PeerLink } from "./peer-link.js";

/** The stream code for a protocol that this node does not speak. */
const unknownProtocol = 3;

/** All connections of a node: those it dials to the other members, and those that come in, sorted by protocol. */
export class Peers {
  readonly #links = new Map<NodeId, PeerLink>();
  /** The newest connection that each member has made to us. */
  readonly #inbound = new Map<NodeId, Connection>();
  readonly #ownId: NodeId;
  readonly #rpc: Rpc;
  readonly #ports: LinkPorts;
  readonly #backoff: BackoffOptions;
  #network: TransportPeerNetwork | null = null;

  constructor(members: readonly Member[], ownId: NodeId, rpc: Rpc, ports: LinkPorts, backoff: BackoffOptions) {
    this.#ownId = ownId;
    this.#rpc = rpc;
    this.#ports = ports;
    this.#backoff = backoff;
    this.reach(members);
  }

  /** Where Raft's streams go; set once, before any connection comes in. */
  set network(network: TransportPeerNetwork) {
    this.#network = network;
  }

  /** These are the members now, at these addresses. One that is new, or at a new address, is dialed; one that is gone is let go. */
  reach(members: readonly Member[]): void {
    for (const { id, address } of members) {
      const link = this.#links.get(id);
      if (id === this.#ownId || link?.address === address) continue;
      link?.close();
      const fresh = this.#link(id, address);
      this.#links.set(id, fresh);
      // Dialed at once: the first thing that we have to say may be a request for a vote, which nobody repeats.
      fresh.dial();
    }
    for (const [id, link] of this.#links) {
      if (members.some((member) => member.id === id)) continue;
      link.close();
      this.#links.delete(id);
    }
  }

  /**
   * The live connection to a member, or null while it is being dialed. Whose address we have not learned yet, a newcomer's leader for one, is
   * answered on the connection that it made.
   */
  connectionTo(id: NodeId): Connection | null {
    const link = this.#links.get(id);
    return link === undefined ? (this.#inbound.get(id) ?? null) : link.connection;
  }

  /** Takes a connection that came in. */
  accept(connection: Connection): void {
    this.#route(connection);
    const { nodeId } = connection.peer;
    if (nodeId === null) return;
    this.#inbound.set(nodeId, connection);
    void connection.closed.then(() => {
      if (this.#inbound.get(nodeId) === connection) this.#inbound.delete(nodeId);
    });
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  #route(connection: Connection): void {
    connection.onStream = (stream) => this.#take(stream, connection);
  }

  #take(stream: Stream, connection: Connection): void {
    if (stream.protocol === raftProtocol && this.#network !== null) return this.#network.accept(stream, connection);
    if (stream.protocol === snapshotProtocol && this.#network !== null) return this.#network.acceptSnapshot(stream, connection);
    if (this.#rpc.acceptStream(stream, connection)) return;
    this.#ports.logger.warn(
      { peer: connection.peer.name, protocol: stream.protocol },
      "A peer asked for a protocol that this node does not speak.",
    );
    stream.reset(unknownProtocol);
    stream.stop(unknownProtocol);
  }

  #link(id: NodeId, address: string): PeerLink {
    return new PeerLink(id, address, this.#ports, this.#backoff, {
      connected: (connection) => this.#route(connection),
      disconnected: () => this.#network?.disconnected(id),
    });
  }
}
