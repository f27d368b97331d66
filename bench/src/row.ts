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
  /** Where both were measured in turn, the median of the ratios round by round: it stands still when the machine's speed drifts. */
  readonly ratio: number | null;
  /** What was aimed at, as stated: a number in `unit`, or `null` where nothing was, or a ratio. */
  readonly goal: number | null;
  /** The ratio that was aimed at. */
  readonly goalRatio: number | null;
  /** Whether more, or less, is better. */
  readonly better: "more" | "less";
  /** Null where there is no goal, or its peer is missing. */
  readonly met: boolean | null;
  readonly samples: readonly number[];
}

/** What a benchmark says of one figure; the rest of the {@link Row} follows from it. */
export type Figure = Pick<Row, "name" | "unit" | "samples" | "better"> & {
  readonly goal?: number;
  /** Needs the peer's samples, one for each of ours, measured in turn. */
  readonly goalRatio?: number;
  readonly peer?: { readonly name: string } & ({ readonly value: number | null } | { readonly samples: readonly number[] });
};

/** Works out the median, the ratio and the verdict. */
export function rowOf({ name, unit, samples, better, goal, goalRatio, peer }: Figure): Row {
  const value = median(samples);
  const { peerValue, ratio } = beside(samples, peer);
  const isMissing = peer !== undefined && peerValue === null;
  const [reached, wanted] = goalRatio === undefined ? [value, goal ?? null] : [ratio, goalRatio];
  const met = reached === null || wanted === null || isMissing ? null : better === "more" ? reached >= wanted : reached <= wanted;
  return {
    name,
    value,
    unit,
    peer: peer?.name ?? null,
    peerValue,
    ratio,
    goal: goal ?? null,
    goalRatio: goalRatio ?? null,
    better,
    met,
    samples,
  };
}

function beside(samples: readonly number[], peer: Figure["peer"]): Pick<Row, "peerValue" | "ratio"> {
  if (peer === undefined) return { peerValue: null, ratio: null };
  if ("value" in peer) return { peerValue: peer.value, ratio: peer.value === null ? null : median(samples) / peer.value };
  if (peer.samples.length === 0) return { peerValue: null, ratio: null };
  if (peer.samples.length !== samples.length) throw new Error(`${peer.name} has another number of rounds than we.`);
  return { peerValue: median(peer.samples), ratio: median(samples.map((sample, round) => sample / (peer.samples[round] as number))) };
}

/** The middle of the sorted samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
