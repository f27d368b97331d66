import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createRandom, type SeededRandom } from "../../random/seeded-random.js";
import { type Arrival, delivered, fateOf } from "../fate.js";
import { resolveUdpFaults, type UdpFaults, type UdpProxyOptions } from "../options.js";

/** What passed, and what did not. */
export interface UdpProxyStats {
  readonly received: number;
  readonly delivered: number;
  readonly lost: number;
}

/** An open proxy. */
export interface UdpProxy {
  /** Where to send in place of the target: `host:port`. */
  readonly address: string;
  readonly stats: UdpProxyStats;
  /** Changes the network; what is not named stays. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`. */
  configure(faults: Partial<UdpFaults>): void;
  /** Lets nothing through, in one direction or both, until {@link heal}. */
  cut(direction?: "toTarget" | "fromTarget"): void;
  heal(): void;
  close(): Promise<void>;
}

/** Addresses that may send through one proxy: tests have few. Others are not heard. */
const clientsMax = 64;
/** Datagrams on their way at one time; more are lost, as in a router. */
const underWayMax = 10_000;

/** Opens a proxy on loopback. Each client gets a socket of its own toward the target, as behind a NAT. */
export async function openUdpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const faults = resolveUdpFaults(options);
  const [host = "", port = ""] = options.target.split(":");
  const socket = await openSocket();
  return new RunningProxy(socket, { host, port: Number(port) }, faults, createRandom(options.seed));
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setRecvBufferSize(4 * 1024 * 1024);
  // A target that is gone shows as an error of the socket; here it is a lost datagram.
  socket.on("error", () => undefined);
  return socket;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

class RunningProxy implements UdpProxy {
  readonly address: string;
  readonly #front: Socket;
  readonly #target: Place;
  readonly #toTarget: SeededRandom;
  readonly #fromTarget: SeededRandom;
  readonly #clients = new Map<string, Promise<Socket>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stats = { received: 0, delivered: 0, lost: 0 };
  #faults: UdpFaults;
  #cut = { toTarget: false, fromTarget: false };
  #closed = false;

  constructor(front: Socket, target: Place, faults: UdpFaults, random: SeededRandom) {
    this.#front = front;
    this.#target = target;
    this.#faults = faults;
    this.#toTarget = random.fork("to the target");
    this.#fromTarget = random.fork("from the target");
    this.address = `127.0.0.1:${front.address().port}`;
    front.on("message", (datagram, { address, port }) => this.#fromClient(datagram, { host: address, port }));
  }

  get stats(): UdpProxyStats {
    return { ...this.#stats };
  }

  configure(faults: Partial<UdpFaults>): void {
    this.#faults = resolveUdpFaults(faults, this.#faults);
  }

  cut(direction?: "toTarget" | "fromTarget"): void {
    const both = direction === undefined;
    this.#cut = {
      toTarget: this.#cut.toTarget || both || direction === "toTarget",
      fromTarget: this.#cut.fromTarget || both || direction === "fromTarget",
    };
  }

  heal(): void {
    this.#cut = { toTarget: false, fromTarget: false };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const sockets = await Promise.all(this.#clients.values());
    await Promise.all([this.#front, ...sockets].map((socket) => new Promise<void>((resolve) => void socket.close(() => resolve()))));
  }

  #fromClient(datagram: Uint8Array, client: Place): void {
    const key = `${client.host}:${client.port}`;
    let upstream = this.#clients.get(key);
    if (upstream === undefined) {
      if (this.#clients.size >= clientsMax) return;
      upstream = this.#openUpstream(client);
      this.#clients.set(key, upstream);
    }
    const isCut = this.#cut.toTarget;
    void upstream.then((socket) => this.#pass(datagram, socket, this.#target, isCut, this.#toTarget));
  }

  async #openUpstream(client: Place): Promise<Socket> {
    const socket = await openSocket();
    socket.on("message", (datagram) => this.#pass(datagram, this.#front, client, this.#cut.fromTarget, this.#fromTarget));
    return socket;
  }

  #pass(datagram: Uint8Array, socket: Socket, to: Place, isCut: boolean, random: SeededRandom): void {
    if (this.#closed) return;
    this.#stats.received += 1;
    // Drawn in any case: a partition does not shift what happens after it.
    const arrivals = fateOf(datagram.length, this.#faults, random);
    if (isCut || arrivals.length === 0 || this.#timers.size >= underWayMax) {
      this.#stats.lost += 1;
      return;
    }
    for (const arrival of arrivals) this.#deliver(datagram, arrival, socket, to);
  }

  #deliver(datagram: Uint8Array, arrival: Arrival, socket: Socket, to: Place): void {
    const bytes = delivered(datagram, arrival);
    const send = (): void => {
      this.#stats.delivered += 1;
      socket.send(bytes, to.port, to.host, () => undefined);
    };
    if (arrival.delayMs < 1) return send();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, arrival.delayMs);
    this.#timers.add(timer);
  }
}
