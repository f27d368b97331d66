/**
 * The Octopii transport on TCP with mutual TLS 1.3.
 *
 * @packageDocumentation
 */
export { tcpCodes } from "./codes.js";
export { isTcpTransportError, TcpTransportError, type TcpTransportErrorCode, type TcpTransportErrorOptions } from "./errors.js";
export { type TcpTransportConfig, type TcpTransportOptions, tcpTransportDefaults } from "./options.js";
// For those who bring their own sockets, such as a simulation.
export type {
  TcpTransportPorts,
  TlsContext,
  TlsDial,
  TlsFailure,
  TlsListen,
  TlsServer,
  TlsSettings,
  TlsSocket,
  TlsSockets,
} from "./ports.js";
export { applicationProtocol, createTcpTransport } from "./tcp-transport.js";
