/** Deadline and cancellation of one call. */
export interface CallOptions {
  /** Ends the wait; the call rejects with the signal's reason. A command may be committed all the same. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait, elections and retries included; finite. Default: `requestTimeoutMs` of the node or client. Anything else than a number of
   * 0 or more rejects the call with a `RangeError`.
   */
  readonly timeoutMs?: number;
}

/**
 * How fresh an answer must be. `linearizable`: it reflects every write that was acknowledged, anywhere, before the query began; it
 * costs one round between the nodes. `lease`: the same, but where `leaseReads` is on, the leader's lease takes the place of the round, and so
 * the answer rests on clocks that keep within `clockDriftMax`; a client that is no member gets `linearizable`. `stale`: whatever this replica
 * has applied so far.
 */
export type Consistency = "linearizable" | "lease" | "stale";

/** Options of a query. */
export interface QueryOptions extends CallOptions {
  /** Default `linearizable`: the answer that cannot surprise. */
  readonly consistency?: Consistency;
}
