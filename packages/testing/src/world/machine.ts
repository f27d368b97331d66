import type { Identify, PeerIdentity } from "@octopii/interfaces";
import type { DiskOptions } from "../disk/options.js";
import type { SimulatedDisk } from "../disk/simulated-disk.js";
import type { MemoryNetwork } from "../memory-transport/memory-network.js";
import type { MemoryTransportLimits } from "../memory-transport/options.js";
import type { DatagramSocket } from "../network/datagram-socket.js";
import type { SimulatedNetwork } from "../network/simulated-network.js";
import type { SeededRandom } from "../random/seeded-random.js";
import type { EventLoop } from "./event-loop.js";
import type { MachineClock } from "./machine-clock.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { SimulatedStation } from "./simulated-station.js";

/** What a machine and the processes on it are given. */
export interface ProcessOptions {
  /** Who the process is to its peers. Default: its name, no cluster, no node id. */
  readonly identity?: PeerIdentity;
  /** Judges the certificate chains of its peers. Default: believes their stand-in certificates. */
  readonly identify?: Identify;
  /** What it shows as its certificate chain. Default: a stand-in that carries `identity`. */
  readonly certificateChain?: readonly Uint8Array[];
  readonly transport?: MemoryTransportLimits;
  readonly disk?: DiskOptions;
}

/** What all machines of a world share. */
export interface WorldParts {
  readonly loop: EventLoop;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly memoryNetwork: MemoryNetwork;
  /** A process id that no other process of the world has. */
  readonly nextPid: () => number;
  readonly socketAt: (host: string) => DatagramSocket | null;
}

/** What stays when a process dies: the place, the clock, the disk. */
export interface Machine {
  readonly name: string;
  readonly options: ProcessOptions;
  readonly clock: MachineClock;
  readonly disk: SimulatedDisk;
  readonly parts: WorldParts;
  /** Processes that were started here so far. */
  starts: number;
  current: SimulatedProcess | null;
  /** The life of the current process, as its transports see it. */
  station: SimulatedStation | null;
}
