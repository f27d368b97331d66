import type { Clock, Connection, ConnectionClose, Logger, NodeId, Random, Scheduler, Transport } from "@octopii/interfaces";
import type { Message } from "@octopii/raft";
import { createRpc } from "@octopii/rpc";
import { TransportPeerNetwork } from "../../src/adapters/transport-peer-network.js";
import type { Member } from "../../src/options.js";
import { Peers } from "../../src/peers/peers.js";

const nothing = (): void => undefined;
const silent: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What a {@link Participant} stands on. */
export interface ParticipantPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** One end of a connection, while it lives. */
export interface Live {
  readonly dialed: boolean;
  readonly peer: NodeId | null;
}

/** The peers of one member, and everything that happens to its connections and messages. */
export class Participant {
  readonly id: NodeId;
  readonly live = new Map<Connection, Live>();
  readonly closes: (ConnectionClose & Live)[] = [];
  /** The numbers that came from each member, in their order. */
  readonly received = new Map<NodeId, number[]>();
  readonly sent = new Map<NodeId, number[]>();
  /** Whom a failure was reported of. */
  readonly unreachable: NodeId[] = [];
  readonly #transport: Transport;
  readonly #peers: Peers;
  readonly #network: TransportPeerNetwork;
  #count = 0;

  constructor(id: NodeId, ports: ParticipantPorts) {
    this.id = id;
    this.#transport = ports.transport;
    const transport: Transport = {
      listen: (options) => ports.transport.listen(options),
      close: () => ports.transport.close(),
      connect: async (address, options) => {
        const connection = await ports.transport.connect(address, options);
        this.#note(connection, true);
        return connection;
      },
    };
    const linkPorts = { ...ports, transport, logger: silent };
    this.#peers = new Peers([], { cluster: "test", id }, createRpc(linkPorts), linkPorts, { minMs: 20, maxMs: 500 });
    const limits = { frameBytesMax: 1024 * 1024, queuedBytesMax: 1024 * 1024 };
    this.#network = new TransportPeerNetwork((peer) => this.#peers.connectionTo(peer), limits, silent);
    this.#network.attach(0, {
      receive: (from, messages) => {
        for (const message of messages) if (message.type === "ReadIndex") push(this.received, from, message.requestId);
      },
      receiveSnapshot: () => Promise.reject(new Error("none is sent")),
      unreachable: (peer) => this.unreachable.push(peer),
    });
    this.#peers.network = this.#network;
  }

  async listen(address: string): Promise<string> {
    const listener = await this.#transport.listen({
      address,
      onConnection: (connection) => {
        this.#note(connection, false);
        this.#peers.accept(connection);
      },
    });
    return listener.address;
  }

  /** Dials everybody. */
  meet(members: readonly Member[]): void {
    this.#peers.reach(members);
  }

  /** Sends the next number to a member, if there is a connection to it. */
  say(to: NodeId): void {
    if (this.#peers.connectionTo(to) === null) return;
    this.#count += 1;
    push(this.sent, to, this.#count);
    const message: Message = { type: "ReadIndex", group: 0, from: this.id, to, term: 1, requestId: this.#count, lease: false };
    this.#network.send(to, [message]);
  }

  connectionTo(id: NodeId): Connection | null {
    return this.#peers.connectionTo(id);
  }

  close(): void {
    this.#peers.close();
  }

  #note(connection: Connection, dialed: boolean): void {
    const end: Live = { dialed, peer: connection.peer.nodeId };
    this.live.set(connection, end);
    void connection.closed.then((close) => {
      this.live.delete(connection);
      this.closes.push({ ...close, ...end });
    });
  }
}

function push(lists: Map<NodeId, number[]>, key: NodeId, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** What is wrong with the connections of members who should have settled; empty if each two share exactly one. */
export function unsettled(participants: readonly Participant[]): string[] {
  const problems: string[] = [];
  for (const one of participants) {
    for (const other of participants) {
      if (one === other) continue;
      const ends = [...one.live].filter(([, end]) => end.peer === other.id);
      const [end] = ends;
      if (end === undefined || ends.length !== 1) problems.push(`${one.id} has ${ends.length} connections with ${other.id}`);
      else if (one.connectionTo(other.id) !== end[0]) problems.push(`${one.id} does not use its connection with ${other.id}`);
      const dialers = [one, other].filter((side) =>
        [...side.live.values()].some(({ dialed, peer }) => dialed && isOneOf(peer, one, other)),
      );
      if (dialers.length !== 1) problems.push(`${dialers.length} sides of ${one.id} and ${other.id} have dialed`);
    }
  }
  return problems;
}

const isOneOf = (id: NodeId | null, ...participants: readonly Participant[]): boolean => participants.some((one) => one.id === id);
