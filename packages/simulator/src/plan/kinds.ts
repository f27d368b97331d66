/** What may befall processes and machines. */
export const processFaults = ["power", "kill", "close", "pause", "blackout", "powerAtCommit", "powerAtElection", "crashLoop"] as const;

/** What may befall the network. */
export const networkFaults = [
  "halves",
  "isolate",
  "deaf",
  "mute",
  "bridge",
  "chain",
  "majorityRing",
  "clog",
  "swizzleClog",
  "loss",
  "duplication",
  "narrowPath",
  "resetStream",
  "halfOpen",
] as const;

/** What may befall clocks. */
export const clockFaults = ["skew", "wallStep"] as const;

/** What disks may do that they own up to; whoever is hit stops, and runs on once it is started again. */
export const diskFaults = ["slowDisk", "latency", "ioError", "failedSync", "shortWrite", "diskFull", "tooManyFiles", "rotOnRead"] as const;

/** What disks may do that costs a member its log for good. The atlas keeps such members to a minority. */
export const damagingFaults = ["rotAtRest", "misdirectedWrite", "wipedDisk"] as const;

/** What an operator may do wrong; the nodes must refuse. */
export const operatorFaults = ["staleBackup", "swappedDisks", "lostLog", "lostSegment", "duplicateNode"] as const;

export type FaultKind =
  | (typeof processFaults)[number]
  | (typeof networkFaults)[number]
  | (typeof clockFaults)[number]
  | (typeof diskFaults)[number]
  | (typeof damagingFaults)[number]
  | (typeof operatorFaults)[number];

/** Every kind of fault. */
export const faultKinds: readonly FaultKind[] = [
  ...processFaults,
  ...networkFaults,
  ...clockFaults,
  ...diskFaults,
  ...damagingFaults,
  ...operatorFaults,
];

/** What an operator may ask for that leaves the voters as they are. */
export const harmlessChanges = ["transfer", "campaign", "snapshot"] as const;

export type ChangeKind = "learner" | "voter" | "demote" | "remove" | "replace" | (typeof harmlessChanges)[number];

/** What an operator may ask for while a run goes on. */
export const changeKinds: readonly ChangeKind[] = ["learner", "voter", "demote", "remove", "replace", ...harmlessChanges];

/** Whether a fault costs a member its log: then the others must suffice, and so nobody changes the membership besides. */
export const isDamaging = (kind: FaultKind): boolean => (damagingFaults as readonly string[]).includes(kind) || kind === "staleBackup";
