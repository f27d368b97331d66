/** Thrown, and recorded as the run's failure, when a cluster did what it never may. */
export class OracleViolation extends Error {
  /** Which promise was broken; stable, so that a shrunk run can be compared with the original. */
  readonly oracle: string;

  constructor(oracle: string, message: string) {
    super(`${oracle}: ${message}`);
    this.name = "OracleViolation";
    this.oracle = oracle;
  }
}
