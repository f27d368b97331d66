import type { PeerIdentity, Scheduler, Transport } from "@octopii/interfaces";

/** What the `identify` of {@link TransportFixture.stranger} has to give as its reason. */
export const refusalReason: string = "nobody is welcome here";

/** Two transports that trust each other, made afresh for every case. */
export interface TransportFixture {
  readonly server: Transport;
  readonly client: Transport;
  /** Where `server` can listen, with port 0. `client` reaches it at the address that the listener then gives. */
  readonly listenAddress: string;
  /** A well-formed address where nobody ever answers. */
  readonly unreachableAddress: string;
  /** A third transport, whose `identify` refuses everybody with {@link refusalReason}, and an address where it can listen, with port 0. */
  readonly stranger: { readonly transport: Transport; readonly listenAddress: string };
  /** Who `client` sees. */
  readonly serverIdentity: PeerIdentity;
  /** Who `server` sees. */
  readonly clientIdentity: PeerIdentity;
  /** Runs after the transports were closed: removes what they left. */
  readonly dispose?: () => Promise<void>;
}

/** Makes the transports of one case. */
export type TransportFactory = () => Promise<TransportFixture>;

/** Options of {@link testTransport}. */
export interface TransportSuiteOptions {
  /** Time that the transports live in: the system's for real ones, a simulated process's in a simulated world. */
  readonly scheduler: Scheduler;
  /** How long to wait for anything that must happen. Default 10,000 ms; generous, because only failures wait so long. */
  readonly waitMs?: number;
  /** How long to wait before believing that something does not happen. Default 50 ms. */
  readonly quietMs?: number;
  /** How long `connect` to nobody is told to wait. Default 300 ms. */
  readonly connectTimeoutMs?: number;
  /** How much a stream may take while nobody reads, before `write` must have given false. Default 16 MiB. */
  readonly maxBufferedBytes?: number;
  /** How much a stream may take from a writer who ignores that, before `write` must throw. Default 64 MiB. */
  readonly maxOverrunBytes?: number;
  /** Size of the large transfers. Default 8 MiB. */
  readonly largeBytes?: number;
  /** Streams that are open at once. Default 1,200. */
  readonly streamCount?: number;
}

/** {@link TransportSuiteOptions}, complete. */
export type TransportSuiteConfig = Required<TransportSuiteOptions>;

/** Fills in the defaults. */
export function resolveTransportSuiteOptions(options: TransportSuiteOptions): TransportSuiteConfig {
  return {
    scheduler: options.scheduler,
    waitMs: options.waitMs ?? 10_000,
    quietMs: options.quietMs ?? 50,
    connectTimeoutMs: options.connectTimeoutMs ?? 300,
    maxBufferedBytes: options.maxBufferedBytes ?? 16 * 1024 * 1024,
    maxOverrunBytes: options.maxOverrunBytes ?? 64 * 1024 * 1024,
    largeBytes: options.largeBytes ?? 8 * 1024 * 1024,
    streamCount: options.streamCount ?? 1_200,
  };
}
