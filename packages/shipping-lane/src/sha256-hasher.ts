import { createHash } from "node:crypto";
import type { Hasher } from "./hasher.js";

/**
 * OpenSSL's SHA-256, on this thread: with the processor's own instructions it outruns every transport here, it needs no dependency, and
 * `sha256sum` says the same. A chunk of 256 KiB holds the event loop up for about a seventh of a millisecond.
 */
export const sha256Hasher: Hasher = {
  algorithm: "sha256",
  begin: () => {
    const hash = createHash("sha256");
    return {
      update: async (bytes) => {
        hash.update(bytes);
      },
      digest: async () => new Uint8Array(hash.digest()),
    };
  },
};
