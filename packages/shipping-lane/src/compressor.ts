/**
 * Makes chunks shorter for the way and restores them, here or on another thread. Each chunk stands for itself, so that any can be sent
 * again alone. Digests are of what was there before compression.
 *
 * Buffers are lent until a promise settles: the caller leaves them alone, and the compressor neither changes nor detaches them, and keeps
 * nothing of them. The caller owns what it gets. Calls may overlap and may settle in any order; how many do at a time is the caller's limit.
 */
export interface Compressor {
  /** What stands in a manifest: 1 to 32 printable ASCII characters, such as `deflate-raw`. A peer that does not have it gets plain chunks. */
  readonly algorithm: string;
  /**
   * A form of `chunk` that is at most `maxBytes` long, or null if it does not get that short: then the chunk goes as it is. Takes no more
   * memory than `maxBytes` and a fixed amount.
   * @throws the signal's reason, once it is aborted. Any other rejection says that nothing can be compressed here; it says nothing of the bytes.
   */
  compress(chunk: Uint8Array, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | null>;
  /**
   * The chunk that `compressed` stands for, or null if it stands for none, or for one of more or fewer than `length` bytes: then the peer is
   * at fault. The caller has checked `length` against its limit; nothing longer is ever allocated, whatever the bytes claim.
   * @throws the signal's reason, once it is aborted. Any other rejection says that nothing can be restored here; it says nothing of the bytes.
   */
  decompress(compressed: Uint8Array, length: number, signal?: AbortSignal): Promise<Uint8Array | null>;
}
