import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWellFormed } from "../../src/core/well-formed.js";
import { decodeMessages, encodeMessages, type Message } from "../../src/index.js";
import { effort } from "../property/explore.js";
import { Seeded } from "../property/seeded.js";
import { join, message } from "../wire/generators.js";

const frames = effort > 1 ? 2_000_000 : 150_000;

/** Frames of all kinds of messages, as a peer sends them. */
function goodFrames(): Uint8Array[] {
  const batches = fc.sample(fc.array(message, { minLength: 1, maxLength: 5 }), { seed: 11, numRuns: 300 });
  return batches.map((batch) => join(encodeMessages(batch)));
}

/** Bits flip, bytes vanish and appear, lengths lie, and pieces of frames are put together. */
function spoil(random: Seeded, frame: Uint8Array, other: Uint8Array): Uint8Array {
  let spoilt = frame.slice();
  for (let again = 1 + random.below(3); again > 0; again--) {
    const at = random.below(spoilt.length);
    switch (random.below(6)) {
      case 0:
        spoilt[at] = (spoilt[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        spoilt[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        spoilt.fill(random.pick([0, 0xff]), at, at + random.pick([4, 8]));
        break;
      case 3:
        spoilt = spoilt.slice(0, Math.max(1, at));
        break;
      case 4:
        spoilt = Uint8Array.from([...spoilt.slice(0, at), ...random.bytes(random.below(9)), ...spoilt.slice(at)]);
        break;
      default:
        spoilt = Uint8Array.from([...spoilt.slice(0, at), ...other.slice(random.below(other.length))]);
    }
    if (spoilt.length === 0) return new Uint8Array(1);
  }
  return spoilt;
}

const bytesOf = (decoded: readonly Message[]): number =>
  decoded.reduce((sum, one) => {
    if (one.type === "AppendEntries") return sum + one.entries.reduce((bytes, entry) => bytes + entry.data.length, 0);
    return one.type === "ForwardProposals" ? sum + one.commands.reduce((bytes, command) => bytes + command.length, 0) : sum;
  }, 0);

describe("frames that were tampered with", () => {
  it("give a sentence, or just the messages that the frame stands for, well formed, and never an exception", { timeout: 300_000 }, () => {
    const random = new Seeded(5);
    const good = goodFrames();
    let refused = 0;
    for (let made = 0; made < frames; made++) {
      const frame = spoil(random, random.pick(good), random.pick(good));
      const decoded = decodeMessages(frame);
      if (typeof decoded === "string") {
        refused++;
        if (!/\.$/.test(decoded)) expect.fail(`no sentence: ${decoded}`);
        continue;
      }
      // There is one way to write each message, so what was taken reads back as it came.
      const again = join(encodeMessages(decoded));
      if (!decoded.every(isWellFormed) || bytesOf(decoded) > frame.length || Buffer.compare(again, frame) !== 0) {
        expect.fail(`frame ${made} was taken: ${Buffer.from(frame).toString("hex")}`);
      }
    }
    expect(refused).toBeGreaterThan(frames / 3);
    expect(refused).toBeLessThan(frames);
  });
});
