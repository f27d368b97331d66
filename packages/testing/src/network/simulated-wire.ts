import type { Station, Wire } from "../memory-transport/station.js";
import type { EventLoop } from "../world/event-loop.js";
import type { Lifetime } from "../world/lifetime.js";
import { eventKind } from "../world/simulated-event.js";
import type { Link } from "./link.js";
import type { SimulatedNetwork } from "./simulated-network.js";

/** The first wait before a lost packet is sent again is at least this, as in TCP (RFC 9293 asks for far more, kernels do with less). */
const MIN_RETRY_MS = 10;
const MAX_RETRY_MS = 2_000;

const RETRANSMIT = eventKind("net:retransmit");

interface Packet {
  readonly link: Link;
  readonly sender: Lifetime;
  readonly arrive: () => void;
  readonly abandoned: () => boolean;
  readonly bytes: number;
  delivered: boolean;
  retryMs: number;
}

/**
 * Carries packets over the simulated network and sends lost ones again, so that loss shows as delay. It knows the fate of each packet,
 * so no acknowledgements travel; duplicates are dropped where they arrive.
 */
export class SimulatedWire implements Wire {
  readonly #network: SimulatedNetwork;
  readonly #loop: EventLoop;
  readonly #lifetimeOf: (station: Station) => Lifetime;

  constructor(network: SimulatedNetwork, loop: EventLoop, lifetimeOf: (station: Station) => Lifetime) {
    this.#network = network;
    this.#loop = loop;
    this.#lifetimeOf = lifetimeOf;
  }

  send(from: Station, toHost: string, arrive: () => void, abandoned: () => boolean, bytes: number = 0): void {
    const link = this.#network.link(from.host, toHost);
    const { minDelayMs, meanDelayMs } = link.config;
    const retryMs = Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, 4 * (minDelayMs + meanDelayMs)));
    this.#attempt({ link, sender: this.#lifetimeOf(from), arrive, abandoned, bytes, delivered: false, retryMs });
  }

  #attempt(packet: Packet): void {
    if (packet.delivered || !packet.sender.alive || packet.abandoned()) return;
    const land = (): void => {
      if (packet.delivered) return;
      packet.delivered = true;
      packet.arrive();
    };
    this.#network.transmit(packet.link, land, () => this.#retryLater(packet), packet.bytes);
  }

  #retryLater(packet: Packet): void {
    if (packet.delivered || !packet.sender.alive) return;
    const delayUs = Math.round(packet.retryMs * 1000);
    packet.retryMs = Math.min(MAX_RETRY_MS, packet.retryMs * 2);
    this.#loop.post(delayUs, packet.sender, RETRANSMIT, packet.link.to, () => this.#attempt(packet));
  }
}
