import { createHmac, hkdfSync } from "node:crypto";

const resetTokenBytes = 16;
/** A reset must not be told from an ordinary packet by its size (RFC 9000 section 10.3). */
const resetBytesMin = 21;
const resetBytesMax = 43;

/**
 * Makes stateless resets (RFC 9000 section 10.3): after a restart a server tells a peer that still talks to the old process that its
 * connection is gone, and the peer reconnects at once rather than after its idle timeout. The tokens derive from the private key, so
 * that they outlive the process without being stored.
 */
export class StatelessResets {
  readonly #key: Uint8Array;

  constructor(privateKey: string) {
    this.#key = new Uint8Array(hkdfSync("sha256", privateKey, "", "octopii/1 stateless reset", 32));
  }

  /** The token of one connection id: 16 bytes. */
  token(connectionId: Uint8Array): Uint8Array {
    return new Uint8Array(createHmac("sha256", this.#key).update(connectionId).digest()).subarray(0, resetTokenBytes);
  }

  /**
   * The reset for a packet to an unknown connection id; null where none may be sent, because it would not be smaller than the packet, and
   * two endpoints could send each other resets for ever.
   * @param filler - at least 43 random bytes; they are overwritten and returned in part.
   */
  packet(connectionId: Uint8Array, received: number, filler: Uint8Array): Uint8Array | null {
    if (received <= resetBytesMin) return null;
    const out = filler.subarray(0, Math.min(received - 1, resetBytesMax));
    out[0] = 0x40 | ((out[0] ?? 0) & 0x3f);
    out.set(this.token(connectionId), out.length - resetTokenBytes);
    return out;
  }
}

/** How many random bytes {@link StatelessResets.packet} wants. */
export const resetFillerBytes: number = resetBytesMax;
