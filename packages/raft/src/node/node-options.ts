import type { RaftCoreOptions } from "../options.js";

/** Settings of a {@link RaftNode}: those of the core, and the driver's own. */
export interface RaftNodeOptions extends RaftCoreOptions {
  /** Length of a tick. Default 100: with ten ticks an election follows a leader's death after 1 to 2 seconds. */
  readonly tickMs?: number;
  /** How long calls wait when the caller sets no deadline. Default 10,000: several elections long. */
  readonly requestTimeoutMs?: number;
  /**
   * Proposals that wait for the next turn or the leader's word; reads that wait for theirs; other calls. Of each, what is beyond it is refused
   * with `BUSY`. Default 16,384.
   */
  readonly queuedProposalsMax?: number;
  /** Messages that wait for the next turn. Default 16,384; beyond it they are lost, as Raft allows. */
  readonly inboxMessagesMax?: number;
  /** A follower passes proposals on to the leader. Default true; otherwise it refuses them with `NOT_LEADER`. */
  readonly forwardProposals?: boolean;
  /** Entries applied since the last snapshot after which the next is taken. Default 100,000; 0 for never. */
  readonly snapshotEntries?: number;
  /** Bytes of entries applied since the last snapshot after which the next is taken. Default 256 MiB; 0 for never. */
  readonly snapshotBytes?: number;
  /** Entries before a snapshot that the log keeps for followers which are not far behind. Default 10,000. */
  readonly tailEntries?: number;
  /** Bytes per second at which a snapshot is written, and sent to each follower. Default 64 MiB: it must not starve the log; 0 for no limit. */
  readonly snapshotBytesPerSecond?: number;
  /** A snapshot that is taken, sent or received, and makes no progress for so long, is given up. Default 10,000. */
  readonly snapshotStallMs?: number;
  /** Rounds in which a new voter may catch up before it is given up. Default 10, as in the thesis §4.2.1. */
  readonly catchUpRounds?: number;
}

/** {@link RaftNodeOptions} of the driver alone, with everything decided. */
export interface RaftNodeConfig {
  readonly tickMs: number;
  readonly requestTimeoutMs: number;
  readonly queuedProposalsMax: number;
  readonly inboxMessagesMax: number;
  readonly forwardProposals: boolean;
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  readonly tailEntries: number;
  readonly snapshotBytesPerSecond: number;
  readonly snapshotStallMs: number;
  readonly catchUpRounds: number;
}

const mebibyte = 1024 * 1024;

/** The defaults; the reasons stand with the options. */
export const raftNodeDefaults: RaftNodeConfig = {
  tickMs: 100,
  requestTimeoutMs: 10_000,
  queuedProposalsMax: 16_384,
  inboxMessagesMax: 16_384,
  forwardProposals: true,
  snapshotEntries: 100_000,
  snapshotBytes: 256 * mebibyte,
  tailEntries: 10_000,
  snapshotBytesPerSecond: 64 * mebibyte,
  snapshotStallMs: 10_000,
  catchUpRounds: 10,
};

/** Durations may be fractions; what is counted may not. */
const durations: readonly string[] = ["tickMs", "requestTimeoutMs", "snapshotStallMs"];
const mayBeZero: readonly string[] = ["snapshotEntries", "snapshotBytes", "tailEntries", "snapshotBytesPerSecond"];

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveRaftNodeOptions(options: RaftNodeOptions): RaftNodeConfig {
  const isOurs = ([name, value]: [string, unknown]): boolean => name in raftNodeDefaults && value !== undefined;
  const config: RaftNodeConfig = { ...raftNodeDefaults, ...Object.fromEntries(Object.entries(options).filter(isOurs)) };
  const problems = Object.entries(config).flatMap(([name, value]) => problemOf(name, value));
  if (problems.length > 0) throw new RangeError(`Raft node options: ${problems.join("; ")}.`);
  return config;
}

function problemOf(name: string, value: unknown): string[] {
  if (name === "forwardProposals") return typeof value === "boolean" ? [] : [`${name} must be true or false`];
  const zero = mayBeZero.includes(name);
  const isWhole = durations.includes(name) || Number.isSafeInteger(value);
  if (typeof value === "number" && Number.isFinite(value) && isWhole && (value > 0 || (zero && value === 0))) return [];
  const kind = durations.includes(name) ? "" : "a whole number, ";
  return [`${name} must be ${kind}${zero ? "0 or more" : "above 0"}, not ${String(value)}`];
}
