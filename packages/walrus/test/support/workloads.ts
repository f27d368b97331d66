import type { BatchOperation } from "../../src/index.js";
import { payload } from "./model.js";

/** Entries that a cursor consumes. */
export interface Consumption {
  readonly topic: string;
  readonly cursor: string;
  readonly count: number;
}

/** Calls that are made without waiting for one another; `reopen` closes the log and opens it again; `flush` is a barrier. */
export type Burst = readonly (readonly BatchOperation[])[] | "reopen" | "flush" | Consumption;

/** Many topics, batches over several of them, entries short and long, segments that fill up. */
export const manyTopics: readonly Burst[] = [
  [[{ topic: "a", append: [payload("a1"), payload("a2")] }]],
  [
    [{ topic: "a", append: [payload("a3", 700)] }],
    [
      { topic: "b", append: [payload("b1", 300)] },
      { topic: "c", append: [new Uint8Array(0)] },
      { topic: "a", append: [payload("a4", 100)] },
    ],
    [{ topic: "c", append: [payload("c2", 40)] }],
  ],
  [[{ topic: "b", append: [payload("b2", 2500)] }]],
  [[{ topic: "d", append: [payload("d1", 900), payload("d2", 10)] }], [{ topic: "a", append: [payload("a5", 30)] }]],
  [[{ topic: "b", append: [payload("b3", 600)] }], [{ topic: "e", truncateFront: 41 }], [{ topic: "e", append: [payload("e41", 60)] }]],
  "reopen",
  [[{ topic: "a", append: [payload("a6", 1800)] }], [{ topic: "f", append: [payload("f1", 1900)] }]],
  [[{ topic: "b", append: [payload("b4", 5000)] }]],
  [[{ topic: "c", append: [payload("c3", 80)] }]],
];

function hardState(term: number): BatchOperation[] {
  return [
    { topic: "hard", append: [payload(`term ${term}`, 24)] },
    { topic: "hard", truncateFront: term },
  ];
}

/** What a Raft node does: entries with hard state, conflicts that cut the end, snapshots that cut the front, old segments that go. */
export const raftLike: readonly Burst[] = [
  [hardState(1), [{ topic: "log", append: [1, 2, 3, 4, 5].map((index) => payload(`1.${index}`, 500)) }]],
  [[{ topic: "log", append: [payload("1.6", 400), payload("1.7", 400)] }], hardState(2)],
  [
    [
      { topic: "log", truncateBack: 5 },
      { topic: "log", append: [payload("2.5", 300), payload("2.6", 300)] },
      { topic: "hard", append: [payload("vote", 24)] },
    ],
  ],
  [[{ topic: "log", append: [payload("2.7", 1500)] }], [{ topic: "log", truncateFront: 6 }]],
  [[{ topic: "log", append: [payload("2.8", 1500)] }], hardState(5)],
  [[{ topic: "log", truncateFront: 8 }], [{ topic: "log", append: [payload("2.9", 1200)] }]],
  [
    [
      { topic: "log", truncateFront: 100 },
      { topic: "log", append: [payload("3.100", 900)] },
    ],
  ],
  "reopen",
  [[{ topic: "log", append: [payload("3.101", 2400)] }], hardState(7)],
  [[{ topic: "log", truncateBack: 100 }], [{ topic: "log", append: [payload("4.100", 2000)] }]],
  [[{ topic: "log", truncateFront: 101 }], hardState(8)],
  [[{ topic: "log", append: [payload("4.101", 1000)] }]],
];

const busy = (from: number, count: number): Burst[] =>
  Array.from({ length: count }, (_, at) => [
    [
      { topic: "busy", append: [payload(`b${from + at}`, 1300)] },
      { topic: "busy", truncateFront: Math.max(1, from + at - 1) },
    ],
  ]);

/** One topic hardly moves while another runs through segment after segment: its entries are moved, and cut while they are. */
export const slowAndBusy: readonly Burst[] = [
  [[{ topic: "slow", append: [payload("s1", 50), payload("s2", 400), payload("s3", 10)] }]],
  ...busy(1, 7),
  [[{ topic: "slow", append: [payload("s4", 90)] }]],
  ...busy(8, 5),
  [[{ topic: "slow", truncateBack: 3 }], [{ topic: "slow", append: [payload("s3 again", 20)] }]],
  ...busy(13, 5),
  "reopen",
  [[{ topic: "slow", truncateFront: 2 }]],
  ...busy(18, 6),
];

const step = (at: number): Burst => [[{ topic: "jobs", append: [payload(`j${at}`, 200), payload(`k${at}`, 300)] }]];

/** Two consumers of one topic, through truncations of both kinds and several segments. */
export const consumers: readonly Burst[] = [
  step(1),
  { topic: "jobs", cursor: "fast", count: 2 },
  step(2),
  step(3),
  { topic: "jobs", cursor: "slow", count: 1 },
  { topic: "jobs", cursor: "fast", count: 3 },
  [[{ topic: "jobs", truncateFront: 4 }]],
  step(4),
  { topic: "jobs", cursor: "slow", count: 2 },
  step(5),
  step(6),
  "reopen",
  { topic: "jobs", cursor: "fast", count: 4 },
  [[{ topic: "jobs", truncateBack: 8 }]],
  step(7),
  { topic: "jobs", cursor: "slow", count: 9 },
  step(8),
  [[{ topic: "other", append: [payload("filler", 3000)] }]],
  { topic: "jobs", cursor: "fast", count: 1 },
];

/** For the policies that flush later: several writes between barriers, over the ends of segments. */
export const relaxed: readonly Burst[] = [
  [[{ topic: "a", append: [payload("a1", 100)] }]],
  [[{ topic: "a", append: [payload("a2", 600)] }]],
  [[{ topic: "b", append: [payload("b1", 40)] }]],
  "flush",
  [[{ topic: "a", append: [payload("a3", 30)] }]],
  [
    [
      { topic: "a", truncateBack: 2 },
      { topic: "b", append: [payload("b2", 10)] },
    ],
  ],
  [[{ topic: "a", append: [payload("a2 again", 2500)] }]],
  [[{ topic: "b", append: [payload("b3", 1500)] }]],
  "flush",
  [[{ topic: "b", truncateFront: 3 }]],
  [[{ topic: "a", truncateFront: 3 }]],
  [[{ topic: "a", append: [payload("a3 again", 2200)] }]],
  "reopen",
  [[{ topic: "a", append: [payload("a4", 500)] }]],
  [[{ topic: "b", append: [payload("b4", 50)] }]],
];

/** One writer that waits for each of its small entries, the case that files are filled ahead for. */
export const oneWriter: readonly Burst[] = [
  ...Array.from({ length: 14 }, (_, at): Burst => [[{ topic: "log", append: [payload(`e${at}`, 120)] }]]),
  "reopen",
  ...Array.from({ length: 12 }, (_, at): Burst => [[{ topic: "log", append: [payload(`f${at}`, 150)] }]]),
];
