import { OptionProblems } from "../options.js";
import type { Seed } from "../random/seeding.js";

/** What becomes of datagrams, of each alone. Shares are in a million, as in the simulated network. */
export interface UdpFaults {
  /** So many are lost. */
  readonly lossPerMillion: number;
  /** So many come twice. */
  readonly duplicatePerMillion: number;
  /** Of so many one byte is changed. */
  readonly corruptPerMillion: number;
  /** How long each takes at least, and at most, in milliseconds. One that takes longer is overtaken by those behind it. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** A perfect network. */
export const udpFaultDefaults: UdpFaults = {
  lossPerMillion: 0,
  duplicatePerMillion: 0,
  corruptPerMillion: 0,
  minDelayMs: 0,
  maxDelayMs: 0,
};

/** Options of {@link openUdpProxy}. */
export interface UdpProxyOptions extends Partial<UdpFaults> {
  /** Where datagrams go in the end: an IPv4 address and a port. */
  readonly target: string;
  /** What happens follows from it, and from the order in which datagrams come, which is the system's. */
  readonly seed: Seed;
}

/** Checks faults and fills in what is left out. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS` with every problem. */
export function resolveUdpFaults(given: Partial<UdpFaults>, before: UdpFaults = udpFaultDefaults): UdpFaults {
  const faults: UdpFaults = {
    lossPerMillion: given.lossPerMillion ?? before.lossPerMillion,
    duplicatePerMillion: given.duplicatePerMillion ?? before.duplicatePerMillion,
    corruptPerMillion: given.corruptPerMillion ?? before.corruptPerMillion,
    minDelayMs: given.minDelayMs ?? before.minDelayMs,
    maxDelayMs: given.maxDelayMs ?? before.maxDelayMs,
  };
  const problems = new OptionProblems("UDP proxy");
  for (const name of ["lossPerMillion", "duplicatePerMillion", "corruptPerMillion"] as const) {
    problems.integer(name, faults[name], 0, 1_000_000);
  }
  problems.integer("minDelayMs", faults.minDelayMs, 0, 60_000);
  problems.integer("maxDelayMs", faults.maxDelayMs, faults.minDelayMs, 60_000);
  problems.throwIfAny();
  return faults;
}
