import type { Entry } from "@octopii/raft";

const kindWords = { command: 1, noop: 2, configuration: 3, founding: 4 } as const;

/** A 53-bit hash of an entry and all that stands before it in its log: equal hashes mean equal logs up to here. */
export function chainHash(previous: number, entry: Entry): number {
  let low = mix(previous >>> 0, entry.index);
  let high = mix((previous / 2 ** 32) >>> 0, entry.term);
  low = mix(low, kindWords[entry.kind]);
  for (const byte of entry.data) {
    low = mix(low, byte);
    high = mix(high, low);
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
