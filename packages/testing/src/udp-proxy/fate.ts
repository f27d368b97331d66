import type { SeededRandom } from "../random/seeded-random.js";
import type { UdpFaults } from "./options.js";

/** One copy of a datagram that arrives. */
export interface Arrival {
  readonly delayMs: number;
  /** Where a byte is changed, and by which bits; null for a copy that is whole. */
  readonly damage: { readonly at: number; readonly bits: number } | null;
}

const million = 1_000_000;

/** What becomes of a datagram of `length` bytes: no arrival, one or two. */
export function fateOf(length: number, faults: UdpFaults, random: SeededRandom): readonly Arrival[] {
  if (random.chance(faults.lossPerMillion, million)) return [];
  const copies = random.chance(faults.duplicatePerMillion, million) ? 2 : 1;
  return Array.from({ length: copies }, () => arrival(length, faults, random));
}

function arrival(length: number, { minDelayMs, maxDelayMs, corruptPerMillion }: UdpFaults, random: SeededRandom): Arrival {
  const delayMs = random.between(minDelayMs, maxDelayMs);
  const isDamaged = length > 0 && random.chance(corruptPerMillion, million);
  return { delayMs, damage: isDamaged ? { at: random.below(length), bits: random.between(1, 255) } : null };
}

/** The datagram as it arrives. */
export function delivered(datagram: Uint8Array, { damage }: Arrival): Uint8Array {
  const copy = datagram.slice();
  if (damage !== null) copy[damage.at] = (copy[damage.at] ?? 0) ^ damage.bits;
  return copy;
}
