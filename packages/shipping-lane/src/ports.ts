import type { Clock, Connection, FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";
import { nodeFileSystem, systemClock, systemRandom, systemScheduler } from "@octopii/system";
import type { Hasher } from "./hasher.js";
import { sha256Hasher } from "./sha256-hasher.js";

/** What transfers need from outside. Each has a default, the system's; simulations and tests give their own. */
export interface ShippingLanePorts {
  /** The files that are sent and received. */
  readonly fileSystem?: FileSystem;
  /** For durations, and for the time since the last progress. */
  readonly clock?: Clock;
  /** For the no-progress timeout. */
  readonly scheduler?: Scheduler;
  /** For the ids of transfers. */
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Digests of what is sent and received. Default: SHA-256 by `node:crypto`. */
  readonly hasher?: Hasher;
}

/** {@link ShippingLanePorts} with the system's in place of what was left out. */
export type LanePorts = Readonly<Required<ShippingLanePorts>>;

/**
 * What a transfer needs of a connection: who the peer is, and streams of its own. Each stream names this package's protocol, so a connection
 * may carry other things too; whoever owns it hands us the streams that the peer opens for us, and closes it.
 */
export type LaneConnection = Pick<Connection, "peer" | "openStream" | "closed">;

const nothing = (): void => undefined;
const silence: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Fills in the system's ports. */
export function completePorts(ports: ShippingLanePorts): LanePorts {
  return {
    fileSystem: ports.fileSystem ?? nodeFileSystem,
    clock: ports.clock ?? systemClock,
    scheduler: ports.scheduler ?? systemScheduler,
    random: ports.random ?? systemRandom,
    logger: ports.logger ?? silence,
    hasher: ports.hasher ?? sha256Hasher,
  };
}
