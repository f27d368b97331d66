/**
 * A simulated world behind the ports of Octopii: time, chance, disks and a network that follow from a seed; a transport in memory;
 * and time that a test moves by hand.
 *
 * @packageDocumentation
 */
export type { DiskOperation, FaultHook, PlannedFault } from "./disk/faults.js";
export { DiskFaults } from "./disk/faults.js";
export { type DiskConfig, type DiskOptions, diskDefaults, type Latency } from "./disk/options.js";
export { type SilentFault, type SilentFaultKind, SilentFaults } from "./disk/silent-faults.js";
export { type DiskImage, type PowerLossOptions, SimulatedDisk } from "./disk/simulated-disk.js";
export type { SurvivalMode } from "./disk/survival.js";
export type { SystemError } from "./disk/system-error.js";
export { isTestingError, TestingError, type TestingErrorCode, type TestingErrorOptions } from "./errors.js";
export { createManualTime, type ManualTime, type ManualTimeOptions } from "./manual-time/manual-time.js";
export { STREAM_REFUSED } from "./memory-transport/codes.js";
export { createMemoryNetwork, MemoryNetwork } from "./memory-transport/memory-network.js";
export { createMemoryTransport } from "./memory-transport/memory-transport.js";
export {
  type MemoryTransportConfig,
  type MemoryTransportLimits,
  type MemoryTransportOptions,
  memoryTransportDefaults,
} from "./memory-transport/options.js";
export { encodeStandInCertificate, identifyStandIn } from "./memory-transport/stand-in-certificate.js";
export { DatagramSocket, MAX_DATAGRAM_BYTES } from "./network/datagram-socket.js";
export { type LinkConfig, type LinkOptions, linkDefaults } from "./network/options.js";
export { type Direction, type NetworkFault, SimulatedNetwork } from "./network/simulated-network.js";
export { createRandom, SeededRandom } from "./random/seeded-random.js";
export type { Seed } from "./random/seeding.js";
export type { LifetimeState } from "./world/lifetime.js";
export type { ProcessOptions } from "./world/machine.js";
export { type SimulationConfig, type SimulationOptions, simulationDefaults } from "./world/options.js";
export type { MicrotaskMode } from "./world/runner.js";
export { SimulatedProcess } from "./world/simulated-process.js";
export { Trace, type TraceRecord } from "./world/trace.js";
export { createSimulation, type RunOptions, World } from "./world/world.js";
