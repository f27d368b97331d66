/**
 * The Octopii transport on QUIC with mutual TLS, by the quiche engine.
 *
 * @packageDocumentation
 */
export { quicCodes } from "./codes.js";
export { isQuicTransportError, QuicTransportError, type QuicTransportErrorCode, type QuicTransportErrorOptions } from "./errors.js";
export { type QuicTransportConfig, type QuicTransportOptions, quicTransportDefaults } from "./options.js";
// For those who bring their own sockets or engine, such as a simulation.
export type {
  EngineConnection,
  EngineContext,
  EngineError,
  EngineSettings,
  EngineStats,
  QuicEngine,
  ResolvedHost,
  UdpSocket,
  UdpSocketOptions,
  UdpSockets,
} from "./ports.js";
export { applicationProtocol, createQuicTransport, type QuicTransportPorts } from "./quic-transport.js";
