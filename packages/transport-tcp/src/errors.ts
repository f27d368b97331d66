import type { CodedError } from "@octopii/interfaces";

/**
 * What went wrong:
 * - `OCTOPII_TCP_INVALID_CREDENTIALS`: certificate, key or authorities are not what they should be.
 * - `OCTOPII_TCP_INVALID_ADDRESS`: an address is not `host:port`.
 * - `OCTOPII_TCP_UNRESOLVED_ADDRESS`: a host name has no address.
 * - `OCTOPII_TCP_ADDRESS_IN_USE`: another socket has the address.
 * - `OCTOPII_TCP_ADDRESS_UNUSABLE`: the system does not let us use the address.
 * - `OCTOPII_TCP_CONNECT_REFUSED`: nothing listens there, or the network does not lead there.
 * - `OCTOPII_TCP_CONNECT_TIMEOUT`: the peer did not answer in time.
 * - `OCTOPII_TCP_PEER_REFUSED`: this side or the other does not accept the other's identity: its certificate, its authority, or who it
 *   is. `details.refusal` says which side, and why.
 * - `OCTOPII_TCP_HANDSHAKE_FAILED`: TLS could not agree for another reason, such as on the version or the application protocol.
 * - `OCTOPII_TCP_CONNECTION_CLOSED`: the connection is closed, or was before it opened.
 * - `OCTOPII_TCP_CONNECTION_LIMIT`: this side has dialed `maxConnections` connections that are open.
 * - `OCTOPII_TCP_TRANSPORT_CLOSED`: the transport is closed.
 * - `OCTOPII_TCP_STREAM_LIMIT`: too many streams wait for the peer's credit.
 * - `OCTOPII_TCP_STREAM_CLOSED`: this direction of the stream is over.
 * - `OCTOPII_TCP_BUFFER_FULL`: a writer went on although `write` had said to stop.
 */
export type TcpTransportErrorCode =
  | "OCTOPII_TCP_INVALID_CREDENTIALS"
  | "OCTOPII_TCP_INVALID_ADDRESS"
  | "OCTOPII_TCP_UNRESOLVED_ADDRESS"
  | "OCTOPII_TCP_ADDRESS_IN_USE"
  | "OCTOPII_TCP_ADDRESS_UNUSABLE"
  | "OCTOPII_TCP_CONNECT_REFUSED"
  | "OCTOPII_TCP_CONNECT_TIMEOUT"
  | "OCTOPII_TCP_PEER_REFUSED"
  | "OCTOPII_TCP_HANDSHAKE_FAILED"
  | "OCTOPII_TCP_CONNECTION_CLOSED"
  | "OCTOPII_TCP_CONNECTION_LIMIT"
  | "OCTOPII_TCP_TRANSPORT_CLOSED"
  | "OCTOPII_TCP_STREAM_LIMIT"
  | "OCTOPII_TCP_STREAM_CLOSED"
  | "OCTOPII_TCP_BUFFER_FULL";

/** Options of {@link TcpTransportError}. */
export interface TcpTransportErrorOptions {
  readonly cause?: unknown;
  /** Facts for programs, such as the address or the peer's close code. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why the transport could not do what it was asked. Test it with {@link isTcpTransportError}. */
export class TcpTransportError extends Error implements CodedError {
  readonly code: TcpTransportErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: TcpTransportErrorCode, message: string, options: TcpTransportErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TcpTransportError";
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Whether `error` is a {@link TcpTransportError}, by its shape, so that it holds across copies of this package.
 * @param code - also asks for this code.
 */
export function isTcpTransportError(error: unknown, code?: TcpTransportErrorCode): error is TcpTransportError {
  if (!(error instanceof Error)) return false;
  const actual = (error as Partial<TcpTransportError>).code;
  if (typeof actual !== "string" || !actual.startsWith("OCTOPII_TCP_")) return false;
  return code === undefined || actual === code;
}
