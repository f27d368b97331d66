/** One figure beside its peer's, as `pnpm bench --json` writes it. */
export interface Row {
  /** `group/what`, stable across releases. */
  readonly name: string;
  /** The median of `samples`. */
  readonly value: number;
  readonly unit: string;
  /** Whom we compare with, and where its figure comes from; null where the goal is a figure of its own. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  readonly ratio: number | null;
  /** What was aimed at, as stated: a number in `unit`, or `null` where nothing was. */
  readonly goal: number | null;
  /** Whether more, or less, is better. */
  readonly better: "more" | "less";
  /** Null where there is no goal, or its peer is missing. */
  readonly met: boolean | null;
  readonly samples: readonly number[];
}

/** What a benchmark says of one figure; the rest of the {@link Row} follows from it. */
export type Figure = Pick<Row, "name" | "unit" | "samples" | "better"> & {
  readonly goal?: number;
  readonly peer?: { readonly name: string; readonly value: number | null };
};

/** Works out the median, the ratio and the verdict. */
export function rowOf({ name, unit, samples, better, goal, peer }: Figure): Row {
  const value = median(samples);
  const peerValue = peer?.value ?? null;
  const isMissing = peer !== undefined && peerValue === null;
  const met = goal === undefined || isMissing ? null : better === "more" ? value >= goal : value <= goal;
  return {
    name,
    value,
    unit,
    peer: peer?.name ?? null,
    peerValue,
    ratio: peerValue === null ? null : value / peerValue,
    goal: goal ?? null,
    better,
    met,
    samples,
  };
}

/** The middle of the sorted samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
