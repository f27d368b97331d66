/*
 * Walks CBOR (RFC 8949) without building anything, so that the decoder behind it only ever sees input that is well-formed, not too
 * deep, and free of tags that would make it do more than build plain values: its extensions for regular expressions, errors, shared
 * and cyclic references, packed values and record definitions are all reachable from the wire otherwise.
 */

/** Byte strings that become big integers; converting one takes quadratic time. 8,192 bits. */
const maxBigIntegerBytes = 1_024;

const majorTypes = { bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;

/** Typed arrays of RFC 8746 that JavaScript has: big-endian, then little-endian. */
const typedArrayTags = new Set([64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 77, 78, 79, 81, 82, 85, 86]);
const dateTag = 1;
const bigIntegerTags = new Set([2, 3]);
const setTag = 258;
const mapTag = 259;

/**
 * @param maxDepth - how deep arrays, maps and tags may nest.
 * @returns null if `bytes` hold exactly one acceptable item, or one sentence that says what is wrong.
 */
export function checkCbor(bytes: Uint8Array, maxDepth: number): string | null {
  return new CborWalk(bytes, maxDepth).run();
}

class CborWalk {
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;
  /** How many items each open array, map or tag still wants, innermost last. Infinity: until a break. */
  readonly #wanted: number[] = [];
  #position = 0;
  /** Set by `#head`: the major type, the low five bits, and the number that they lead to. */
  #major = 0;
  #info = 0;
  #argument = 0;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  run(): string | null {
    do {
      if (!this.#atBreak()) {
        const problem = this.#item();
        if (problem !== null) return problem;
      }
      this.#closeFinished();
    } while (this.#wanted.length > 0);
    return this.#position === this.#bytes.length ? null : "There is something behind the CBOR item.";
  }

  #item(): string | null {
    if (!this.#head()) return "The CBOR item is cut short or malformed.";
    switch (this.#major) {
      case majorTypes.bytes:
      case majorTypes.text:
        return this.#skipString();
      case majorTypes.array:
        return this.#open(this.#info === 31 ? Number.POSITIVE_INFINITY : this.#argument);
      case majorTypes.map:
        return this.#info === 31 ? "CBOR maps of unknown length are not accepted." : this.#open(2 * this.#argument);
      case majorTypes.tag:
        return this.#tag();
      case majorTypes.simple:
        return this.#info < 20 || this.#info === 24 ? "The CBOR item has a simple value that is not known." : null;
      default:
        return null;
    }
  }

  /** Reads an item's first bytes, with the number in them. Leaves the content of strings unread. */
  #head(): boolean {
    const first = this.#bytes[this.#position];
    if (first === undefined) return false;
    this.#position += 1;
    this.#major = first >> 5;
    this.#info = first & 0x1f;
    this.#argument = this.#info;
    if (this.#info < 24) return true;
    if (this.#info === 31) return this.#major === majorTypes.array || this.#major === majorTypes.map;
    if (this.#info > 27) return false;
    const size = 1 << (this.#info - 24);
    if (this.#bytes.length - this.#position < size) return false;
    let argument = 0;
    for (let index = 0; index < size; index++) argument = argument * 256 + (this.#bytes[this.#position + index] ?? 0);
    this.#argument = argument;
    this.#position += size;
    return true;
  }

  #skipString(): string | null {
    if (this.#info === 31 || this.#argument > this.#bytes.length - this.#position) return "A CBOR string is cut short.";
    this.#position += this.#argument;
    return null;
  }

  #open(items: number): string | null {
    if (items === 0) return null;
    // Each item takes a byte at least, so a count beyond what is left cannot be met; nobody gets to allocate for it.
    if (items !== Number.POSITIVE_INFINITY && items > this.#bytes.length - this.#position) return "A CBOR array or map is cut short.";
    if (this.#wanted.length >= this.#maxDepth) return `The CBOR item nests deeper than ${this.#maxDepth} levels.`;
    this.#wanted.push(items + 1);
    return null;
  }

  /** Checks a tag together with the head of its content, which is then read as an item of its own. */
  #tag(): string | null {
    const tag = this.#argument;
    const contentAt = this.#position;
    if (!this.#head()) return "The CBOR item is cut short or malformed.";
    if (!this.#fits(tag)) return `The CBOR item has tag ${tag} on something that is not accepted under it.`;
    this.#position = contentAt;
    return this.#open(1);
  }

  #fits(tag: number): boolean {
    if (typedArrayTags.has(tag)) return this.#major === majorTypes.bytes;
    if (bigIntegerTags.has(tag)) return this.#major === majorTypes.bytes && this.#argument <= maxBigIntegerBytes;
    if (tag === dateTag) return this.#major < majorTypes.bytes || (this.#major === majorTypes.simple && this.#info > 24);
    if (tag === setTag) return this.#major === majorTypes.array;
    return tag === mapTag && this.#major === majorTypes.map;
  }

  #atBreak(): boolean {
    if (this.#wanted.at(-1) !== Number.POSITIVE_INFINITY || this.#bytes[this.#position] !== 0xff) return false;
    this.#position += 1;
    this.#wanted[this.#wanted.length - 1] = 1;
    return true;
  }

  /** Counts the item that was just read, and every container that it completes. */
  #closeFinished(): void {
    const wanted = this.#wanted;
    for (let top = wanted.length - 1; top >= 0; top--) {
      const left = (wanted[top] ?? 0) - 1;
      wanted[top] = left;
      if (left > 0) return;
      wanted.pop();
    }
  }
}
