/** Bounds on a check. NP-complete in general (Gibbons and Korach 1997), so every check needs a point at which it gives up. */
export interface LinearizabilityOptions {
  /**
   * Steps of the model after which the check of one partition ends as `unknown`. Counting steps, not time, gives one history the
   * same verdict on every machine. Default: 5,000,000, a few seconds; a history without violation needs about one per operation.
   */
  readonly maxStepsPerPartition?: number;
  /**
   * Bytes of remembered configurations in one partition, states themselves not counted; a quarter of it more while it grows.
   * Beyond it the check goes on with what it remembers. Default: 256 MiB, a million configurations of 2,000 operations.
   */
  readonly maxCacheBytes?: number;
}

/** {@link LinearizabilityOptions} with every default filled in. */
export type LinearizabilityConfig = Readonly<Required<LinearizabilityOptions>>;

/** The defaults of {@link LinearizabilityOptions}; each field there gives the reason. */
export const linearizabilityDefaults: LinearizabilityConfig = {
  maxStepsPerPartition: 5_000_000,
  maxCacheBytes: 256 * 1024 * 1024,
};

/** Fills in defaults. @throws {RangeError} naming every option that is out of range. */
export function resolveLinearizabilityOptions(options: LinearizabilityOptions = {}): LinearizabilityConfig {
  const config = {
    maxStepsPerPartition: options.maxStepsPerPartition ?? linearizabilityDefaults.maxStepsPerPartition,
    maxCacheBytes: options.maxCacheBytes ?? linearizabilityDefaults.maxCacheBytes,
  };
  const problems: string[] = [];
  if (!Number.isSafeInteger(config.maxStepsPerPartition) || config.maxStepsPerPartition < 1) {
    problems.push(`maxStepsPerPartition must be a positive integer, not ${config.maxStepsPerPartition}`);
  }
  if (!Number.isSafeInteger(config.maxCacheBytes) || config.maxCacheBytes < 0 || config.maxCacheBytes > 2 ** 31) {
    problems.push(`maxCacheBytes must be an integer from 0 to 2 GiB, not ${config.maxCacheBytes}`);
  }
  if (problems.length > 0) throw new RangeError(`Linearizability options: ${problems.join("; ")}.`);
  return config;
}
