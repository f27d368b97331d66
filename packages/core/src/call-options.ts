/** Deadline and cancellation of one call. */
export interface CallOptions {
  /** Ends the wait; the call rejects with the signal's reason. A command may be committed all the same. */
  readonly signal?: AbortSignal;
  /** How long to wait, elections and retries included. Default: `requestTimeoutMs` of the node or client. */
  readonly timeoutMs?: number;
}

/**
 * How fresh an answer must be. `linearizable`: it reflects every write that was acknowledged, anywhere, before the query began; it
 * costs one round between the nodes. `stale`: whatever this replica has applied so far.
 */
export type Consistency = "linearizable" | "stale";

/** Options of a query. */
export interface QueryOptions extends CallOptions {
  /** Default `linearizable`: the answer that cannot surprise. */
  readonly consistency?: Consistency;
}
