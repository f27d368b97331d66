/**
 * Computes digests, here or on another thread. It takes a whole chunk at a time, so that the way to another thread is paid once per chunk
 * and not per buffer; a chunk's length is limited by whoever makes it.
 */
export interface Hasher {
  /** What stands in a manifest beside each digest. Both sides must have it; a peer with another one refuses the transfer. */
  readonly algorithm: "sha256";
  /**
   * The digest of `parts`, back to back: 32 bytes, which the caller owns. No parts, or empty ones, are fine.
   *
   * `parts` are lent until the promise settles: the caller leaves them alone, and the hasher neither changes nor detaches them, and keeps
   * nothing of them. Calls may overlap and may settle in any order; how many do at a time is the caller's limit.
   * @throws the signal's reason, once it is aborted: what was begun may run on, but holds on to `parts` no longer. Any other rejection says
   * that digests cannot be computed here, such as by a thread that died; it says nothing of the bytes.
   */
  digest(parts: readonly Uint8Array[], signal?: AbortSignal): Promise<Uint8Array>;
}
