import { appendFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import {
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type TLSSocket,
  type Server as TlsServerSocket,
} from "node:tls";
import { formatAddress } from "../address.js";
import type { TlsContext, TlsDial, TlsListen, TlsServer, TlsSettings, TlsSocket, TlsSockets } from "../ports.js";
import { BufferPool } from "./buffer-pool.js";
import { NodeTlsSocket, remoteAddressOf } from "./node-tls-socket.js";

/** A handshake that our own deadline did not end by then is ended by Node: that much longer than any that we take. */
const handshakeLimitMs = 24 * 60 * 60 * 1000;
/** Connections that the system holds ready for us to accept. */
const backlog = 511;

class NodeTlsContext implements TlsContext {
  readonly settings: TlsSettings;
  readonly secure: SecureContext;
  readonly logKey: ((line: Buffer) => void) | null;

  constructor(settings: TlsSettings) {
    const { certificate, privateKey, authorities, keyLogFile } = settings;
    this.settings = settings;
    // No other authority counts: `ca` takes the place of those that Node.js knows.
    this.secure = createSecureContext({
      cert: certificate,
      key: privateKey,
      ca: authorities,
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
    });
    this.logKey = keyLogFile === null ? null : (line) => appendFileSync(keyLogFile, line, { mode: 0o600 });
  }
}

function nativeContext(context: TlsContext): NodeTlsContext {
  if (context instanceof NodeTlsContext) return context;
  throw new TypeError("This TLS context was made by other sockets; use the one that createContext of these gave.");
}

/** Sockets of one transport. */
class NodeTlsSockets implements TlsSockets {
  readonly #pool = new BufferPool();

  createContext(settings: TlsSettings): TlsContext {
    return new NodeTlsContext(settings);
  }

  connect({ host, port, context }: TlsDial): TlsSocket {
    const { settings, secure, logKey } = nativeContext(context);
    const { serverName, applicationProtocol } = settings;
    const tls = connect({
      host,
      port,
      secureContext: secure,
      servername: serverName,
      ALPNProtocols: [applicationProtocol],
      minVersion: "TLSv1.3",
      // Judged by `describeProblem` before anything is sent: only so can the other side be told what was wrong.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    tls.setNoDelay(true);
    if (logKey !== null) tls.on("keylog", logKey);
    const socket = new NodeTlsSocket(tls, { remoteAddress: formatAddress(host, port), applicationProtocol, serverName, pool: this.#pool });
    tls.on("secureConnect", () => socket.secured(tls));
    return socket;
  }

  listen(listen: TlsListen): Promise<TlsServer> {
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: listen.host, port: listen.port, backlog }, () => {
        server.removeListener("error", reject);
        // Such as EMFILE: the connection that could not be accepted is lost, the listener stands.
        server.on("error", () => undefined);
        resolve(new NodeTlsServer(server, listen, this.#pool));
      });
    });
  }
}

/** A listener. TCP connections are shown to their owner first, and given to TLS only if it wants them. */
class NodeTlsServer implements TlsServer {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #listen: TlsListen;
  readonly #pool: BufferPool;
  readonly #pending = new Map<string, NodeTlsSocket>();
  #tls: TlsServerSocket;
  #context: NodeTlsContext;
  #closing: Promise<void> | null = null;

  constructor(server: Server, listen: TlsListen, pool: BufferPool) {
    const { address, port } = server.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.#server = server;
    this.#listen = listen;
    this.#pool = pool;
    this.#context = nativeContext(listen.context());
    this.#tls = this.#createTls(this.#context);
    server.on("connection", (socket) => this.#accept(socket));
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      // Resolves on the port's release; `close` alone would wait for every open connection too.
      this.#server.close();
      setImmediate(resolve);
    });
    return this.#closing;
  }

  #accept(tcp: Socket): void {
    const context = nativeContext(this.#listen.context());
    if (context !== this.#context) {
      this.#context = context;
      this.#tls = this.#createTls(context);
    }
    const remoteAddress = remoteAddressOf(tcp);
    const { applicationProtocol } = context.settings;
    const socket = new NodeTlsSocket(tcp, { remoteAddress, applicationProtocol, serverName: null, pool: this.#pool });
    if (remoteAddress === "") tcp.destroy();
    this.#listen.onSocket(socket);
    if (tcp.destroyed) return;
    this.#pending.set(remoteAddress, socket);
    tcp.once("close", () => {
      if (this.#pending.get(remoteAddress) === socket) this.#pending.delete(remoteAddress);
    });
    this.#tls.emit("connection", tcp);
  }

  /** It never listens: it only makes TLS connections of the TCP connections that it is given. */
  #createTls({ settings, secure, logKey }: NodeTlsContext): TlsServerSocket {
    const { certificate: cert, privateKey: key, authorities: ca, applicationProtocol } = settings;
    const tls = createTlsServer({
      cert,
      key,
      ca,
      minVersion: "TLSv1.3",
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: [applicationProtocol],
      SNICallback: (_name, done) => done(null, secure),
      handshakeTimeout: handshakeLimitMs,
    });
    tls.on("secureConnection", (socket) => this.#take(socket)?.secured(socket));
    tls.on("tlsClientError", (error, socket) => {
      this.#take(socket)?.fail(error);
      socket.destroy();
    });
    if (logKey !== null) tls.on("keylog", logKey);
    return tls;
  }

  #take(socket: TLSSocket): NodeTlsSocket | undefined {
    const address = remoteAddressOf(socket);
    const pending = this.#pending.get(address);
    this.#pending.delete(address);
    return pending;
  }
}

/** TCP and TLS by `node:net` and `node:tls`. */
export function createNodeTlsSockets(): TlsSockets {
  return new NodeTlsSockets();
}
