/** Settings of the core. Every time is counted in ticks, whose length the driver chooses. */
export interface RaftCoreOptions {
  /** Ticks without a leader's word before a follower campaigns; the real timeout is random in `[n, 2n)`. */
  readonly electionTicks?: number;
  /** Ticks between a leader's heartbeats. */
  readonly heartbeatTicks?: number;
  /** Asks for a vote first without raising the term, so that a node that was cut off does not depose a working leader. */
  readonly preVote?: boolean;
  /** A leader that has not heard from a quorum for an election timeout steps down, and voters shield a live leader. */
  readonly checkQuorum?: boolean;
  /**
   * Ticks that this node waits on top of its election timeout before it campaigns: the lower its priority, the more. It orders elections
   * among nodes that could all win, and can neither prevent one nor stop one. At most 1,000.
   */
  readonly electionDelayTicks?: number;
  /**
   * A leader answers `lease` reads from its own state while a quorum shields it from rivals. Must be the same on every member, with the same
   * ticks, and needs `checkQuorum`. A node that starts then grants no vote for an election timeout, since it may have promised the shield.
   */
  readonly leaseReads?: boolean;
  /** By how much two members' clocks may differ in rate: the lease is shortened by this share. In `[0, 0.5]`. */
  readonly clockDriftMax?: number;
  /** A leader that a change has removed, or made a learner, steps down. Only the conformance tests turn it off. */
  readonly stepDownOnRemoval?: boolean;
  /** A change waits for the one before it, and must fit the configuration it is proposed in. Only the conformance tests turn it off. */
  readonly validateChanges?: boolean;
  /** Data bytes in one AppendEntries; a larger single entry is sent alone. */
  readonly appendBytesMax?: number;
  /** AppendEntries on their way to one follower. */
  readonly inflightCountMax?: number;
  /**
   * With this many AppendEntries on their way to a follower, the next waits until it is full or an answer comes. So what arrives meanwhile
   * goes out in one message: deep pipelines of small messages cost more than the wait.
   */
  readonly eagerAppendsMax?: number;
  /**
   * A new commit index goes out at once, if need be in a message of its own. Otherwise it waits for the next step, which under load has entries
   * to go with it. Only the conformance tests turn it on.
   */
  readonly eagerCommits?: boolean;
  /** Data bytes on their way to one follower. */
  readonly inflightBytesMax?: number;
  /**
   * Bytes of entries not yet committed, or committed and not yet applied here, some 256 for each besides its data, beyond which a leader refuses
   * proposals: so slow followers, a slow disk and a slow state machine all hold it back.
   */
  readonly uncommittedBytesMax?: number;
  /** Data bytes in one entry. */
  readonly entryBytesMax?: number;
  /** Bytes of recent entries kept in memory, some 256 for each besides its data. What is not durable and applied stays regardless. */
  readonly cacheBytesMax?: number;
  /** Data bytes of committed entries given to the state machine at once. */
  readonly applyBytesMax?: number;
  /** Reads that wait for a leader's confirmation. */
  readonly pendingReadsMax?: number;
}

/** {@link RaftCoreOptions} with everything decided. */
export type RaftCoreConfig = Readonly<Required<RaftCoreOptions>>;

const mebibyte = 1024 * 1024;

/** Why each value: see the comments. */
export const raftCoreDefaults: RaftCoreConfig = {
  // Ten heartbeats may be lost before anyone campaigns: the ratio that etcd has proven in the field.
  electionTicks: 10,
  heartbeatTicks: 1,
  preVote: true,
  checkQuorum: true,
  electionDelayTicks: 0,
  // Reads then depend on clocks; ReadIndex does not, and costs one round trip that all waiting reads share.
  leaseReads: false,
  // A thousand times what quartz does, for virtual machines that are slowed and sped up to follow a time server.
  clockDriftMax: 0.1,
  stepDownOnRemoval: true,
  validateChanges: true,
  // Large enough to fill a fast link per message, small enough that a heartbeat never waits long behind one.
  appendBytesMax: mebibyte,
  // Bytes bound memory; the count only bounds bookkeeping.
  inflightCountMax: 256,
  // Two keep a link busy while the follower writes; from there on batches pay. Measured by `pnpm bench raft`.
  eagerAppendsMax: 4,
  // Under load one message then does for two, and one step of the follower for two.
  eagerCommits: false,
  inflightBytesMax: 16 * mebibyte,
  uncommittedBytesMax: 64 * mebibyte,
  entryBytesMax: 16 * mebibyte,
  cacheBytesMax: 64 * mebibyte,
  applyBytesMax: 4 * mebibyte,
  pendingReadsMax: 65_536,
};

const booleans: readonly string[] = ["preVote", "checkQuorum", "leaseReads", "stepDownOnRemoval", "validateChanges", "eagerCommits"];
const electionDelayTicksMax = 1_000;
const clockDriftLimit = 0.5;

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveRaftCoreOptions(options: RaftCoreOptions): RaftCoreConfig {
  const isOurs = ([name, value]: [string, unknown]): boolean => name in raftCoreDefaults && value !== undefined;
  const given = Object.fromEntries(Object.entries(options).filter(isOurs));
  const config: RaftCoreConfig = { ...raftCoreDefaults, ...given };
  const problems = [...valueProblems(config), ...relationProblems(config)];
  if (problems.length > 0) throw new RangeError(`Raft options: ${problems.join("; ")}.`);
  return config;
}

function valueProblems(config: RaftCoreConfig): string[] {
  return Object.entries(config).flatMap(([name, value]) => {
    const problem = problemOf(name, value);
    return problem === null ? [] : [`${name} must be ${problem}`];
  });
}

/** What `value` should be; null if it is that. */
function problemOf(name: string, value: unknown): string | null {
  if (booleans.includes(name)) return typeof value === "boolean" ? null : "true or false";
  const isWhole = Number.isSafeInteger(value);
  const number = value as number;
  if (name === "clockDriftMax")
    return number >= 0 && number <= clockDriftLimit ? null : `from 0 to ${clockDriftLimit}, not ${String(value)}`;
  if (name === "electionDelayTicks") {
    const isFine = isWhole && number >= 0 && number <= electionDelayTicksMax;
    return isFine ? null : `a whole number from 0 to ${electionDelayTicksMax}, not ${String(value)}`;
  }
  return isWhole && number >= 1 ? null : `a whole number above 0, not ${String(value)}`;
}

function relationProblems(config: RaftCoreConfig): string[] {
  const problems: string[] = [];
  if (config.electionTicks <= config.heartbeatTicks) {
    problems.push(`electionTicks (${config.electionTicks}) must exceed heartbeatTicks (${config.heartbeatTicks})`);
  }
  if (config.entryBytesMax > config.uncommittedBytesMax) {
    problems.push(`uncommittedBytesMax (${config.uncommittedBytesMax}) must be at least entryBytesMax (${config.entryBytesMax})`);
  }
  if (config.leaseReads && !config.checkQuorum) problems.push("leaseReads needs checkQuorum: without it nobody shields the leader");
  return problems;
}
