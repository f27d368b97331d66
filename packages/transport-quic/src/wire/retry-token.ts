import { createHmac, timingSafeEqual } from "node:crypto";
import { Reader } from "./bytes.js";

/** The format of the tokens below. */
const tokenVersion = 1;
const expiryBytes = 6;
const macBytes = 32;
const connectionIdBytesMax = 20;

/** Whom a token is made for. */
export interface TokenBinding {
  /** The client's IP address and port, as the socket gives them. */
  readonly host: string;
  readonly port: number;
  /** The connection id that the Retry packet tells the client to use. */
  readonly retryId: Uint8Array;
}

/**
 * Makes and checks the tokens of Retry packets, so that nothing is remembered about an address before it has proven that it receives what
 * we send (RFC 9000 section 8.1.2). A token holds its expiry and the original connection id, authenticated by HMAC-SHA256 together with
 * the address and the new connection id; it is worthless to any other address, connection or endpoint.
 */
export class RetryTokens {
  readonly #key: Uint8Array;
  readonly #lifetimeMs: number;

  /** @param key - 32 random bytes, of this endpoint alone. */
  constructor(key: Uint8Array, lifetimeMs: number) {
    this.#key = key;
    this.#lifetimeMs = lifetimeMs;
  }

  /** @param nowMs - a clock that never steps back, the same one that {@link check} is given. */
  mint(binding: TokenBinding, originalId: Uint8Array, nowMs: number): Uint8Array {
    const body = new Uint8Array(2 + expiryBytes + originalId.length);
    body[0] = tokenVersion;
    let rest = Math.ceil(nowMs + this.#lifetimeMs);
    for (let at = expiryBytes; at >= 1; at -= 1) {
      body[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    body[1 + expiryBytes] = originalId.length;
    body.set(originalId, 2 + expiryBytes);
    const token = new Uint8Array(body.length + macBytes);
    token.set(body);
    token.set(this.#mac(body, binding), body.length);
    return token;
  }

  /** The original connection id in `token`; null unless it is ours, for this binding, and in time. */
  check(token: Uint8Array, binding: TokenBinding, nowMs: number): Uint8Array | null {
    const reader = new Reader(token);
    const version = reader.byte();
    const expiry = reader.unsigned(expiryBytes);
    const length = reader.byte();
    if (version !== tokenVersion || length > connectionIdBytesMax) return null;
    const originalId = reader.view(length);
    const body = token.subarray(0, reader.offset);
    const mac = reader.view(macBytes);
    if (reader.failed || reader.offset !== token.length) return null;
    if (!timingSafeEqual(mac, this.#mac(body, binding))) return null;
    return nowMs <= expiry ? Uint8Array.from(originalId) : null;
  }

  #mac(body: Uint8Array, binding: TokenBinding): Uint8Array {
    // Every part but the last has a fixed length or its length in front, so no two bindings give the same input.
    return createHmac("sha256", this.#key)
      .update(body)
      .update(Uint8Array.of(binding.retryId.length))
      .update(binding.retryId)
      .update(Uint8Array.of(binding.port >>> 8, binding.port & 0xff))
      .update(binding.host)
      .digest();
  }
}
