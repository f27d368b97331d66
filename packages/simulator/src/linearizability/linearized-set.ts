/**
 * The set of operations linearized so far, as bits, with a hash of its required half that each change updates in O(1)
 * (Zobrist 1970: the exclusive-or of one fixed pseudo-random key per member).
 *
 * Required and optional operations lie in separate words, because configurations are compared differently on the two:
 * see `ConfigurationCache`.
 */
export class LinearizedSet {
  /** The words of required operations, then those of optional ones. */
  readonly words: Uint32Array;
  /** How many of `words` belong to required operations. */
  readonly requiredWords: number;
  readonly #required: number;
  #hashLow = 0;
  #hashHigh = 0;

  constructor(required: number, optional: number) {
    this.#required = required;
    this.requiredWords = (required + 31) >>> 5;
    this.words = new Uint32Array(this.requiredWords + ((optional + 31) >>> 5));
  }

  get hashLow(): number {
    return this.#hashLow;
  }

  get hashHigh(): number {
    return this.#hashHigh;
  }

  has(operation: number): boolean {
    const isRequired = operation < this.#required;
    const bit = isRequired ? operation : operation - this.#required;
    const word = (isRequired ? 0 : this.requiredWords) + (bit >>> 5);
    return (((this.words[word] as number) >>> (bit & 31)) & 1) === 1;
  }

  /** Adds the operation if it is absent and removes it if it is present. */
  toggle(operation: number): void {
    if (operation < this.#required) {
      const word = operation >>> 5;
      this.words[word] = (this.words[word] as number) ^ (1 << (operation & 31));
      this.#hashLow = (this.#hashLow ^ scramble(operation, 0x9e3779b9)) >>> 0;
      this.#hashHigh = (this.#hashHigh ^ scramble(operation, 0x85ebca6b)) >>> 0;
    } else {
      const bit = operation - this.#required;
      const word = this.requiredWords + (bit >>> 5);
      this.words[word] = (this.words[word] as number) ^ (1 << (bit & 31));
    }
  }
}

/** The 32-bit finalizer of MurmurHash3 over a seeded index. */
function scramble(index: number, seed: number): number {
  let hash = (Math.imul(index + 1, 0x01000193) ^ seed) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
