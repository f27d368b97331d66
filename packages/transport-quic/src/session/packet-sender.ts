import type { EngineConnection, UdpSocket } from "../ports.js";

/** Datagrams of one connection in one turn, so that acknowledgements are heard between bursts. */
const burstDatagramsMax = 128;

/** Carries a connection's packets from the engine to the socket. */
export class PacketSender {
  readonly #engine: EngineConnection;
  readonly #socket: UdpSocket;
  readonly #host: string;
  readonly #port: number;

  constructor(engine: EngineConnection, socket: UdpSocket, remote: { readonly remoteHost: string; readonly remotePort: number }) {
    this.#engine = engine;
    this.#socket = socket;
    this.#host = remote.remoteHost;
    this.#port = remote.remotePort;
  }

  /** Sends a burst of what the engine has. @returns whether it may have more. */
  sendBurst(): boolean {
    for (let sent = 0; sent < burstDatagramsMax; sent += 1) {
      const buffer = this.#socket.take();
      if (buffer === null) return true;
      const length = this.#engine.send(buffer);
      if (length === 0) {
        this.#socket.giveBack(buffer);
        return false;
      }
      this.#socket.send(buffer, length, this.#host, this.#port);
    }
    return true;
  }

  /**
   * Sends what says that the connection is over, and returns a copy of it: also where the socket is too busy to take it now, so that it can
   * be repeated. @param datagramBytes - the most that one holds.
   */
  sendLast(datagramBytes: number): Uint8Array | null {
    let last: Uint8Array | null = null;
    for (let sent = 0; sent < burstDatagramsMax; sent += 1) {
      const taken = this.#socket.take();
      const buffer = taken ?? new Uint8Array(datagramBytes);
      const length = this.#engine.send(buffer);
      if (length > 0) last = buffer.slice(0, length);
      if (taken !== null && length > 0) this.#socket.send(taken, length, this.#host, this.#port);
      else if (taken !== null) this.#socket.giveBack(taken);
      if (length === 0) break;
    }
    return last;
  }
}
