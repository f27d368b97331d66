/**
 * Whether an operation that was refused may have happened all the same. `failed`: it did not, and never will.
 * `unknown`: it may have; repeat it only if it is idempotent.
 */
export type Outcome = "failed" | "unknown";

/**
 * The shape of every error that an Octopii package throws for an expected condition. Test the `code`, not the class:
 * two copies of a package in one process have two classes but one set of codes.
 */
export interface CodedError extends Error {
  /** Stable across releases: `OCTOPII_<PACKAGE>_<CONDITION>`. */
  readonly code: string;
  /** Present where the outcome can be in doubt. */
  readonly outcome?: Outcome;
  /** Facts that a program can use, such as the file and offset of a bad record. */
  readonly details?: Readonly<Record<string, unknown>>;
}
