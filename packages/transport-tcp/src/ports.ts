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
  /** Who did not accept the other's certificate: `local`, this side; `remote`, the peer, by an alert (RFC 8446 section 6). Null: another cause. */
  readonly refusedBy: "local" | "remote" | null;
  /** The system's code, such as `ECONNREFUSED` or `ECONNRESET`, or the name of the TLS alert. */
  readonly code: string;
  /** For people, without a full stop. */
  readonly message: string;
}

/**
 * A TCP connection with TLS 1.3 on it. Callbacks are properties, set by the owner before the turn ends in which it got the socket, and
 * called synchronously, one at a time, never from inside a call that the owner makes. Nothing here throws.
 */
export interface TlsSocket {
  /** The address of the other end, `host:port`, an IPv6 host in brackets. */
  readonly remoteAddress: string;
  /**
   * Called once, when each side has proven that it holds the key of a certificate that an authority of the other has signed and that is
   * valid now, and both have agreed on the protocol. Before that no bytes are given out, and none may be written.
   */
  onSecure: (() => void) | null;
  /** The peer's certificates, leaf first, in DER; the caller owns them. Empty before `onSecure`. */
  peerChain(): readonly Uint8Array[];
  /**
   * Queues `buffers`, back to back, as one write. They belong to the socket from now on: do not change them.
   * @returns false if more than the system takes now is queued: stop, and go on at `onDrain`. The bytes were taken all the same. On a
   * socket that is ended or gone they are dropped, and `onClose` says so.
   */
  write(buffers: readonly Uint8Array[]): boolean;
  /** Called once after `write` gave false, when the queue is empty. */
  onDrain: (() => void) | null;
  /** Bytes that `write` took and the system did not yet. */
  readonly queuedBytes: number;
  /** Called with bytes as they arrive, never none. The callee owns them; they may be a view of a longer allocation that nobody else uses. */
  onData: ((bytes: Uint8Array) => void) | null;
  /** Called once, when the peer has ended its side properly (`close_notify`, RFC 8446 section 6.1). A bare end of TCP is a failure. */
  onEnd: (() => void) | null;
  /** Stops reading from the network, so that TCP holds the peer back. A few buffers that are on their way may still be given out. */
  pause(): void;
  resume(): void;
  /** Sends what is queued and ends our side. Reading goes on. */
  end(): void;
  /** Drops the connection and all that is queued, at once. */
  destroy(): void;
  /** Called once, last of all, when the connection is gone. Null: both sides had ended it. */
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
  readonly context: TlsContext;
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
  /** Stops accepting; resolves when the port is free. Sockets live on. Repeating the call does nothing. */
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
