/**
 * What the session logic needs from outside: an engine that turns QUIC packets into streams, and UDP sockets. Both are synchronous
 * toward the session; the files in `adapters/` implement them on the native quiche binding and on `node:dgram`.
 */

/** There is nothing to read now: a result of {@link EngineConnection.streamReceive}. */
export const engineNone = -1;
/** The engine has no such stream, or the peer cut it short by QUIC's own frames, which Octopii peers do not use. */
export const engineGone = -2;

/** Why a connection ended, as the engine knows it. */
export interface EngineError {
  /** An application's code, or one of QUIC itself. */
  readonly application: boolean;
  readonly code: number;
  readonly reason: string;
}

/** Counters of a connection. */
export interface EngineStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsLost: number;
  /** Null before the first sample. */
  readonly roundTripMs: number | null;
}

/** One QUIC connection inside the engine. It has no input or output of its own. */
export interface EngineConnection {
  /** Takes a datagram that was meant for this connection; its bytes are overwritten. False: it was fatal, and the engine now closes. */
  receive(datagram: Uint8Array): boolean;
  /** Writes the next datagram into `out` and gives its length; 0 where there is nothing to send. */
  send(out: Uint8Array): number;
  /** Milliseconds until {@link onTimeout} is due; null for no timer. */
  timeout(): number | null;
  onTimeout(): void;
  isEstablished(): boolean;
  /** The peer closed, or we did and the news is on its way. */
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  /** Any stream has something to read. */
  isReadable(): boolean;
  streamReadable(id: number): boolean;
  /** The ids of all streams with something to read. Slow: allocates. */
  readableStreams(): number[];
  /** Fills `out`; gives the number of bytes and sets `finished`, or gives `engineNone` or `engineGone`. */
  streamReceive(id: number, out: Uint8Array): number;
  /** Takes bytes to send, as many as fit; gives that number, or `engineGone`. `fin` holds if all were taken. */
  streamSend(id: number, bytes: Uint8Array, fin: boolean): number;
  /** Bytes that {@link streamSend} would take now; 0 for an unknown stream. */
  streamCapacity(id: number): number;
  /** Whether the last {@link streamReceive} reached the end of the stream. */
  readonly finished: boolean;
  close(application: boolean, code: number, reason: string): void;
  /** Makes the next packet one that the peer must acknowledge. */
  keepAlive(): void;
  /** The peer's certificates, leaf first, in DER. */
  peerChain(): readonly Uint8Array[];
  peerError(): EngineError | null;
  localError(): EngineError | null;
  stats(): EngineStats;
}

/** Makes connections with one identity and one set of parameters. */
export interface EngineContext {
  /** @param sourceId - our connection id. */
  connect(serverName: string, sourceId: Uint8Array): EngineConnection;
  /**
   * @param sourceId - our connection id: the one that the Retry packet gave out.
   * @param originalId - the connection id to which the client sent its first packet.
   * @param resetToken - 16 bytes; whoever shows them to the client ends the connection (RFC 9000 section 10.3).
   */
  accept(sourceId: Uint8Array, originalId: Uint8Array, resetToken: Uint8Array): EngineConnection;
  /** Writes a Retry packet into `out` and gives its length; 0 where that cannot be done. */
  retry(clientId: Uint8Array, originalId: Uint8Array, newId: Uint8Array, token: Uint8Array, out: Uint8Array): number;
}

/** What an {@link EngineContext} is made for. */
export interface EngineSettings {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authorities: string;
  readonly applicationProtocol: string;
  readonly idleTimeoutMs: number;
  readonly udpPayloadBytes: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly congestionControl: "cubic" | "reno" | "bbr";
  /** Where to log TLS secrets for debugging; null for nowhere. */
  readonly keyLogFile: string | null;
}

/** The library behind the connections. */
export interface QuicEngine {
  /** @throws if a certificate or key cannot be used. */
  createContext(settings: EngineSettings): EngineContext;
}

/** An IP address and its family. */
export interface ResolvedHost {
  readonly host: string;
  readonly family: 4 | 6;
}

/** How a socket is opened. */
export interface UdpSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** The largest datagram that will be sent. */
  readonly datagramBytes: number;
  /** What to ask of the system for its receive and send buffers. */
  readonly systemBufferBytes: number;
  /** Called for each datagram; its bytes belong to the callee. */
  readonly onDatagram: (datagram: Uint8Array, host: string, port: number) => void;
}

/** An open UDP socket. */
export interface UdpSocket {
  /** The address in use, with the real port. */
  readonly host: string;
  readonly port: number;
  /** A buffer to build a datagram in, to be given to {@link send} or {@link giveBack}; null while too many are on their way. */
  take(): Uint8Array | null;
  /** Sends the first `length` bytes of a buffer from {@link take}. Never throws: what cannot be sent is lost, as in the network. */
  send(buffer: Uint8Array, length: number, host: string, port: number): void;
  giveBack(buffer: Uint8Array): void;
  /** Closes when what was sent is out of the process. */
  close(): Promise<void>;
}

/** Opens sockets and resolves names. */
export interface UdpSockets {
  /** Rejects with the system's error. */
  open(options: UdpSocketOptions): Promise<UdpSocket>;
  /** The address of a host name or IP address. Rejects with the system's error. */
  resolve(host: string): Promise<ResolvedHost>;
}
