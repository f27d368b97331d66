import type { Counter, Gauge, Histogram, MetricLabels, Metrics } from "@octopii/interfaces";
import type { ChangeRefusal, ProposalRefusal } from "../core/input-output.js";
import type { ReplicationState } from "../core/progress.js";
import type { MessageType } from "../messages.js";
import type { Ballot, CampaignObstacle, DropReason, ProgressCause } from "../trace.js";
import type { EntryKind, Role } from "../types.js";
import * as values from "./label-values.js";

type Counters<Value extends string> = Readonly<Record<Value, Counter>>;
type Gauges<Value extends string> = Readonly<Record<Value, Gauge>>;
type ByBallot<Value extends string> = Readonly<Record<Ballot, Counters<Value>>>;

/** Makes the instruments of one replica. All of them at once: recording then allocates nothing, and a scrape shows what never happened as 0. */
export class Instruments {
  readonly role: Gauges<Role>;
  readonly members: Gauges<values.MemberPart>;
  readonly followers: Gauges<ReplicationState>;
  readonly term: Gauge;
  readonly leaderId: Gauge;
  readonly lastIndex: Gauge;
  readonly durableIndex: Gauge;
  readonly commitIndex: Gauge;
  readonly appliedIndex: Gauge;
  readonly compactedIndex: Gauge;
  readonly snapshotIndex: Gauge;
  readonly configurationIndex: Gauge;
  readonly followerLag: Gauge;
  readonly stopped: Gauge;

  readonly campaigns: ByBallot<"timeout" | "transfer">;
  readonly campaignsRefused: Counters<CampaignObstacle>;
  readonly electionsWon: Counter;
  readonly leaderChanges: Counter;
  readonly laterTerms: Counter;
  readonly votes: ByBallot<"granted" | "refused">;
  readonly votesCounted: ByBallot<"granted" | "refused">;
  readonly candidatesShielded: Counters<Ballot>;
  readonly quorumsLost: Counter;
  readonly transfers: Counters<values.TransferPhase>;

  readonly entriesAppended: Counters<EntryKind>;
  readonly bytesAppended: Counter;
  readonly entriesTruncated: Counter;
  readonly entriesCommitted: Counter;
  readonly entriesApplied: Counter;
  readonly appendsRefused: Counter;
  readonly appendsRejected: Counter;
  readonly progress: Counters<ProgressCause>;
  readonly proposalsDropped: Counters<ProposalRefusal>;
  readonly appendBatch: Histogram;
  readonly commitBatch: Histogram;

  readonly changes: Counters<values.ChangeStep>;
  readonly changesRefused: Counters<ChangeRefusal>;
  readonly snapshots: Counters<values.SnapshotPhase>;
  readonly compactions: Counter;
  readonly drops: Counters<DropReason>;
  readonly droppedMessages: Counters<MessageType | "unknown">;

  constructor(metrics: Metrics, labels: MetricLabels) {
    const full = (name: string): string => `octopii_raft_${name}`;
    const gauge = (name: string): Gauge => metrics.gauge(full(name), labels);
    const counter = (name: string): Counter => metrics.counter(full(name), labels);
    const gauges = <Value extends string>(name: string, label: string, all: values.Values<Value>): Gauges<Value> =>
      mapValues(all, (value) => metrics.gauge(full(name), { ...labels, [label]: value }));
    const counters = <Value extends string>(
      name: string,
      label: string,
      all: values.Values<Value>,
      more: MetricLabels = {},
    ): Counters<Value> => mapValues(all, (value) => metrics.counter(full(name), { ...labels, ...more, [label]: value }));
    const byBallot = <Value extends string>(name: string, label: string, all: values.Values<Value>): ByBallot<Value> =>
      mapValues(values.ballots, (ballot) => counters(name, label, all, { ballot }));

    this.role = gauges("role", "role", values.roles);
    this.members = gauges("members", "part", values.memberParts);
    this.followers = gauges("followers", "state", values.replicationStates);
    this.term = gauge("term");
    this.leaderId = gauge("leader_id");
    this.lastIndex = gauge("last_index");
    this.durableIndex = gauge("durable_index");
    this.commitIndex = gauge("commit_index");
    this.appliedIndex = gauge("applied_index");
    this.compactedIndex = gauge("compacted_index");
    this.snapshotIndex = gauge("snapshot_index");
    this.configurationIndex = gauge("configuration_index");
    this.followerLag = gauge("follower_lag_entries_max");
    this.stopped = gauge("stopped");

    this.campaigns = byBallot("campaigns_total", "kind", values.campaignKinds);
    this.campaignsRefused = counters("campaigns_refused_total", "obstacle", values.obstacles);
    this.electionsWon = counter("elections_won_total");
    this.leaderChanges = counter("leader_changes_total");
    this.laterTerms = counter("later_terms_total");
    this.votes = byBallot("votes_total", "verdict", values.verdicts);
    this.votesCounted = byBallot("votes_counted_total", "verdict", values.verdicts);
    this.candidatesShielded = counters("candidates_shielded_total", "ballot", values.ballots);
    this.quorumsLost = counter("quorums_lost_total");
    this.transfers = counters("transfers_total", "phase", values.transferPhases);

    this.entriesAppended = counters("entries_appended_total", "kind", values.entryKinds);
    this.bytesAppended = counter("appended_bytes_total");
    this.entriesTruncated = counter("entries_truncated_total");
    this.entriesCommitted = counter("entries_committed_total");
    this.entriesApplied = counter("entries_applied_total");
    this.appendsRefused = counter("appends_refused_total");
    this.appendsRejected = counter("appends_rejected_total");
    this.progress = counters("progress_total", "cause", values.progressCauses);
    this.proposalsDropped = counters("proposals_dropped_total", "reason", values.proposalRefusals);
    this.appendBatch = metrics.histogram(full("append_batch_entries"), labels);
    this.commitBatch = metrics.histogram(full("commit_batch_entries"), labels);

    this.changes = counters("changes_total", "step", values.changeSteps);
    this.changesRefused = counters("changes_refused_total", "reason", values.changeRefusals);
    this.snapshots = counters("snapshots_total", "phase", values.snapshotPhases);
    this.compactions = counter("compactions_total");
    this.drops = counters("drops_total", "reason", values.dropReasons);
    this.droppedMessages = counters("dropped_messages_total", "type", values.messageTypes);
  }
}

function mapValues<Value extends string, Result>(
  all: values.Values<Value>,
  make: (value: Value) => Result,
): Readonly<Record<Value, Result>> {
  const names = Object.keys(all) as Value[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Value, Result>;
}
