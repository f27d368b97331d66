import { describe, expect, it } from "vitest";
import { createRaftMetrics, type Message, type RaftMetrics, type RaftStatus, type TraceEvent } from "../../src/index.js";
import { SimulatedCluster } from "../property/cluster.js";
import { scheduleOf } from "../property/explore.js";
import { everythingProfile } from "../property/profiles.js";
import { act } from "../property/schedule.js";
import { RecordedMetrics } from "./recorded-metrics.js";

const configuration = { voters: [1, 2, 3], votersOutgoing: [4], learners: [5], learnersNext: [], autoLeave: false };
const drop = (type: string): TraceEvent => {
  return { type: "drop", reason: "malformed", message: { type, group: 0, from: 2, to: 1, term: 1 } as unknown as Message };
};

function recorded(): { metrics: RecordedMetrics; raft: RaftMetrics; of: (name: string) => number } {
  const metrics = new RecordedMetrics();
  const raft = createRaftMetrics(metrics, { node: "n1" });
  return { metrics, raft, of: (name) => metrics.of(name.replace("{", `{node="n1",`).replace(/^([^{]+)$/, '$1{node="n1"}')) };
}

/** One node's metrics, and its events counted by hand. */
class Measured {
  readonly metrics: RecordedMetrics = new RecordedMetrics();
  readonly tally = new Map<string, number>();
  readonly #raft = createRaftMetrics(this.metrics);

  take(event: TraceEvent): void {
    this.#raft.observe(event);
    const count = (name: string, amount = 1): void => void this.tally.set(name, (this.tally.get(name) ?? 0) + amount);
    if (event.type === "drop") count(`octopii_raft_drops_total{reason="${event.reason}"}`);
    if (event.type === "campaign") count(`octopii_raft_campaigns_total{ballot="${event.ballot}",kind="${event.kind}"}`);
    if (event.type === "role" && event.role === "leader") count("octopii_raft_elections_won_total{}");
    if (event.type === "proposalsDropped") count(`octopii_raft_proposals_dropped_total{reason="${event.refusal}"}`, event.count);
    if (event.type === "append") count("octopii_raft_append_batch_entries{}");
    if (event.type === "append") for (const { kind } of event.entries) count(`octopii_raft_entries_appended_total{kind="${kind}"}`);
    if (event.type === "truncate") count("octopii_raft_entries_truncated_total{}", event.lastIndex - event.index + 1);
    if (event.type === "snapshot") count(`octopii_raft_snapshots_total{phase="${event.phase}"}`);
    if (event.type === "configuration") count('octopii_raft_changes_total{step="applied"}');
    if (event.type === "changeRefused") count(`octopii_raft_changes_refused_total{reason="${event.refusal}"}`);
  }
}

describe("raft metrics", () => {
  it("agree with the replicas and with a count by hand, through random schedules", () => {
    let compared = 0;
    for (let seed = 1; seed <= 15; seed++) {
      const { setup, actions } = scheduleOf(seed, everythingProfile);
      const measured = new Map<number, Measured>();
      const onEvent = (id: number, event: TraceEvent): void => {
        const one = measured.get(id) ?? new Measured();
        measured.set(id, one);
        one.take(event);
      };
      const cluster = new SimulatedCluster(setup, { onEvent });
      for (const action of actions) act(cluster, action);
      cluster.recover(900);
      for (const { id, status } of cluster.replicas) {
        const { metrics, tally } = measured.get(id) ?? new Measured();
        for (const [key, times] of tally) expect(metrics.of(key), key).toBe(times);
        compared += tally.size;
        const gauges = {
          term: metrics.of("octopii_raft_term{}"),
          leader: metrics.of("octopii_raft_leader_id{}"),
          last: metrics.of("octopii_raft_last_index{}"),
          compacted: metrics.of("octopii_raft_compacted_index{}"),
          role: metrics.of(`octopii_raft_role{role="${status.role}"}`),
        };
        const { currentTerm: term, leaderId: leader, lastIndex: last, compactedIndex: compacted } = status;
        expect(gauges, `seed ${seed}, node ${id}`).toEqual({ term, leader, last, compacted, role: 1 });
      }
    }
    expect(compared).toBeGreaterThan(400);
  });

  it("have names and labels as Prometheus wants them, all made at once, whatever peers send", () => {
    const { metrics, raft } = recorded();
    const made = metrics.kinds.size;
    for (const type of ["Nonsense", "__proto__", "constructor", "Heartbeat"]) raft.observe(drop(type));
    expect(metrics.kinds.size).toBe(made);
    for (const [key, kind] of metrics.kinds) {
      expect(key).toMatch(/^octopii_raft_[a-z_]+\{.*node="n1".*\}$/);
      const name = key.slice(0, key.indexOf("{"));
      expect(name.endsWith("_total"), key).toBe(kind === "counter");
    }
    expect(metrics.of('octopii_raft_dropped_messages_total{node="n1",type="unknown"}')).toBe(3);
    expect(metrics.of('octopii_raft_dropped_messages_total{node="n1",type="Heartbeat"}')).toBe(1);
    expect(metrics.of('octopii_raft_drops_total{node="n1",reason="malformed"}')).toBe(4);
  });

  it("count what the driver tells besides: what was applied, restored, and that it stopped", () => {
    const { raft, of } = recorded();
    const entry = { term: 1, kind: "command", data: new Uint8Array(1) } as const;
    raft.observe({
      type: "applied",
      entries: [
        { ...entry, index: 4 },
        { ...entry, index: 5 },
      ],
    });
    expect([of("octopii_raft_entries_applied_total"), of("octopii_raft_applied_index")]).toEqual([2, 5]);
    raft.observe({ type: "restored", snapshot: { index: 90, term: 2, configuration } });
    expect(of("octopii_raft_applied_index")).toBe(90);
    raft.observe({ type: "stopped", error: new Error("EIO") });
    expect(of("octopii_raft_stopped")).toBe(1);
  });

  it("count a change of the leader once, not its absence in between", () => {
    const { raft, of } = recorded();
    for (const leaderId of [2, 0, 2, 0, 3, 3]) raft.observe({ type: "leader", term: 4, leaderId });
    expect(of("octopii_raft_leader_changes_total")).toBe(2);
    expect(of("octopii_raft_leader_id")).toBe(3);
  });

  it("take from a status what no event tells", () => {
    const { raft, of } = recorded();
    const peer = {
      isLearner: false,
      nextIndex: 9,
      recentlyActive: true,
      paused: false,
      pendingSnapshot: 0,
      inflight: 0,
      isInflightFull: false,
    };
    const indexes = { compactedIndex: 2, lastIndex: 30, durableIndex: 29, commitIndex: 28, appliedIndex: 27, snapshotIndex: 20 };
    const status: RaftStatus = {
      ...{ id: 1, role: "leader", currentTerm: 6, votedFor: 1, leaderId: 1, configuration, transferTarget: 0, ...indexes },
      progress: [
        { ...peer, id: 1, matchIndex: 29, state: "replicate" },
        { ...peer, id: 2, matchIndex: 30, state: "replicate" },
        { ...peer, id: 3, matchIndex: 4, state: "snapshot" },
        { ...peer, id: 5, matchIndex: 25, state: "probe" },
      ],
    };
    raft.sample(status);
    const part = (name: string): number => of(`octopii_raft_members{part="${name}"}`);
    expect(["voter", "outgoingVoter", "learner", "nextLearner"].map(part)).toEqual([3, 1, 1, 0]);
    const state = (name: string): number => of(`octopii_raft_followers{state="${name}"}`);
    expect(["probe", "replicate", "snapshot"].map(state)).toEqual([1, 1, 1]);
    expect(of("octopii_raft_follower_lag_entries_max")).toBe(26);
    expect([of("octopii_raft_durable_index"), of("octopii_raft_snapshot_index"), of("octopii_raft_term")]).toEqual([29, 20, 6]);
  });
});
