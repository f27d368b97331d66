import type { Socket } from "node:net";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { formatAddress } from "../address.js";
import type { TlsFailure, TlsSocket } from "../ports.js";
import type { BufferPool } from "./buffer-pool.js";
import { describeFailure, describeProblem } from "./tls-problems.js";

/** Writes on their way at one time: one that the system takes, and some that wait behind it. */
const writesMax = 4;
/** Up to here a write is copied out of its shared buffer, which is then free at once. */
const copyBelowBytes = 4 * 1024;
const chainMax = 10;

/** What a socket is made with. */
export interface SocketParts {
  readonly remoteAddress: string;
  readonly applicationProtocol: string;
  readonly pool: BufferPool;
  /** The name that the peer's certificate must carry; null for a peer that called. */
  readonly serverName: string | null;
}

/** A {@link TlsSocket} on `node:tls`. Of an accepted connection there is only the TCP socket until the handshake is done. */
export class NodeTlsSocket implements TlsSocket {
  readonly remoteAddress: string;
  onSecure: ((problem: string | null) => void) | null = null;
  onDrain: (() => void) | null = null;
  onData: ((bytes: Uint8Array) => void) | null = null;
  onClose: ((failure: TlsFailure | null) => void) | null = null;
  readonly #parts: SocketParts;
  #tcp: Socket;
  #tls: TLSSocket | null = null;
  #writes = 0;
  #wantsDrain = false;
  #failure: TlsFailure | null = null;

  /** @param socket - the TCP socket of an accepted connection, or the TLS socket of a dial. */
  constructor(socket: Socket, parts: SocketParts) {
    this.#parts = parts;
    this.#tcp = socket;
    this.remoteAddress = parts.remoteAddress;
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.#closed());
  }

  /** Why the socket will close, unless that is known already. */
  fail(error: Error): void {
    this.#failure ??= describeFailure(error);
  }

  /** The handshake is done. */
  secured(tls: TLSSocket): void {
    this.#tls = tls;
    if (tls !== this.#tcp) {
      tls.on("error", (error) => this.fail(error));
      tls.on("close", () => this.#tcp.destroy());
    }
    const { applicationProtocol, serverName } = this.#parts;
    if (tls.alpnProtocol !== applicationProtocol || tls.getProtocol() !== "TLSv1.3" || tls.isSessionReused()) {
      this.fail(new Error(`the other side does not speak ${applicationProtocol} over TLS 1.3`));
      this.destroy();
      return;
    }
    // Views of a Buffer cost several times as much as those of a plain array.
    tls.on("data", ({ buffer, byteOffset, length }: Uint8Array) => this.onData?.(new Uint8Array(buffer, byteOffset, length)));
    this.onSecure?.(describeProblem(tls, serverName));
  }

  peerChain(): readonly Uint8Array[] {
    const chain: Uint8Array[] = [];
    // Not `getPeerX509Certificate`: of a client's socket it gives another certificate each time that it is asked (Node.js 20).
    let certificate: Partial<DetailedPeerCertificate> | undefined = this.#tls?.getPeerCertificate(true);
    while (certificate?.raw !== undefined && chain.length < chainMax) {
      chain.push(new Uint8Array(certificate.raw));
      // The last one's issuer is itself.
      certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
    }
    return chain;
  }

  take(): Uint8Array | null {
    if (this.#writes < writesMax) return this.#parts.pool.take();
    this.#wantsDrain = true;
    return null;
  }

  giveBack(buffer: Uint8Array): void {
    this.#parts.pool.giveBack(buffer);
  }

  send(buffer: Uint8Array, length: number): void {
    const { pool } = this.#parts;
    const tls = this.#tls;
    if (tls === null || !tls.writable) {
      pool.giveBack(buffer);
      return;
    }
    this.#writes += 1;
    if (length <= copyBelowBytes) {
      const copy = Buffer.allocUnsafe(length);
      copy.set(buffer.subarray(0, length));
      tls.write(copy, this.#written);
      pool.giveBack(buffer);
      return;
    }
    tls.write(buffer.subarray(0, length), () => {
      pool.giveBack(buffer);
      this.#written();
    });
  }

  readonly #written = (): void => {
    this.#writes -= 1;
    if (!this.#wantsDrain || this.#writes > writesMax / 2) return;
    this.#wantsDrain = false;
    this.onDrain?.();
  };

  end(): void {
    this.#tls?.end();
  }

  destroy(): void {
    this.#tls?.destroy();
    this.#tcp.destroy();
  }

  #closed(): void {
    const { onClose } = this;
    this.onClose = null;
    onClose?.(this.#failure);
  }
}

/** The address of a TCP socket's other end; empty where it is gone already. */
export function remoteAddressOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return "";
  return formatAddress(remoteAddress.replace(/^::ffff:/, ""), remotePort);
}
