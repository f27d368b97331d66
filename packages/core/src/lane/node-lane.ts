import type { Connection, NodeId } from "@octopii/interfaces";
import type { SendOptions, ShippingLane, ShippingLaneStats, TransferResult } from "@octopii/shipping-lane";
import type { CallOptions } from "../call-options.js";
import { CoreError } from "../errors.js";

/** Options of {@link NodeLane.sendFile}. */
export interface NodeSendOptions extends SendOptions {
  /** How long to wait for a connection to the member, if there is none. Default: the node's `requestTimeoutMs`. */
  readonly connectTimeoutMs?: number;
}

/**
 * Bulk transfer to other members, over the connections that the node has anyway, beside Raft and calls. What comes from them, and from
 * clients, goes to `onOffer` of the node's parts.
 */
export interface NodeLane {
  /**
   * Sends a file; resolves when the member's `onOffer` has taken it, and it is checked and published there.
   * @throws {LaneError} as `ShippingLane.sendFile`; {@link CoreError} `UNAVAILABLE`, `NOT_RUNNING`: nothing was sent.
   */
  sendFile(member: NodeId, path: string, options?: NodeSendOptions): Promise<TransferResult>;
  /** Sends bytes from memory, which are not copied: leave them alone until the promise settles. As {@link NodeLane.sendFile}. */
  sendBytes(member: NodeId, bytes: Uint8Array, options: NodeSendOptions & { readonly name: string }): Promise<TransferResult>;
  /** Removes what a crash has left of unfinished files in a directory; as `ShippingLane.cleanUp`. */
  cleanUp(directory: string): Promise<number>;
  stats(): ShippingLaneStats;
}

/** Waits for the live connection to a member, within the options' time. */
type Connect = (connectionNow: (peers: ConnectedPeers) => Connection, options: CallOptions) => Promise<Connection>;

/** Who knows the connections. */
export interface ConnectedPeers {
  connectionTo(member: NodeId): Connection | null;
}

/** A node's {@link ShippingLane}, with members in place of connections. */
export class MemberLane implements NodeLane {
  readonly #lane: ShippingLane;
  readonly #connect: Connect;

  constructor(lane: ShippingLane, connect: Connect) {
    this.#lane = lane;
    this.#connect = connect;
  }

  async sendFile(member: NodeId, path: string, options: NodeSendOptions = {}): Promise<TransferResult> {
    const { connectTimeoutMs, ...sendOptions } = options;
    return this.#lane.sendFile(await this.#connectionTo(member, options), path, sendOptions);
  }

  async sendBytes(member: NodeId, bytes: Uint8Array, options: NodeSendOptions & { readonly name: string }): Promise<TransferResult> {
    const { connectTimeoutMs, ...sendOptions } = options;
    return this.#lane.sendBytes(await this.#connectionTo(member, options), bytes, sendOptions);
  }

  cleanUp(directory: string): Promise<number> {
    return this.#lane.cleanUp(directory);
  }

  stats(): ShippingLaneStats {
    return this.#lane.stats();
  }

  #connectionTo(member: NodeId, { connectTimeoutMs, signal }: NodeSendOptions): Promise<Connection> {
    const options: CallOptions = {
      ...(connectTimeoutMs !== undefined && { timeoutMs: connectTimeoutMs }),
      ...(signal !== undefined && { signal }),
    };
    return this.#connect((peers) => {
      const connection = peers.connectionTo(member);
      if (connection !== null) return connection;
      const message = `Nothing can be sent to node ${member} now; it is no other member, or there is no connection to it.`;
      throw new CoreError("OCTOPII_CORE_UNAVAILABLE", message);
    }, options);
  }
}
