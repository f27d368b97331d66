import type { Clock, Connection, FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";
import type { Compressor } from "./compressor.js";
import type { Hasher } from "./hasher.js";

/** What transfers need from outside. Each has a default, the system's; simulations and tests give their own. */
export interface ShippingLanePorts {
  /**
   * The files that are sent and received. What is received is written to a file of its own, synced, and only then renamed to its name; the
   * journal of what has arrived, by which an interrupted transfer goes on, lies beside it.
   */
  readonly fileSystem?: FileSystem;
  /** For rates, and for the time since the last progress. */
  readonly clock?: Clock;
  /** For deadlines, and for the turn in which whatever has arrived is handled together. */
  readonly scheduler?: Scheduler;
  /** For the ids of transfers, by which either side finds an interrupted one again. */
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Digests of what is sent and received. */
  readonly hasher?: Hasher;
  /** Default: nothing is compressed. */
  readonly compressor?: Compressor;
}

/**
 * What a transfer needs of a connection: who the peer is, streams of its own, and the news that it is gone. Each stream names this package's
 * protocol, so a connection may carry other things too; whoever owns it hands us the streams that the peer opens for us, and closes it.
 */
export type LaneConnection = Pick<Connection, "peer" | "openStream" | "closed">;
