import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { ResolvedHost, UdpSocket, UdpSocketOptions, UdpSockets } from "../ports.js";

/** Datagrams on their way into the kernel at one time; more than its send buffer holds at the default sizes. */
const buffersMax = 1_024;
/** How long closing waits for what the kernel has not taken yet, and how often it looks. */
const closeWaitMs = 200;
const closeLookMs = 5;

/**
 * Nearly always the kernel takes a datagram within the call that sends it. So nothing is asked to be told of each one: the length of the
 * socket's queue says which buffers are free. One buffer carries a whole burst then, and stays in the processor's cache.
 */
class NodeUdpSocket implements UdpSocket {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #datagramBytes: number;
  readonly #free: Uint8Array[] = [];
  /** Given to the socket, the oldest first. The last of them may still be in its queue. */
  #queued: Uint8Array[] = [];
  #buffers = 0;
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
    if (free !== undefined) return free;
    if (this.#queued.length > 0 && this.#closing === null) {
      this.#reclaim();
      const reclaimed = this.#free.pop();
      if (reclaimed !== undefined) return reclaimed;
    }
    if (this.#buffers >= buffersMax) return null;
    this.#buffers += 1;
    return new Uint8Array(this.#datagramBytes);
  }

  send(buffer: Uint8Array, length: number, host: string, port: number): void {
    if (this.#closing !== null) {
      this.#free.push(buffer);
      return;
    }
    try {
      // An error is a lost packet: the engine sends its content again. Without a callback it is told to nobody.
      this.#socket.send(length === buffer.length ? buffer : buffer.subarray(0, length), port, host);
    } catch {
      // The same: an address that cannot be sent to.
    }
    if (this.#queued.length === 0 && this.#socket.getSendQueueCount() === 0) this.#free.push(buffer);
    else this.#queued.push(buffer);
  }

  giveBack(buffer: Uint8Array): void {
    this.#free.push(buffer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What went out is free again; the queue is served in order. */
  #reclaim(): void {
    const sent = Math.max(0, this.#queued.length - this.#socket.getSendQueueCount());
    this.#free.push(...this.#queued.slice(0, sent));
    this.#queued = this.#queued.slice(sent);
  }

  async #close(): Promise<void> {
    // A kernel whose buffer does not empty must not hold the process up.
    for (let waited = 0; waited < closeWaitMs && this.#socket.getSendQueueCount() > 0; waited += closeLookMs) {
      await new Promise((resolve) => setTimeout(resolve, closeLookMs));
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
