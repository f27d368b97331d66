import type { RaftCoreOptions } from "../options.js";

/** Settings of a {@link RaftNode}: those of the core, and the driver's own. */
export interface RaftNodeOptions extends RaftCoreOptions {
  /** Length of a tick. Default 100: with ten ticks an election follows a leader's death after 1 to 2 seconds. */
  readonly tickMs?: number;
  /** How long `propose` and `readIndex` wait when the caller sets no deadline. Default 10,000: several elections long. */
  readonly requestTimeoutMs?: number;
  /** Proposals that wait for the next turn. Default 16,384; beyond it `propose` refuses with `BUSY`. */
  readonly queuedProposalsMax?: number;
  /** Messages that wait for the next turn. Default 16,384; beyond it they are lost, as Raft allows. */
  readonly inboxMessagesMax?: number;
}

export interface RaftNodeConfig {
  readonly tickMs: number;
  readonly requestTimeoutMs: number;
  readonly queuedProposalsMax: number;
  readonly inboxMessagesMax: number;
}

export const raftNodeDefaults: RaftNodeConfig = {
  tickMs: 100,
  requestTimeoutMs: 10_000,
  queuedProposalsMax: 16_384,
  inboxMessagesMax: 16_384,
};

/** Fills in defaults and checks. @throws RangeError that lists every problem at once. */
export function resolveRaftNodeOptions(options: RaftNodeOptions): RaftNodeConfig {
  const config: RaftNodeConfig = {
    tickMs: options.tickMs ?? raftNodeDefaults.tickMs,
    requestTimeoutMs: options.requestTimeoutMs ?? raftNodeDefaults.requestTimeoutMs,
    queuedProposalsMax: options.queuedProposalsMax ?? raftNodeDefaults.queuedProposalsMax,
    inboxMessagesMax: options.inboxMessagesMax ?? raftNodeDefaults.inboxMessagesMax,
  };
  const problems = Object.entries(config)
    .filter(([, value]) => !Number.isFinite(value) || value <= 0)
    .map(([name, value]) => `${name} must be above 0, not ${String(value)}`);
  if (problems.length > 0) throw new RangeError(`Raft node options: ${problems.join("; ")}.`);
  return config;
}
