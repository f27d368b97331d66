import { enterLifetime } from "../world/enter-lifetime.js";
import type { EventLoop } from "../world/event-loop.js";
import type { Lifetime } from "../world/lifetime.js";
import type { SimulatedNetwork } from "./simulated-network.js";

/** The most that one datagram carries, in bytes: what UDP over IPv4 can. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** Finds the socket that a host has open now. */
export type SocketLookup = (host: string) => DatagramSocket | null;

/** Sends single messages to other hosts: lost, doubled and out of order as the network has it. */
export class DatagramSocket {
  /** Called with each message that arrives. The receiver owns the bytes. */
  onDatagram: ((bytes: Uint8Array, from: string) => void) | null = null;
  readonly host: string;
  readonly #network: SimulatedNetwork;
  readonly #loop: EventLoop;
  readonly #lifetime: Lifetime;
  readonly #lookup: SocketLookup;

  /** Use `world.process(name).datagrams`. */
  constructor(host: string, network: SimulatedNetwork, loop: EventLoop, lifetime: Lifetime, lookup: SocketLookup) {
    this.host = host;
    this.#network = network;
    this.#loop = loop;
    this.#lifetime = lifetime;
    this.#lookup = lookup;
  }

  /** Sends `bytes`, which are captured at the call, to whoever runs at the host `to` when they arrive. @throws RangeError if too long. */
  send(to: string, bytes: Uint8Array): void {
    if (bytes.length > MAX_DATAGRAM_BYTES) {
      throw new RangeError(`a datagram carries at most ${MAX_DATAGRAM_BYTES} bytes, not ${bytes.length}`);
    }
    if (!this.#lifetime.alive) return;
    const copy = bytes.slice();
    const arrive = (): void => this.#lookup(to)?.deliver(copy.slice(), this.host);
    this.#network.transmit(this.#network.link(this.host, to), arrive, null, bytes.length);
  }

  /** @internal */
  deliver(bytes: Uint8Array, from: string): void {
    enterLifetime(this.#loop, this.#lifetime, () => this.onDatagram?.(bytes, from));
  }
}
