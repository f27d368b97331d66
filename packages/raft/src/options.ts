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
  /** Data bytes in one AppendEntries; a larger single entry is sent alone. */
  readonly appendBytesMax?: number;
  /** AppendEntries on their way to one follower. */
  readonly inflightCountMax?: number;
  /** Data bytes on their way to one follower. */
  readonly inflightBytesMax?: number;
  /** Bytes of entries not yet committed, some 256 for each besides its data, beyond which a leader refuses proposals. */
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
  // Large enough to fill a fast link per message, small enough that a heartbeat never waits long behind one.
  appendBytesMax: mebibyte,
  // Bytes bound memory; the count only bounds bookkeeping.
  inflightCountMax: 256,
  inflightBytesMax: 16 * mebibyte,
  uncommittedBytesMax: 64 * mebibyte,
  entryBytesMax: 16 * mebibyte,
  cacheBytesMax: 64 * mebibyte,
  applyBytesMax: 4 * mebibyte,
  pendingReadsMax: 65_536,
};

const booleans = ["preVote", "checkQuorum"] as const;

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveRaftCoreOptions(options: RaftCoreOptions): RaftCoreConfig {
  const isOurs = ([name, value]: [string, unknown]): boolean => name in raftCoreDefaults && value !== undefined;
  const given = Object.fromEntries(Object.entries(options).filter(isOurs));
  const config: RaftCoreConfig = { ...raftCoreDefaults, ...given };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    if ((booleans as readonly string[]).includes(name)) {
      if (typeof value !== "boolean") problems.push(`${name} must be true or false`);
    } else if (!Number.isSafeInteger(value) || (value as number) < 1) {
      problems.push(`${name} must be a whole number above 0, not ${String(value)}`);
    }
  }
  if (config.electionTicks <= config.heartbeatTicks) {
    problems.push(`electionTicks (${config.electionTicks}) must exceed heartbeatTicks (${config.heartbeatTicks})`);
  }
  if (config.entryBytesMax > config.uncommittedBytesMax) {
    problems.push(`uncommittedBytesMax (${config.uncommittedBytesMax}) must be at least entryBytesMax (${config.entryBytesMax})`);
  }
  if (problems.length > 0) throw new RangeError(`Raft options: ${problems.join("; ")}.`);
  return config;
}
