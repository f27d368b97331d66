/** A source of random numbers: the system's, or a seeded one in simulation. */
export interface Random {
  /** A uniform integer in `[0, 2^32)`. */
  uint32(): number;
  /** `length` fresh bytes. The caller owns them. */
  bytes(length: number): Uint8Array;
  /**
   * An independent source named `name`. A seeded source gives the same fork for the same name, whatever else was drawn,
   * so taking numbers in one part does not shift them in another.
   */
  fork(name: string): Random;
}
