import type { NodeId } from "./node-id.js";

/** Who is at the other end of a connection, as its certificate says. */
export interface PeerIdentity {
  /** The name for logs and errors; unique in the cluster. */
  readonly name: string;
  /** The cluster that the certificate was issued for; null where the transport knows of none. */
  readonly cluster: string | null;
  /** The node's id; null for a client that is not a member. */
  readonly nodeId: NodeId | null;
}

/** What an {@link Identify} function says of a certificate chain. */
export type Identification =
  | { readonly accepted: true; readonly peer: PeerIdentity }
  | { readonly accepted: false /** One sentence that names what is wrong. */; readonly reason: string };

/**
 * That a connection did not come about because one side does not accept the other's identity: a certificate that an unknown authority
 * signed, or that has expired, or belongs to another cluster. Waiting does not help; somebody has to mend a configuration.
 */
export interface IdentityRefusal {
  /** `local`: this side does not accept the peer. `remote`: the peer does not accept this side. */
  readonly by: "local" | "remote";
  /** What was wrong, for people, without a full stop. */
  readonly reason: string;
}

/**
 * Judges a peer's certificate chain, leaf first, each certificate in DER. The transport has already checked the signatures and the
 * validity period against the given authority; this decides who the peer is and whether it may talk to us. Must not throw.
 */
export type Identify = (chain: readonly Uint8Array[]) => Identification;

/** What proves our own identity, and what a peer's must be signed by. All PEM. */
export interface TlsCredentials {
  /** Our certificate, followed by intermediates if there are any. */
  readonly certificate: string;
  /** The private key of our certificate (PKCS #8). */
  readonly privateKey: string;
  /** The authorities whose signature on a peer's certificate we accept, one or more. */
  readonly authorities: string;
}

/** A way to reach peers: authenticated connections that carry many independent byte streams each. */
export interface Transport {
  /** Starts to accept connections. Rejects with code `EADDRINUSE` in the cause if the address is taken. */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * Opens a connection. Rejects when the peer cannot be reached, does not prove its identity, or `signal` or the deadline ends the wait.
   * Where an identity was refused, on either side, the error carries an {@link IdentityRefusal} as `details.refusal`; in no other case.
   * @param address - `host:port`, with an IPv6 host in brackets, or what the transport defines.
   */
  connect(address: string, options?: ConnectOptions): Promise<Connection>;
  /** Closes all listeners and connections, and releases every handle. Repeating the call gives the same promise. */
  close(): Promise<void>;
}

/** A {@link Transport} whose credentials can be replaced while it runs. */
export interface RotatingTransport extends Transport {
  /**
   * Uses `credentials` for every connection from now on, dialed or accepted; those that are open live on. Rejects, and changes nothing, if
   * they cannot work: not PEM, or a key of another certificate.
   */
  replaceCredentials(credentials: TlsCredentials): Promise<void>;
}

/** Options of {@link Transport.listen}. */
export interface ListenOptions {
  /** Where to listen: `host:port`; port 0 picks a free one. */
  readonly address: string;
  /** Called for each connection whose peer has been identified, before any of its streams is delivered. What it returns is not looked at. */
  readonly onConnection: (connection: Connection) => void;
}

/** A place where connections are accepted. */
export interface Listener {
  /** The address in use, with the real port. */
  readonly address: string;
  /** Stops accepting; open connections live on. Repeating the call does nothing. */
  close(): Promise<void>;
}

/** Options of {@link Transport.connect}. */
export interface ConnectOptions {
  /** Ends the wait; the connection attempt is dropped. */
  readonly signal?: AbortSignal;
  /** How long to wait for the handshake. Default: the transport's, which is finite. */
  readonly timeoutMs?: number;
}

/** Why and by whom a connection was closed. */
export interface ConnectionClose {
  /** `local` and `remote`: somebody called `close`. `timeout`: the peer fell silent. `error`: the protocol or the network failed. */
  readonly by: "local" | "remote" | "timeout" | "error";
  /** The application's code from `close`, or the transport's error code. */
  readonly code: number;
  /** The closer's words; for people only. */
  readonly reason: string;
}

/** Numbers of one connection, since it opened. */
export interface ConnectionStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The smoothed round-trip time; null where it was not measured yet. */
  readonly roundTripMs: number | null;
  /** Streams that are open now. */
  readonly openStreams: number;
}

/** Options of {@link Connection.openStream}. */
export interface OpenStreamOptions {
  /** The peer gets a stream that it can only read. Default false. */
  readonly unidirectional?: boolean;
}

/**
 * An open connection to one identified peer.
 *
 * Callbacks are properties, set by the owner and called synchronously, one at a time, never from inside a call that the owner makes.
 */
export interface Connection {
  readonly peer: PeerIdentity;
  /** The address of the other end, for logs. */
  readonly remoteAddress: string;
  /**
   * Opens a stream at once, without waiting for the peer. Streams beyond the peer's limit hold their bytes back until it gives credit.
   * @param protocol - 1 to 64 printable ASCII characters, such as `octopii/raft/1`; the peer's `onStream` sees it.
   * @throws if the connection is closed, or too many streams wait for credit.
   */
  openStream(protocol: string, options?: OpenStreamOptions): Stream;
  /** Called with each stream that the peer opens. While it is null, new streams are refused. */
  onStream: ((stream: Stream) => void) | null;
  /** Closes all streams at once and tells the peer. @param code - 0 to 2^32-1; 0 means no error. */
  close(code: number, reason: string): void;
  /** Settles when the connection is gone; never rejects. */
  readonly closed: Promise<ConnectionClose>;
  stats(): ConnectionStats;
}

/** How a stream ended. */
export interface StreamClose {
  /** Null: both directions came to their ordinary end. Otherwise why it was cut short. */
  readonly error: null | {
    /** `reset`: the peer gave up sending. `stopped`: the peer gave up reading. `connection`: the connection closed. `local`: we did it. */
    readonly by: "reset" | "stopped" | "connection" | "local";
    readonly code: number;
  };
}

/**
 * A byte stream, ordered and reliable, with back-pressure. Message boundaries are not kept.
 *
 * Reading is by pull: when `onReadable` is called, call `read` until it gives null. Bytes that are not read fill the stream's window,
 * and then the peer's `write` gives false.
 */
export interface Stream {
  /** The name that the opener gave. */
  readonly protocol: string;
  /**
   * Queues bytes. They belong to the stream from now on: do not change them.
   * @returns false when the send buffer is full: stop, and go on at `onDrain`. The bytes were taken all the same.
   * @throws if this direction is ended or reset, if the peer stopped it, or if the buffer is far over its limit because earlier falses were
   * ignored. Where the direction was cut short, `details.error` of what is thrown says why, as {@link StreamClose.error} does for the stream.
   */
  write(bytes: Uint8Array): boolean;
  /** Called once after `write` gave false, when there is room again, or when the peer has stopped reading and `write` would throw. */
  onDrain: (() => void) | null;
  /** The next bytes, or null if there are none now. The caller owns them. */
  read(): Uint8Array | null;
  /** True once the peer ended its direction and all its bytes were read. False for the opener of a unidirectional stream. */
  readonly ended: boolean;
  /**
   * The code with which the peer gave its direction up, or refused the stream; null while it has not. What was not read until then is gone,
   * and `read` gives null for ever. Our own direction lives on until it is ended or reset.
   */
  readonly resetCode: number | null;
  /** Called when `read` has something new to give, `ended` has become true, or `resetCode` is no longer null. */
  onReadable: (() => void) | null;
  /** Ends our direction after the queued bytes. `end`, `reset` and `stop` never throw; on a finished direction they do nothing. */
  end(): void;
  /** Gives our direction up: queued bytes may be dropped and the peer sees a reset with `code`. */
  reset(code: number): void;
  /** Gives reading up: the peer is asked to stop sending, with `code`. */
  stop(code: number): void;
  /** Called once, when both directions are over. */
  onClose: ((close: StreamClose) => void) | null;
}
