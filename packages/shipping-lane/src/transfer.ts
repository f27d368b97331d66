import type { PeerIdentity } from "@octopii/interfaces";

/** How far a transfer has come. */
export interface TransferProgress {
  /** Bytes that the receiver has checked, and written to its file or memory. */
  readonly transferredBytes: number;
  readonly totalBytes: number;
}

/** Told how far a transfer has come: once per chunk, synchronously. What it throws is logged. */
export type OnProgress = (progress: TransferProgress) => void;

/** A transfer that is complete: checked and published at the receiver. */
export interface TransferResult {
  /** The transfer's id, the same on both sides: 32 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Who is at the other end, as its certificate says. */
  readonly peer: PeerIdentity;
  readonly bytes: number;
  /** SHA-256 of the content, in hexadecimal digits: what `sha256sum` says of the file. */
  readonly checksum: string;
  /** From the offer to the receiver's confirmation. */
  readonly durationMs: number;
}

/** What a sender may say of a transfer. */
export interface SendOptions {
  /** What the receiver is told; one component of a path. Default: the last component of the file's path. */
  readonly name?: string;
  /** Short texts that travel with the offer, for the receiver's decision; at most 64, and 16 KiB in all. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels: the promise rejects with the signal's reason, and the receiver drops what it has. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Default: the lane's. */
  readonly noProgressTimeoutMs?: number;
}

/** Options of {@link IncomingOffer.saveTo} and {@link IncomingOffer.toMemory}. */
export interface ReceiveOptions {
  /** Takes no more than this, whatever the lane's limit is. */
  readonly maxBytes?: number;
  /** Cancels: the promise rejects with the signal's reason, and the sender is told. Without effect once the whole is being published. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Options of {@link IncomingOffer.saveTo}. */
export interface SaveOptions extends ReceiveOptions {
  /** Puts the file in the place of one that is there. Default false: then the offer is refused with `EXISTS`. */
  readonly replace?: boolean;
}

/** A transfer that a peer offers. Nothing of it travels until it is taken; one of the three methods decides, once. */
export interface IncomingOffer {
  readonly id: string;
  /** As the sender calls it: one component of a path, without separators, `..` or anything that cannot be seen. */
  readonly name: string;
  /** Bytes. The sender can send neither more nor fewer. */
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly peer: PeerIdentity;
  /** Aborts when the transfer is over without having succeeded: the sender gave up, nothing moves, or the lane closes. */
  readonly signal: AbortSignal;
  /**
   * Receives into the file at `path`, in constant memory. Until all of it has come, been checked and flushed, it lies under a temporary name
   * beside `path`; then it is renamed, and the directory flushed; then the sender hears of it and the promise resolves.
   * @param path - its directory must exist. Take care with paths that come from a peer; `offer.name` is safe to join to a directory.
   * @throws {LaneError} `EXISTS`, `TOO_LARGE`, `CORRUPT`, `STORAGE_FAILED`, `TIMEOUT`, `CANCELLED`, `DISCONNECTED`, …; or the signal's reason.
   * Nothing is at `path` then that was not there before, unless `outcome` is `unknown`.
   */
  saveTo(path: string, options?: SaveOptions): Promise<TransferResult & { readonly path: string }>;
  /** Receives into memory. The bytes are the caller's. @throws as {@link IncomingOffer.saveTo} */
  toMemory(options?: ReceiveOptions): Promise<TransferResult & { readonly data: Uint8Array }>;
  /** Does not take it. @param reason - a sentence that the sender sees. */
  refuse(reason: string): void;
}

/**
 * Decides about offers, and is done when it settles. An offer that it did not decide about is refused. What it throws is logged; the sender
 * is only told that it was refused.
 */
export type OfferHandler = (offer: IncomingOffer) => void | Promise<void>;
