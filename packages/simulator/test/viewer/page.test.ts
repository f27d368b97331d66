import type { TraceRecord } from "@octopii/testing";
import { expect, it } from "vitest";
import { planOf, renderPage, runCluster } from "../../src/index.js";
import { lanesOf } from "../../src/viewer/lanes.js";

it("shows each node's roles from its start to its death", () => {
  const records: TraceRecord[] = [
    { time: 0, node: "n2", kind: "process:start", detail: 1 },
    { time: 0, node: "n10", kind: "process:start", detail: 1 },
    { time: 5, node: "n2", kind: "raft:candidate", detail: 1 },
    { time: 6, node: "n10", kind: "node:vote", detail: "yes to n2, vote of term 1" },
    { time: 7, node: "n2", kind: "raft:leader", detail: 1 },
    { time: 9, node: "n2", kind: "process:crash", detail: 1 },
    { time: 10, node: "world", kind: "violation", detail: "commit: lost" },
  ];
  const { nodes, spans, messages, events, end } = lanesOf(records);
  expect(nodes).toEqual(["n2", "n10"]);
  expect(spans.filter(([lane]) => lane === 0)).toEqual([
    [0, 0, 5, "follower", 0],
    [0, 5, 7, "candidate", 1],
    [0, 7, 9, "leader", 1],
    [0, 9, 10, "down", 1],
  ]);
  expect(messages).toEqual([[0, 1, 6, "asks for a vote: yes to n2, vote of term 1"]]);
  expect(events[events.length - 1]).toEqual([10, -1, "violation", "commit: lost", "violation"]);
  expect(end).toBe(10);
});

it("makes one page that nothing in it can break out of", async () => {
  const records: TraceRecord[] = [];
  const options = { seed: 3, plan: { operations: 20, faults: [], changes: [] }, onTrace: (record: TraceRecord) => records.push(record) };
  const result = await runCluster(options);
  records.push({ time: 1, node: "n1", kind: "client:fail", detail: "</script><b>" });
  const failure = { oracle: "x", message: "<b>bold</b>" };
  const page = renderPage({ result: { ...result, failure }, plan: planOf(options), records });
  expect(page).toContain("&lt;b&gt;bold&lt;/b&gt;");
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(page).not.toMatch(/(src|href)=/);
  const data = /id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  expect(JSON.parse(data).lanes.nodes.length).toBe(result.nodes);
});
