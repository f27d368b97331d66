import type { Identify, TlsCredentials } from "@octopii/interfaces";

/**
 * Options of the transport. `undefined` means the default. What has the name of an option of the QUIC transport means the same and has
 * the same default, so that one configuration serves either.
 */
export interface TcpTransportOptions {
  /** What proves our identity, and what a peer's must be signed by. Both sides of every connection prove themselves. */
  readonly credentials: TlsCredentials;
  /** Decides who a peer is from its certificates, and whether it may talk to us. */
  readonly identify: Identify;
  /** The DNS name that a node's certificate must carry, whatever address it is dialed at. */
  readonly serverName?: string;
  /** How long a dial may take, name resolution and handshake included, where `connect` does not say. */
  readonly connectTimeoutMs?: number;
  /** How long an accepted connection may take to prove its identity. */
  readonly handshakeTimeoutMs?: number;
  /** How long a peer may be silent before the connection counts as lost. Keep-alive probes go out at a third of it. */
  readonly idleTimeoutMs?: number;
  /** Connections at one time on one address, those included that have proven nothing yet. Beyond it, new ones are dropped. */
  readonly maxConnections?: number;
  /** Accepted connections at one time on one address that have not proven their identity. */
  readonly maxUnestablished?: number;
  /** Streams of each kind that the peer may have open at one time on one connection. */
  readonly maxIncomingStreams?: number;
  /** Streams of one connection that may wait for the peer's credit. */
  readonly maxWaitingStreams?: number;
  /** Queued bytes of a stream from which `write` gives false. */
  readonly sendBufferBytes?: number;
  /** Queued bytes of a stream beyond which `write` throws. */
  readonly maxSendBufferBytes?: number;
  /** Bytes of one stream that the peer may send ahead of our reading: its credit, so that a slow stream cannot stop another. */
  readonly streamWindowBytes?: number;
  /** Bytes of all streams of a connection that the peer may send ahead of our reading. */
  readonly connectionWindowBytes?: number;
  /**
   * The longest frame to send: how long a stream with much to send may keep the others of its connection waiting. A longer one that a peer
   * sends is refused by its header, before anything is allocated. TLS cuts frames into records of 16 KiB in any case.
   */
  readonly maxFrameBytes?: number;
  /** A file to append TLS secrets to, so that tools can decrypt captured packets. It gives every connection away; for debugging. */
  readonly insecureKeyLogFile?: string;
}
