import { type ChangeKind, changeKinds, damagingFaults, type FaultKind, faultKinds, harmlessChanges, operatorFaults } from "./kinds.js";

/** What the seeds of a run may draw from. */
export interface Profile {
  readonly name: string;
  /** For people. */
  readonly summary: string;
  readonly sizes: readonly number[];
  readonly faults: readonly FaultKind[];
  readonly changes: readonly ChangeKind[];
  /** Whether every seed may draw faults that cost a member its log; otherwise one in four may. */
  readonly damageAlways: boolean;
  readonly operations: readonly [least: number, most: number];
  /** A run of so many seeds must hit every mark; Infinity for a profile that cannot hit all. */
  readonly marksFromSeeds: number;
}

const everything: Profile = {
  name: "swarm",
  summary: "everything: sizes 1 to 7, all faults, membership, snapshots, tiny limits",
  sizes: [1, 3, 3, 3, 3, 3, 3, 5, 5, 7],
  faults: faultKinds,
  changes: changeKinds,
  damageAlways: false,
  operations: [100, 300],
  marksFromSeeds: Number.POSITIVE_INFINITY,
};

const without = (...left: readonly FaultKind[]): FaultKind[] => faultKinds.filter((kind) => !left.includes(kind));

/** Every profile, by name. */
export const profiles: Readonly<Record<string, Profile>> = {
  swarm: everything,
  nightly: {
    ...everything,
    name: "nightly",
    summary: "as swarm; 1,000 seeds or more must hit every mark",
    operations: [100, 500],
    marksFromSeeds: 1_000,
  },
  steady: {
    ...everything,
    name: "steady",
    summary: "fixed membership: crashes, partitions, clocks",
    faults: without(...damagingFaults, ...operatorFaults),
    changes: harmlessChanges,
  },
  membership: {
    ...everything,
    name: "membership",
    summary: "members come and go while processes die and networks part",
    faults: without(...damagingFaults, ...operatorFaults, "staleBackup"),
  },
  disks: {
    ...everything,
    name: "disks",
    summary: "failing, full, slow and rotten disks, and operators who mix them up",
    sizes: [1, 3, 3, 3, 5],
    faults: [
      "power",
      "kill",
      "blackout",
      "powerAtCommit",
      "slowDisk",
      "latency",
      "ioError",
      "failedSync",
      "shortWrite",
      "diskFull",
      "tooManyFiles",
      "rotOnRead",
      ...damagingFaults,
      ...operatorFaults,
    ],
    changes: harmlessChanges,
    damageAlways: true,
  },
  calm: {
    ...everything,
    name: "calm",
    summary: "no faults at all: what fails here is no matter of bad luck",
    faults: [],
    changes: harmlessChanges,
  },
};

/** @throws {RangeError} naming those that there are. */
export function profileOf(name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile;
  throw new RangeError(`there is no profile ${name}: choose one of ${Object.keys(profiles).join(", ")}`);
}
