import { OptionProblems } from "../options.js";

/** How the network treats messages on one link, in one direction. */
export interface LinkOptions {
  /** The least a message takes, in milliseconds. Default 0.1 ms: two machines in one rack. */
  readonly minDelayMs?: number;
  /** What it takes on top, on average, exponential-like; what makes messages overtake each other. Default 0.2 ms. */
  readonly meanDelayMs?: number;
  /** So many in a million messages get lost. An integer, because a ratio must mean the same on every machine. Default 0. */
  readonly lossPerMillion?: number;
  /** So many in a million messages arrive twice. Default 0. */
  readonly duplicatePerMillion?: number;
  /** Larger messages are lost, always, as on a path whose MTU nobody was told of. Default: none is too large. */
  readonly maxPacketBytes?: number;
}

/** {@link LinkOptions}, complete. */
export type LinkConfig = Required<LinkOptions>;

/** The defaults of {@link LinkOptions}. */
export const linkDefaults: LinkConfig = {
  minDelayMs: 0.1,
  meanDelayMs: 0.2,
  lossPerMillion: 0,
  duplicatePerMillion: 0,
  maxPacketBytes: Number.MAX_SAFE_INTEGER,
};

/** Fills in the defaults and checks. @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`, naming every problem. */
export function resolveLinkOptions(options: LinkOptions, base: LinkConfig = linkDefaults): LinkConfig {
  const config: LinkConfig = {
    minDelayMs: options.minDelayMs ?? base.minDelayMs,
    meanDelayMs: options.meanDelayMs ?? base.meanDelayMs,
    lossPerMillion: options.lossPerMillion ?? base.lossPerMillion,
    duplicatePerMillion: options.duplicatePerMillion ?? base.duplicatePerMillion,
    maxPacketBytes: options.maxPacketBytes ?? base.maxPacketBytes,
  };
  const problems = new OptionProblems("link options");
  problems.number("minDelayMs", config.minDelayMs, 0, 3_600_000);
  problems.number("meanDelayMs", config.meanDelayMs, 0, 3_600_000);
  problems.integer("lossPerMillion", config.lossPerMillion, 0, 1_000_000);
  problems.integer("duplicatePerMillion", config.duplicatePerMillion, 0, 1_000_000);
  problems.integer("maxPacketBytes", config.maxPacketBytes, 0, Number.MAX_SAFE_INTEGER);
  problems.throwIfAny();
  return config;
}
