import type { Profile } from "./explore.js";
import { plainWeights } from "./schedule.js";

/** Elections and the log alone, with every limit on messages within reach. */
export const logProfile: Profile = { weights: plainWeights, voters: [1, 2, 3, 4, 5], others: 0, actions: 250 };

/** Snapshots and compaction every few entries, and nodes that come back without what was compacted. */
export const snapshotProfile: Profile = {
  weights: { ...plainWeights, snapshot: 5, store: 4, crash: 2.5, restart: 5, partition: 2 },
  voters: [3, 4, 5],
  others: 0,
  actions: 300,
};

/** Voters and learners come and go, by joint consensus and one at a time, while leaders do too. */
export const membershipProfile: Profile = {
  weights: { ...plainWeights, change: 6, snapshot: 2, store: 2, transfer: 1, crash: 1.5, restart: 3 },
  voters: [1, 2, 3, 5],
  others: 2,
  actions: 300,
};

/** Reads everywhere, by lease and by quorum, while clocks drift as far as they may, and leadership moves. */
export const readProfile: Profile = {
  weights: {
    ...{ ...plainWeights, read: 14, transfer: 1.5, campaign: 2, bounce: 1.5, crash: 0.7, restart: 3 },
    ...{ partition: 0.5, isolate: 2, heal: 3, depose: 0.6, time: 16, settle: 6, tickAll: 1.5 },
  },
  voters: [3, 4, 5],
  others: 0,
  actions: 300,
  options: { checkQuorum: true, leaseReads: true, pendingReadsMax: 100 },
};

/** All of it at once. */
export const everythingProfile: Profile = {
  weights: {
    ...plainWeights,
    ...{ change: 4, snapshot: 3, store: 3, read: 6, transfer: 1.5, crash: 2, restart: 4, partition: 2, heal: 2, lose: 6, duplicate: 5 },
  },
  voters: [1, 2, 3, 4, 5],
  others: 2,
  actions: 350,
};
