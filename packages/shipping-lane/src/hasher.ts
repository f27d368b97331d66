/**
 * Computes the digest of a transfer's content, here or on another thread. It is given the content chunk by chunk, so that neither side ever
 * holds more than a chunk for it; and the digest is that of the content alone, so that it can be compared with what other tools say.
 */
export interface Hasher {
  /** What stands in the offer. Both sides must have it; a receiver without it refuses the transfer. */
  readonly algorithm: "sha256";
  /** Begins a digest. */
  begin(): RunningHash;
}

/** One digest that is being computed. Calls come one after the other: the next when the promise of the last has settled. */
export interface RunningHash {
  /**
   * Takes the next bytes. They are lent until the promise settles: the caller leaves them alone, and the hasher neither changes nor detaches
   * them, and keeps nothing of them. A rejection says that digests cannot be computed here, and nothing of the bytes.
   */
  update(bytes: Uint8Array): Promise<void>;
  /** The digest of everything: 32 bytes, which the caller owns. The last call. */
  digest(): Promise<Uint8Array>;
}
