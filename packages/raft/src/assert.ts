/** Thrown when the core finds its own state impossible. The node stops: going on could lose data. */
export class InvariantError extends Error {
  readonly code = "OCTOPII_RAFT_INVARIANT" as const;

  constructor(message: string) {
    super(`Raft invariant broken: ${message}. This is a bug in @octopii/raft: stop this node, keep its data, and report it.`);
    this.name = "InvariantError";
  }
}

/** Stays on in production: the cost is a comparison, the alternative is a silently diverged log. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
