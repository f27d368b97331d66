import type { Connection, NodeId, Stream } from "@octopii/interfaces";
import type { Rpc } from "@octopii/rpc";
import { snapshotProtocol } from "../adapters/snapshot-streams.js";
import { raftProtocol, type TransportPeerNetwork } from "../adapters/transport-peer-network.js";
import type { Member } from "../options.js";
import type { BackoffOptions } from "./backoff.js";
import { answerHello, linkProtocol } from "./greeting.js";
import { type LinkPorts, type LinkSelf, PeerLink } from "./peer-link.js";

/** The stream codes for a protocol that this node does not speak, and for one that is not the peer's to speak. */
const unknownProtocol = 3;
const notForYou = 4;

/** All connections of a node: one to each other member, whoever dialed it, and those of clients; their streams are sorted by protocol. */
export class Peers {
  /** To the other members, and to members that came to us before we have learned their address, a newcomer's leader for one. */
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #self: LinkSelf;
  readonly #cluster: string;
  readonly #rpc: Pick<Rpc, "acceptStream">;
  readonly #ports: LinkPorts;
  readonly #backoff: BackoffOptions;
  #network: TransportPeerNetwork | null = null;

  constructor(
    members: readonly Member[],
    own: { readonly cluster: string; readonly id: NodeId },
    rpc: Pick<Rpc, "acceptStream">,
    ports: LinkPorts,
    backoff: BackoffOptions,
  ) {
    this.#self = { id: own.id, life: ports.random.uint32() };
    this.#cluster = own.cluster;
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
      if (id === this.#self.id) continue;
      const link = this.#linkTo(id);
      link.moveTo(address);
      // Dialed at once: the first thing that we have to say may be a request for a vote, which nobody repeats.
      link.dial();
    }
    for (const [id, link] of this.#links) {
      if (members.some((member) => member.id === id)) continue;
      link.moveTo(null);
      this.#forgetUnused(id);
    }
  }

  /** The live connection to a member, or null while it is being made. One whose address we have not learned is answered where it came. */
  connectionTo(id: NodeId): Connection | null {
    return this.#links.get(id)?.connection ?? null;
  }

  /** Takes a connection that came in. */
  accept(connection: Connection): void {
    connection.onStream = (stream) => {
      if (stream.protocol === linkProtocol) this.#greeted(stream, connection);
      else this.#take(stream, connection);
    };
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  #greeted(stream: Stream, connection: Connection): void {
    const { nodeId } = connection.peer;
    if (nodeId === null || nodeId === this.#self.id || this.#isForeign(connection)) return refuse(stream, notForYou);
    answerHello(stream, (hello) => {
      const answer = this.#linkTo(nodeId).take(connection, hello);
      this.#forgetUnused(nodeId);
      return answer;
    });
  }

  #take(stream: Stream, connection: Connection): void {
    if (this.#network !== null && !this.#isForeign(connection)) {
      if (stream.protocol === raftProtocol) return this.#network.accept(stream, connection);
      if (stream.protocol === snapshotProtocol) return this.#network.acceptSnapshot(stream, connection);
    }
    if (this.#rpc.acceptStream(stream, connection)) return;
    this.#ports.logger.warn(
      { peer: connection.peer.name, protocol: stream.protocol },
      "A peer asked for a protocol that this node does not speak.",
    );
    refuse(stream, unknownProtocol);
  }

  /** Of another cluster: a transport may admit such peers for the application's methods, and their node ids are not ours. */
  #isForeign({ peer }: Connection): boolean {
    return peer.cluster !== null && peer.cluster !== this.#cluster;
  }

  #linkTo(id: NodeId): PeerLink {
    const known = this.#links.get(id);
    if (known !== undefined) return known;
    const link = new PeerLink(id, null, this.#self, this.#ports, this.#backoff, {
      dialed: (connection) => {
        connection.onStream = (stream) => this.#take(stream, connection);
      },
      disconnected: () => {
        this.#network?.disconnected(id);
        this.#forgetUnused(id);
      },
    });
    this.#links.set(id, link);
    return link;
  }

  #forgetUnused(id: NodeId): void {
    if (this.#links.get(id)?.isUnused) this.#links.delete(id);
  }
}

function refuse(stream: Stream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}
