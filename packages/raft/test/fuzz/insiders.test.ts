import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/index.js";
import type { ClusterSetup } from "../property/cluster.js";
import { effort } from "../property/explore.js";
import type { Judge } from "../property/oracle.js";
import { lie, mutated } from "./hostile.js";
import { BesiegedCluster, besiege, type Siege } from "./siege.js";

const messages = effort > 1 ? 3_000_000 : 300_000;

/**
 * Members that lie within the protocol can have a group commit what they like: Raft promises nothing against that, and this judge asks for
 * nothing of the kind. What stays true of each honest replica by itself, the replicas check.
 */
const unconcerned = (founding: Configuration): Judge => ({
  committed: [],
  committedIndex: 0,
  latest: { index: 0, configuration: founding },
  ...{ written: nothing, sent: nothing, elected: nothing, commits: nothing, applied: nothing, snapshotted: nothing, configured: nothing },
});
const nothing = (): void => undefined;

class BetrayedCluster extends BesiegedCluster {
  constructor(setup: ClusterSetup) {
    super(setup, { createOracle: unconcerned });
  }
}

function shootLies(siege: Siege): void {
  const target = siege.victim();
  if (target === null) return;
  const { replica } = target;
  const volley = Array.from({ length: 1 + siege.random.below(16) }, () => {
    const victim = { ...target.victim, status: replica.status };
    const real = siege.random.chance(0.4) ? siege.replay() : null;
    return real === null ? lie(victim) : { ...mutated(victim, real), to: replica.id };
  });
  for (const message of volley) {
    if (message.type !== "InstallSnapshot") replica.receive(message);
    // Its data is stored before the core gets to know. Two that differ under one index are beyond what a disk can bear.
    else if (!replica.disk.snapshots.has(message.snapshot.index)) replica.receiveSnapshot(message, { metadata: message.snapshot, hash: 0 });
  }
  siege.injected += volley.length;
  replica.step();
}

describe("hostile input from members", () => {
  it("never makes a replica throw, cut what it has committed, or go back in its term or commit index", { timeout: 600_000 }, () => {
    const run = (siege: Siege): void => {
      siege.live(siege.random.below(6));
      shootLies(siege);
    };
    const stillThere = ({ cluster }: Siege): void => {
      for (const replica of cluster.replicas) replica.step();
    };
    const seen = besiege({ count: messages, perSiege: 10_000, Cluster: BetrayedCluster }, run, stillThere);
    expect(seen.get("injected")).toBeGreaterThanOrEqual(messages);
    for (const event of ["truncate", "commit", "snapshot restored", "appendRefused", "drop secondLeader", "drop malformed"]) {
      expect(seen.get(event) ?? 0, event).toBeGreaterThan(20);
    }
  });
});
