import type { BatchOperation } from "../../src/index.js";
import { payload } from "./model.js";

/** Calls that are made without waiting for one another; `reopen` closes the log and opens it again. */
export type Burst = readonly (readonly BatchOperation[])[] | "reopen";

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
