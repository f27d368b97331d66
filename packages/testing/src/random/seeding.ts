/** What a run can be repeated from. The number 7 and the text "7" are the same seed. */
export type Seed = number | string;

/** 128 bits that name one stream of random numbers. */
export type RandomKey = readonly [number, number, number, number];

const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;

/** The finishing steps of splitmix32: every bit of the input reaches every bit of the output. */
function finish(word: number): number {
  let mixed = (word + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function absorb(word: number, text: string, multiplier: number): number {
  let mixed = word | 0;
  for (let index = 0; index < text.length; index += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), multiplier);
    mixed = (mixed << 13) | (mixed >>> 19);
  }
  return finish(mixed ^ text.length);
}

/** The key of the stream `name` under `parent`. Depends on nothing else, so forks never disturb each other. */
export function deriveKey(parent: RandomKey, name: string): RandomKey {
  const a = absorb(parent[0], name, MULTIPLIERS[0]);
  const b = absorb(parent[1] ^ a, name, MULTIPLIERS[1]);
  const c = absorb(parent[2] ^ b, name, MULTIPLIERS[2]);
  const d = absorb(parent[3] ^ c, name, MULTIPLIERS[3]);
  return [finish(a ^ d), b, c, d];
}

/** The key of the root stream of `seed`. */
export function seedKey(seed: Seed): RandomKey {
  return deriveKey([0x6f63746f, 0x70696921, 0x73696d75, 0x6c617465], String(seed));
}

/** 32 bits of `text`, the same in every process and on every machine. */
export function hashText(text: string): number {
  return absorb(0x6f637431, text, MULTIPLIERS[1]);
}
