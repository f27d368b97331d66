/**
 * The ports that two or more Octopii packages share. Types only: importing this package loads no code.
 *
 * @packageDocumentation
 */
export type { CodedError, Outcome } from "./errors.js";
export type { File, FileLock, FileSystem, OpenOptions } from "./file-system.js";
export type { NodeId } from "./node-id.js";
export type { Counter, Gauge, Histogram, Logger, MetricLabels, Metrics } from "./observability.js";
export type { Random } from "./random.js";
export type { Clock, Scheduler, Timer } from "./time.js";
export type {
  Connection,
  ConnectionClose,
  ConnectionStats,
  ConnectOptions,
  Identification,
  Identify,
  IdentityRefusal,
  Listener,
  ListenOptions,
  OpenStreamOptions,
  PeerIdentity,
  RotatingTransport,
  Stream,
  StreamClose,
  TlsCredentials,
  Transport,
} from "./transport.js";
