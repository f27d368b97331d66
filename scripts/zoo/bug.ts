/** One piece of a source file, and what stands there instead. */
export interface Patch {
  /** Below `packages`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A mistake that is planted in a build of the simulator and nowhere else. */
export interface Bug {
  readonly name: string;
  /** The package that it is in. */
  readonly home: string;
  readonly patches: readonly Patch[];
  /** What the seeds that hunt it draw from. Default `swarm`, where everything may happen. */
  readonly profile?: string;
}
