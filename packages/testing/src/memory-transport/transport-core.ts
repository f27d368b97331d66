import type { Identify, PeerIdentity } from "@octopii/interfaces";
import { MemoryConnection } from "./memory-connection.js";
import type { MemoryListener } from "./memory-listener.js";
import type { MemoryNetwork } from "./memory-network.js";
import type { MemoryTransportConfig } from "./options.js";
import type { Station } from "./station.js";

/** What differs from one connection of a transport to the next. */
export interface NewConnection {
  readonly peer: PeerIdentity;
  readonly peerHost: string;
  readonly remoteAddress: string;
  readonly peerConfig: MemoryTransportConfig;
  readonly initiator: boolean;
  readonly onConfirmed: (connection: MemoryConnection) => void;
}

/** What the parts of one transport share. */
export class TransportCore {
  readonly network: MemoryNetwork;
  readonly station: Station;
  readonly config: MemoryTransportConfig;
  readonly chain: readonly Uint8Array[];
  readonly identify: Identify;
  readonly connections: Set<MemoryConnection> = new Set<MemoryConnection>();
  readonly listeners: Set<MemoryListener> = new Set<MemoryListener>();

  constructor(network: MemoryNetwork, station: Station, config: MemoryTransportConfig, chain: readonly Uint8Array[], identify: Identify) {
    this.network = network;
    this.station = station;
    this.config = config;
    this.chain = chain;
    this.identify = identify;
  }

  /** Makes our end of a connection. */
  adopt(connection: NewConnection): MemoryConnection {
    const { peer, peerHost, remoteAddress, peerConfig, initiator, onConfirmed } = connection;
    const made = new MemoryConnection({
      station: this.station,
      wire: this.network.wire,
      peer,
      peerHost,
      remoteAddress,
      limits: { own: this.config, peer: peerConfig },
      initiator,
      onConfirmed,
      onGone: (gone) => {
        this.connections.delete(gone);
        this.network.untrack(gone);
      },
    });
    this.network.track(made);
    this.connections.add(made);
    return made;
  }
}
