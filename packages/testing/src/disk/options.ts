import { OptionProblems } from "../options.js";

/** How long an operation takes: a minimum and, on top, an exponential-like share with a mean. Milliseconds. */
export interface Latency {
  readonly minMs: number;
  readonly meanMs: number;
}

/** Options of a simulated disk. */
export interface DiskOptions {
  /** Default 0.02 ms and 0.06 ms more on average: a read that a fast SSD serves. */
  readonly readLatency?: Latency;
  /** Into the page cache. Default 0.01 ms and 0.03 ms more on average. */
  readonly writeLatency?: Latency;
  /** To stable storage; durable writes take it too. Default 0.05 ms and 0.15 ms more on average, as measured for fdatasync on NVMe. */
  readonly syncLatency?: Latency;
  /** Of operations on names. Default 0.01 ms and 0.05 ms more on average. */
  readonly metadataLatency?: Latency;
  /** The bytes that all files may hold together. Default 1 TiB: never full. */
  readonly capacityBytes?: number;
  /** The handles that may be open at once. Default 1,024, the customary soft limit. */
  readonly maxOpenFiles?: number;
}

/** {@link DiskOptions}, complete. */
export type DiskConfig = Required<DiskOptions>;

/** The defaults of {@link DiskOptions}. */
export const diskDefaults: DiskConfig = {
  readLatency: { minMs: 0.02, meanMs: 0.06 },
  writeLatency: { minMs: 0.01, meanMs: 0.03 },
  syncLatency: { minMs: 0.05, meanMs: 0.15 },
  metadataLatency: { minMs: 0.01, meanMs: 0.05 },
  capacityBytes: 2 ** 40,
  maxOpenFiles: 1024,
};

const LONGEST_MS = 3_600_000;

/** Fills in the defaults and checks. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`, naming every problem. */
export function resolveDiskOptions(options: DiskOptions, base: DiskConfig = diskDefaults): DiskConfig {
  const config: DiskConfig = {
    readLatency: options.readLatency ?? base.readLatency,
    writeLatency: options.writeLatency ?? base.writeLatency,
    syncLatency: options.syncLatency ?? base.syncLatency,
    metadataLatency: options.metadataLatency ?? base.metadataLatency,
    capacityBytes: options.capacityBytes ?? base.capacityBytes,
    maxOpenFiles: options.maxOpenFiles ?? base.maxOpenFiles,
  };
  const problems = new OptionProblems("disk options");
  for (const name of ["readLatency", "writeLatency", "syncLatency", "metadataLatency"] as const) {
    problems.number(`${name}.minMs`, config[name].minMs, 0, LONGEST_MS);
    problems.number(`${name}.meanMs`, config[name].meanMs, 0, LONGEST_MS);
  }
  problems.integer("capacityBytes", config.capacityBytes, 0, Number.MAX_SAFE_INTEGER);
  problems.integer("maxOpenFiles", config.maxOpenFiles, 1, 2 ** 31);
  problems.throwIfAny();
  return config;
}
