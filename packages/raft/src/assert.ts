/** Thrown when the core finds its own state impossible. The node stops: going on could lose data. */
export class InvariantError extends Error {
  readonly code = "OCTOPII_RAFT_INVARIANT" as const;

  constructor(message: string) {
    super(`Raft invariant broken: ${message}. This is a bug in @octopii/raft: stop this node, keep its data, and report it.`);
    this.name = "InvariantError";
  }
}

/**
 * An invariant does not hold. The checks stay on in production: the cost of one is a comparison, since the sentence is made only when it is
 * needed, and the alternative is a silently diverged log.
 */
export function broken(message: string): never {
  throw new InvariantError(message);
}
