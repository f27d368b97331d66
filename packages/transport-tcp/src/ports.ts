import type { Clock, Logger, Random, Scheduler } from "@octopii/interfaces";

/** What the transport needs from outside. Each has a default, the system's; simulations and tests give their own. */
export interface TcpTransportPorts {
  /** For deadlines, round-trip times and silence. */
  readonly clock?: Clock;
  /** Gives the turn in which all frames that wait for one socket are written together. */
  readonly scheduler?: Scheduler;
  /** For the tokens of keep-alive probes: a peer must not be able to answer a probe that it has not seen. */
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  /** TCP with TLS 1.3. */
  readonly sockets?: TlsSockets;
}

/** What a {@link TlsContext} is made for. Text is PEM, as in the credentials. */
export interface TlsSettings {
  readonly certificate: string;
  readonly privateKey: string;
  /** Who must have signed a peer's certificate; no other authority counts, the system's included. */
  readonly authorities: string;
  /** The protocol that both sides must offer (RFC 7301); a handshake that agrees on none fails. */
  readonly applicationProtocol: string;
  /** The DNS name that the certificate of whoever we dial must carry. */
  readonly serverName: string;
  /** A file to append TLS secrets to; null for nowhere. */
  readonly keyLogFile: string | null;
}

/** One identity, ready for use in any number of sockets. Opaque to the session logic. */
export interface TlsContext {
  readonly settings: TlsSettings;
}

/** Why a socket is gone. */
export interface TlsFailure {
  /** The peer did not accept our certificate, by an alert (RFC 8446 section 6). */
  readonly refused: boolean;
  /** The system's code, such as `ECONNREFUSED` or `ECONNRESET`, or the name of the TLS alert. */
  readonly code: string;
  /** For people, without a full stop. */
  readonly message: string;
  readonly cause: unknown;
}

/**
 * A TCP connection with TLS 1.3 on it. Callbacks are properties, set by the owner before the turn ends in which it got the socket, and
 * called synchronously, one at a time, never from inside a call that the owner makes. Nothing here throws.
 */
export interface TlsSocket {
  /** The address of the other end, `host:port`, an IPv6 host in brackets. */
  readonly remoteAddress: string;
  /**
   * Called once, when the handshake is done: the peer holds the key of the certificate that it showed, and both have agreed on version and
   * protocol. `problem` says why its certificate is not good enough (authority, dates, usage, name), or is null: the owner, who alone can
   * tell the peer the reason, must then end the socket and use nothing of it.
   */
  onSecure: ((problem: string | null) => void) | null;
  /** The peer's certificates, leaf first, in DER; the caller owns them. Empty before `onSecure`. */
  peerChain(): readonly Uint8Array[];
  /** A buffer to build frames in, to be given to {@link send} or {@link giveBack}; null while enough is on its way: wait for `onDrain`. */
  take(): Uint8Array | null;
  /** Sends the first `length` bytes of a buffer from {@link take}. On a socket that is ended or gone they are dropped. */
  send(buffer: Uint8Array, length: number): void;
  giveBack(buffer: Uint8Array): void;
  /** Called after {@link take} gave null, when there is a buffer again. */
  onDrain: (() => void) | null;
  /** Called with bytes as they arrive, never none. The callee owns them. */
  onData: ((bytes: Uint8Array) => void) | null;
  /** Sends what is queued and ends our side. What the peer still sends goes to `onData`. */
  end(): void;
  /** Drops the connection and all that is queued, at once. */
  destroy(): void;
  /** Called once, last of all, when the connection is gone. Null: it was ended, by either side. */
  onClose: ((failure: TlsFailure | null) => void) | null;
}

/** How to dial. */
export interface TlsDial {
  /** An IP address or a host name; resolving it is part of the dial. */
  readonly host: string;
  readonly port: number;
  readonly context: TlsContext;
}

/** Where to listen. */
export interface TlsListen {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The identity to show; asked for each connection, so that it can change. */
  readonly context: () => TlsContext;
  /**
   * Called for each connection as soon as it is accepted, before its handshake: so that those that prove nothing can be counted and timed.
   * Who is not wanted is destroyed in the call, and costs no handshake.
   */
  readonly onSocket: (socket: TlsSocket) => void;
}

/** A place where connections are accepted. */
export interface TlsServer {
  /** The address in use, with the real port. */
  readonly host: string;
  readonly port: number;
  /** Stops accepting; resolves when the port is free. Sockets live on. Repeating the call gives the same promise. */
  close(): Promise<void>;
}

/** Opens sockets. All of them send small writes at once (`TCP_NODELAY`): batching is the session's work. */
export interface TlsSockets {
  /** @throws the system's error if certificate, key or authorities cannot be used. */
  createContext(settings: TlsSettings): TlsContext;
  /** Dials at once; gives the socket before anything has happened. What fails is told by its `onClose`. */
  connect(dial: TlsDial): TlsSocket;
  /** Rejects with the system's error, such as `EADDRINUSE`. */
  listen(listen: TlsListen): Promise<TlsServer>;
}
