/** How a closed connection is answered for. */
export interface ClosedConnection {
  /** The datagram that said so; null if the peer said it. */
  readonly lastDatagram: Uint8Array | null;
  readonly remoteHost: string;
  readonly remotePort: number;
}

interface Entry extends ClosedConnection {
  readonly until: number;
  received: number;
}

/** RFC 9000 section 10.2 wants three probe timeouts; this is that for a round trip of 300 ms, and plenty on shorter ways. */
const keepMsMin = 3_000;
const entriesMax = 256;

/**
 * Connections that are over, for as long as packets for them may still arrive. Where the word of their end was lost, it is repeated, to
 * every packet whose count is a power of two (RFC 9000 section 10.2.1).
 */
export class ClosedConnections {
  readonly #entries = new Map<number, Entry>();
  readonly #keepMs: number;

  /** @param idleTimeoutMs - peers probe three times in it: whoever missed the word asks at the latest then, and must get an answer. */
  constructor(idleTimeoutMs: number) {
    this.#keepMs = Math.max(keepMsMin, idleTimeoutMs / 2);
  }

  add(key: number, connection: ClosedConnection, now: number): void {
    for (const [oldest, { until }] of this.#entries) {
      if (until > now && this.#entries.size < entriesMax) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { ...connection, until: now + this.#keepMs, received: 0 });
  }

  has(key: number): boolean {
    return this.#entries.has(key);
  }

  /** The word of an end that may have been lost; null if there is none, or none any more. */
  lastWord(key: number): ClosedConnection | null {
    return this.#entries.get(key) ?? null;
  }

  /** What to send in answer to a packet for a closed connection; null for nothing. */
  answer(key: number, host: string, port: number, now: number): Uint8Array | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    if (entry.until <= now) {
      this.#entries.delete(key);
      return null;
    }
    if (entry.remoteHost !== host || entry.remotePort !== port) return null;
    entry.received += 1;
    return Math.log2(entry.received) % 1 === 0 ? entry.lastDatagram : null;
  }
}
