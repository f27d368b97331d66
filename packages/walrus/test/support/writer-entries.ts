/** What the killed writer appends as entry `index` of `topic`: its length and its bytes follow from the two. */
export function entryOf(topic: string, index: number): Uint8Array {
  return Buffer.from(`${topic} ${index} `.repeat(1 + (index % 23)));
}
