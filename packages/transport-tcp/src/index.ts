/**
 * The Octopii transport on TCP and TLS 1.3: what it will take and what it will stand on. Types only; the transport is not built yet.
 *
 * @packageDocumentation
 */
export type { TcpTransportOptions } from "./options.js";
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
