import type { DiskOptions } from "../disk/options.js";
import type { MemoryTransportLimits } from "../memory-transport/options.js";
import type { LinkOptions } from "../network/options.js";
import { OptionProblems } from "../options.js";
import type { Seed } from "../random/seeding.js";
import type { MicrotaskMode } from "./runner.js";
import type { TraceRecord } from "./trace.js";

/** Options of {@link createSimulation}. */
export interface SimulationOptions {
  /** Everything random follows from it. */
  readonly seed: Seed;
  /** How all links behave until they are configured one by one. */
  readonly network?: LinkOptions;
  /** How all disks behave unless their process says otherwise. */
  readonly disk?: DiskOptions;
  /** The limits of all transports unless their process says otherwise. */
  readonly transport?: MemoryTransportLimits;
  /** The wall time when the world begins. Default 1,767,225,600,000: the first moment of 2026, UTC. */
  readonly startWallTime?: number;
  /** Sees every record of the trace. Default: none, which is fastest. */
  readonly traceSink?: (record: TraceRecord) => void;
  /**
   * How promise jobs run between events. `auto`: by V8's own checkpoint where it can be called, which is about ten times faster.
   * `portable`: by a turn of the real loop per event. Both give the same run. Default `auto`.
   */
  readonly microtasks?: MicrotaskMode;
  /** More events than this at one virtual instant are taken for a loop that lets no time pass. Default 1,000,000. */
  readonly maxEventsPerInstant?: number;
}

/** {@link SimulationOptions} with its own defaults filled in. */
export interface SimulationConfig {
  readonly startWallTime: number;
  readonly microtasks: MicrotaskMode;
  readonly maxEventsPerInstant: number;
}

/** The defaults of {@link SimulationOptions}. */
export const simulationDefaults: SimulationConfig = {
  startWallTime: 1_767_225_600_000,
  microtasks: "auto",
  maxEventsPerInstant: 1_000_000,
};

/** Fills in the defaults and checks. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`, naming every problem. */
export function resolveSimulationOptions(options: SimulationOptions): SimulationConfig {
  const config: SimulationConfig = {
    startWallTime: options.startWallTime ?? simulationDefaults.startWallTime,
    microtasks: options.microtasks ?? simulationDefaults.microtasks,
    maxEventsPerInstant: options.maxEventsPerInstant ?? simulationDefaults.maxEventsPerInstant,
  };
  const problems = new OptionProblems("simulation options");
  const seedFits = typeof options.seed === "string" || Number.isFinite(options.seed);
  problems.check(seedFits, `seed must be a finite number or a text, not ${String(options.seed)}`);
  problems.number("startWallTime", config.startWallTime, 0, 8.64e15);
  problems.check(
    config.microtasks === "auto" || config.microtasks === "portable",
    `microtasks must be "auto" or "portable", not ${JSON.stringify(config.microtasks)}`,
  );
  problems.integer("maxEventsPerInstant", config.maxEventsPerInstant, 1, 2 ** 21);
  problems.throwIfAny();
  return config;
}
