import { randomBytes, randomFillSync } from "node:crypto";
import type { Random } from "@octopii/interfaces";

const pool = new Uint32Array(256);
let next = pool.length;

/** The operating system's cryptographic randomness. Its forks are itself: nothing about it can be repeated. */
export const systemRandom: Random = {
  uint32: () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    return pool[next++] as number;
  },
  bytes: (length) => new Uint8Array(randomBytes(length)),
  fork: () => systemRandom,
};
