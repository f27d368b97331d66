import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { openPublic, openXxhash, type Xxhash } from "../src/adapters/xxhash.js";
import { FrameKind, RecordType } from "../src/format/format.js";
import { BENCH_BYTES, HASHER_BYTES, Hasher, openHasher } from "../src/format/hasher.js";
import { RecordHasher } from "../src/format/record-hasher.js";
import { FrameBuilder, VECTORED_FROM_BYTES } from "../src/write/frame-builder.js";
import { sealedRecord } from "./support/sealed-record.js";

const SEED = 0x1234_5678_9abc_def0n;
let hasher: Hasher;
let publicHasher: Hasher;

beforeAll(async () => {
  hasher = await openHasher();
  publicHasher = new Hasher(await openPublic(HASHER_BYTES));
});

function pattern(length: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at * 31 + (at >>> 8) * salt + salt;
  return bytes;
}

test("the compiled code and the package's own interface give the same hashes, whole and in pieces that take turns", async () => {
  const both: readonly Xxhash[] = [await openXxhash(HASHER_BYTES), await openPublic(HASHER_BYTES)];
  const hashes = both.map((xxhash) => {
    const bytes = pattern(5000, 3);
    xxhash.memory.set(bytes, 128);
    const found: bigint[] = [];
    for (const length of [0, 1, 7, 31, 32, 33, 256, 4999]) found.push(BigInt.asUintN(64, xxhash.hash(128, length, SEED)));
    const first = xxhash.start(SEED);
    const second = xxhash.start(7n);
    first.update(128, 100);
    second.update(128, 33);
    first.update(228, 4772);
    second.update(161, 4839);
    found.push(BigInt.asUintN(64, first.digest()), BigInt.asUintN(64, second.digest()));
    found.push(BigInt.asUintN(64, xxhash.hash(128, 4872, SEED)), BigInt.asUintN(64, xxhash.hash(128, 4872, 7n)));
    return found;
  });
  expect(hashes[1]).toEqual(hashes[0]);
  const [first, second, firstWhole, secondWhole] = hashes[0]?.slice(-4) ?? [];
  expect([first, second]).toEqual([firstWhole, secondWhole]);
});

test("records that stand in a row verify wherever the bench begins, every flip is found, and the array stays as it is", () => {
  const lengths = [0, 1, 300, BENCH_BYTES - 24, 5, 60_000, BENCH_BYTES, 60_000, 9, 200_000, 100_000, 2];
  for (const hashing of [hasher, publicHasher]) {
    const records = lengths.map((length, number) => sealedRecord(number + 1, pattern(length, number), SEED, hasher));
    const bytes = Buffer.concat(records.map(({ whole }) => whole));
    const before = Buffer.from(bytes);
    const other = new RecordHasher(hashing, SEED).begin(bytes, bytes.length);
    const checked = new RecordHasher(hashing, SEED).begin(bytes, bytes.length);
    let at = 0;
    for (const [number, { whole, position }] of records.entries()) {
      const end = at + whole.length;
      expect(checked.verify(at, end, position), `record ${number}`).toBe(true);
      expect(checked.verify(at, end, position + 1)).toBe(false);
      // Another's filling of the bench must not pass for ours.
      if (number % 2 === 0) expect(other.verify(0, records[0]?.whole.length ?? 0, records[0]?.position ?? 0)).toBe(true);
      for (const place of [at, at + 9, at + 16, at + 23, end - 1]) {
        bytes[place] = (bytes[place] ?? 0) ^ 0x10;
        expect(checked.begin(bytes, bytes.length).verify(at, end, position), `record ${number}, byte ${place - at}`).toBe(false);
        bytes[place] = (bytes[place] ?? 0) ^ 0x10;
      }
      expect(checked.begin(bytes, bytes.length).verify(at, end, position)).toBe(true);
      at = end;
    }
    expect(bytes.equals(before)).toBe(true);
  }
});

const payloads = fc.array(
  fc.oneof(fc.nat(400), fc.constantFrom(0, VECTORED_FROM_BYTES - 1, VECTORED_FROM_BYTES, VECTORED_FROM_BYTES + 500)),
  {
    maxLength: 12,
  },
);

test("a frame whose checksums were made ahead, for the right place or a wrong one, is the one that was finished at once", () => {
  fc.assert(
    fc.property(payloads, fc.array(fc.constantFrom(0, 64, 4096), { maxLength: 12 }), (lengths, ahead) => {
      const place = { seed: SEED, position: 4096, previous: 5n, durable: 64 };
      const plain = new FrameBuilder();
      const eager = new FrameBuilder();
      // Twice, since builders are used again.
      for (let round = 0; round < 2; round++) {
        for (const [number, length] of lengths.entries()) {
          for (const builder of [plain, eager]) builder.add(RecordType.append, 1, number + 1, pattern(length, number + round));
          const position = ahead[number] ?? 0;
          if (position > 0) eager.sealAhead(SEED, position, hasher);
        }
        for (const builder of [plain, eager]) builder.addTopic(2, "b", 1, 1);
        const [due, found] = [plain, eager].map((builder) => {
          const { buffers, checksum, byteLength } = builder.finish(FrameKind.commit, place, hasher);
          const { count, offsets, lengths: written, declarations } = builder.records;
          const bytes = hasher.hash(Buffer.concat(buffers), 0n);
          return {
            bytes,
            checksum,
            byteLength,
            count,
            offsets: [...offsets.slice(0, count)],
            written: [...written.slice(0, count)],
            declarations: [...declarations],
          };
        });
        expect(found).toEqual(due);
        plain.clear();
        eager.clear();
      }
    }),
    { numRuns: 40 },
  );
});

test("a payload that was transferred away before its frame was finished is reported, ahead and at the end", () => {
  const builder = new FrameBuilder();
  const payload = new Uint8Array(VECTORED_FROM_BYTES);
  builder.add(RecordType.append, 1, 1, payload);
  structuredClone(payload.buffer, { transfer: [payload.buffer] });
  expect(() => builder.sealAhead(SEED, 64, hasher)).toThrow("changed or transferred");
  expect(() => builder.finish(FrameKind.commit, { seed: SEED, position: 64, previous: 0n, durable: 64 }, hasher)).toThrow(
    "changed or transferred",
  );
});
