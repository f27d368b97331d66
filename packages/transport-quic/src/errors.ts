import type { CodedError } from "@octopii/interfaces";

/**
 * What went wrong:
 * - `OCTOPII_QUIC_UNAVAILABLE`: there is no QUIC engine for this platform.
 * - `OCTOPII_QUIC_INVALID_CREDENTIALS`: certificate, key or authorities are not what they should be.
 * - `OCTOPII_QUIC_INVALID_ADDRESS`: an address is not `host:port`.
 * - `OCTOPII_QUIC_UNRESOLVED_ADDRESS`: a host name has no address.
 * - `OCTOPII_QUIC_ADDRESS_IN_USE`: another socket has the address.
 * - `OCTOPII_QUIC_ADDRESS_UNUSABLE`: the system does not let us use the address.
 * - `OCTOPII_QUIC_CONNECT_TIMEOUT`: the peer did not answer in time.
 * - `OCTOPII_QUIC_PEER_REFUSED`: this side or the other does not accept the other's identity: its certificate, its authority, or who it
 *   is. `details.refusal` says which side, and why.
 * - `OCTOPII_QUIC_HANDSHAKE_FAILED`: TLS or QUIC could not agree for another reason, such as on the application protocol.
 * - `OCTOPII_QUIC_CONNECTION_CLOSED`: the connection is closed, or was before it opened.
 * - `OCTOPII_QUIC_CONNECTION_LIMIT`: this side has dialed `maxConnections` connections that are open.
 * - `OCTOPII_QUIC_TRANSPORT_CLOSED`: the transport is closed.
 * - `OCTOPII_QUIC_STREAM_LIMIT`: too many streams wait for the peer's credit.
 * - `OCTOPII_QUIC_STREAM_CLOSED`: this direction of the stream is over.
 * - `OCTOPII_QUIC_BUFFER_FULL`: a writer went on although `write` had said to stop.
 */
export type QuicTransportErrorCode =
  | "OCTOPII_QUIC_UNAVAILABLE"
  | "OCTOPII_QUIC_INVALID_CREDENTIALS"
  | "OCTOPII_QUIC_INVALID_ADDRESS"
  | "OCTOPII_QUIC_UNRESOLVED_ADDRESS"
  | "OCTOPII_QUIC_ADDRESS_IN_USE"
  | "OCTOPII_QUIC_ADDRESS_UNUSABLE"
  | "OCTOPII_QUIC_CONNECT_TIMEOUT"
  | "OCTOPII_QUIC_PEER_REFUSED"
  | "OCTOPII_QUIC_HANDSHAKE_FAILED"
  | "OCTOPII_QUIC_CONNECTION_CLOSED"
  | "OCTOPII_QUIC_CONNECTION_LIMIT"
  | "OCTOPII_QUIC_TRANSPORT_CLOSED"
  | "OCTOPII_QUIC_STREAM_LIMIT"
  | "OCTOPII_QUIC_STREAM_CLOSED"
  | "OCTOPII_QUIC_BUFFER_FULL";

/** Options of {@link QuicTransportError}. */
export interface QuicTransportErrorOptions {
  readonly cause?: unknown;
  /** Facts for programs, such as the address or the peer's close code. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why the transport could not do what it was asked. Test it with {@link isQuicTransportError}. */
export class QuicTransportError extends Error implements CodedError {
  readonly code: QuicTransportErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: QuicTransportErrorCode, message: string, options: QuicTransportErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "QuicTransportError";
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Whether `error` is a {@link QuicTransportError}, by its shape, so that it holds across copies of this package.
 * @param code - also asks for this code.
 */
export function isQuicTransportError(error: unknown, code?: QuicTransportErrorCode): error is QuicTransportError {
  if (!(error instanceof Error)) return false;
  const actual = (error as Partial<QuicTransportError>).code;
  if (typeof actual !== "string" || !actual.startsWith("OCTOPII_QUIC_")) return false;
  return code === undefined || actual === code;
}
