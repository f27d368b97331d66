import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { ResolvedHost, UdpSocket, UdpSocketOptions, UdpSockets } from "../ports.js";

/** Datagrams on their way into the kernel at one time; more than its send buffer holds at the default sizes. */
const slotsMax = 1_024;

/** One buffer of the pool with the callback that returns it, made once. */
interface Slot {
  readonly buffer: Uint8Array;
  readonly done: () => void;
}

class NodeUdpSocket implements UdpSocket {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #datagramBytes: number;
  readonly #free: Slot[] = [];
  readonly #slots = new Map<Uint8Array, Slot>();
  #sending = 0;
  #closed = false;
  #onIdle: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(socket: Socket, datagramBytes: number) {
    const { address, port } = socket.address();
    this.host = address;
    this.port = port;
    this.#socket = socket;
    this.#datagramBytes = datagramBytes;
  }

  take(): Uint8Array | null {
    const free = this.#free.pop();
    if (free !== undefined) return free.buffer;
    if (this.#slots.size >= slotsMax) return null;
    const buffer = new Uint8Array(this.#datagramBytes);
    const slot: Slot = {
      buffer,
      // An error here is a lost packet: the engine sends its content again.
      done: () => {
        this.#sending -= 1;
        this.#free.push(slot);
        if (this.#sending === 0) this.#onIdle?.();
      },
    };
    this.#slots.set(buffer, slot);
    return buffer;
  }

  send(buffer: Uint8Array, length: number, host: string, port: number): void {
    const slot = this.#slots.get(buffer);
    if (slot === undefined) return;
    if (this.#closed) {
      this.#free.push(slot);
      return;
    }
    this.#sending += 1;
    try {
      this.#socket.send(buffer, 0, length, port, host, slot.done);
    } catch {
      slot.done();
    }
  }

  giveBack(buffer: Uint8Array): void {
    const slot = this.#slots.get(buffer);
    if (slot !== undefined) this.#free.push(slot);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    if (this.#sending > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        // The kernel takes datagrams at once unless its buffer is full; one that does not empty must not hold the process up.
        setTimeout(resolve, 200).unref();
      });
    }
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

function open(options: UdpSocketOptions): Promise<UdpSocket> {
  const { host, port, family, datagramBytes, systemBufferBytes, onDatagram } = options;
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      ipv6Only: family === 6,
      // Destinations are IP addresses already. Answering at once keeps dgram from deferring every datagram.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.on("message", (message, remote) => onDatagram(message, remote.address, remote.port));
    socket.bind({ address: host, port }, () => {
      socket.removeAllListeners("error");
      // After binding, an error is one of a single datagram, which is lost like any other.
      socket.on("error", () => undefined);
      for (const set of [() => socket.setRecvBufferSize(systemBufferBytes), () => socket.setSendBufferSize(systemBufferBytes)]) {
        try {
          set();
        } catch {
          // The system's own size has to do.
        }
      }
      resolve(new NodeUdpSocket(socket, datagramBytes));
    });
  });
}

/** The spelling that sockets use, so that a peer is known by the address that it was dialed at. A zone, as in fe80::1%eth0, stays. */
function canonicalIpv6(host: string): string {
  const [address = host, ...zone] = host.split("%");
  return [new URL(`http://[${address}]`).hostname.slice(1, -1), ...zone].join("%");
}

function resolve(host: string): Promise<ResolvedHost> {
  const family = isIP(host);
  if (family === 4) return Promise.resolve({ host, family });
  if (family === 6) return Promise.resolve({ host: canonicalIpv6(host), family });
  return new Promise((settle, reject) => {
    lookup(host, (error, address, found) => {
      if (error !== null) reject(error);
      else settle({ host: address, family: found === 6 ? 6 : 4 });
    });
  });
}

/** UDP by `node:dgram`, names by the system's resolver. */
export const nodeUdpSockets: UdpSockets = { open, resolve };
