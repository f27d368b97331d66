import { describe, expect, it } from "vitest";
import { effort } from "../property/explore.js";
import { promise } from "../property/violation.js";
import { harmless } from "./hostile.js";
import { inert } from "./inert.js";
import { BesiegedCluster, besiege, type Siege } from "./siege.js";

/** What a group of honest members hears: the impossible, the malformed, strangers, the past, and itself, again and again. */
const messages = effort > 1 ? 7_000_000 : 700_000;

function shootInert(siege: Siege): void {
  const target = siege.victim();
  if (target === null) return;
  const { replica, victim } = target;
  // Whatever it was about to do anyway comes first; a write without a flush sets free what waits for it only in the next step.
  for (let step = 0; step < 3; step++) replica.step();
  const volley = Array.from({ length: 1 + siege.random.below(60) }, () => inert({ ...victim, status: replica.status }));
  const { cluster } = siege;
  const dropsBefore = cluster.drops();
  const before = JSON.stringify(replica.status);
  const parcels = cluster.parcels.length;
  siege.shoot(replica, volley);
  promise(JSON.stringify(replica.status) === before && cluster.parcels.length === parcels, () => {
    return `one of these was not dropped without a trace: ${JSON.stringify(volley)}\n${before}\n${JSON.stringify(replica.status)}`;
  });
  promise(cluster.drops() === dropsBefore + volley.length, () => `one of these was not counted as dropped: ${JSON.stringify(volley)}`);
}

function shootHarmless(siege: Siege): void {
  const target = siege.victim();
  if (target === null) return;
  const { replica, victim } = target;
  const volley = Array.from({ length: 1 + siege.random.below(12) }, () => harmless(victim));
  siege.shoot(replica, volley);
}

/** What was really sent once comes again, in any order, to one of them. */
function shootReplays(siege: Siege): void {
  const target = siege.victim();
  if (target === null) return;
  const again = Array.from({ length: 1 + siege.random.below(20) }, () => siege.replay());
  const ours = again.flatMap((message) => (message?.to === target.replica.id ? [message] : []));
  siege.shoot(target.replica, ours);
}

describe("hostile input from outside the group", () => {
  it("is counted and dropped, changes no commit, and leaves a group that works", { timeout: 600_000 }, () => {
    const run = (siege: Siege): void => {
      siege.live(siege.random.below(10));
      shootInert(siege);
      shootInert(siege);
      shootHarmless(siege);
      shootReplays(siege);
    };
    const seen = besiege({ count: messages, perSiege: 20_000, Cluster: BesiegedCluster }, run, ({ cluster }) => cluster.recover(900));
    expect(seen.get("injected")).toBeGreaterThanOrEqual(messages);
    for (const reason of ["malformed", "notForUs", "unknownSender", "staleTerm", "secondLeader", "unexpected", "leaderIsAlive"]) {
      expect(seen.get(`drop ${reason}`) ?? 0, reason).toBeGreaterThan(1000);
    }
    expect(seen.get("commit")).toBeGreaterThan(1000);
  });
});
