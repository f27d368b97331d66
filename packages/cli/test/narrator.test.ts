import type { NodeStatus } from "@octopii/core";
import { describe, expect, it } from "vitest";
import { Narrator } from "../src/dev/narrator.js";
import type { NodeReport } from "../src/dev/node-watch.js";

function report(id: number, changes: Partial<NodeReport> = {}): NodeReport {
  const base = {
    id,
    address: `127.0.0.1:2000${id}`,
    state: "up",
    pid: 100 + id,
    status: null,
    lastWords: null,
    endedBy: null,
    log: `/d/${id}`,
  };
  return { ...base, ...changes } as NodeReport;
}

const leads = (term: number): Pick<NodeReport, "status"> => ({ status: { role: "leader", term } as NodeStatus });
const follows: Pick<NodeReport, "status"> = { status: { role: "follower", term: 1 } as NodeStatus };

describe("the narrator", () => {
  it("tells who leads, and how long nobody did", () => {
    let now = 0;
    const narrator = new Narrator(() => now);
    const told: string[] = [];
    const tell = (...reports: NodeReport[]): void => void told.push(...narrator.tell(reports).map(({ text }) => text));
    tell(report(1, follows), report(2, follows));
    tell(report(1, leads(1)), report(2, follows));
    tell(report(1, leads(1)), report(2, follows));
    now = 1_000;
    tell(report(1, { state: "killed", pid: null }), report(2, follows));
    now = 2_500;
    tell(report(1, { state: "killed", pid: null }), report(2, leads(2)));
    expect(told).toEqual([
      "node 1 leads in term 1",
      "node 1, the leader, pid 101, was killed by SIGKILL",
      "node 2 leads in term 2, 1.5 s after the last one was lost",
    ]);
  });

  it("does not take an old leader that has not noticed for the new one", () => {
    const narrator = new Narrator(() => 0);
    narrator.tell([report(1, leads(1)), report(2, follows)]);
    expect(narrator.tell([report(1, leads(1)), report(2, leads(2))]).map(({ text }) => text)).toEqual(["node 2 leads in term 2"]);
    expect(narrator.tell([report(1, follows), report(2, leads(2))])).toEqual([]);
  });

  it("tells what ended a node that nobody asked to, and its last words", () => {
    const narrator = new Narrator(() => 0);
    narrator.tell([report(3)]);
    const dead = report(3, { state: "crashed", pid: null, endedBy: "exit code 1", lastWords: "octopii: Node 3 has stopped: full" });
    expect(narrator.tell([dead])).toEqual([
      { text: "node 3, pid 103, ended unasked by exit code 1, its last words: octopii: Node 3 has stopped: full (log: /d/3)", tone: "bad" },
    ]);
  });

  it("tells of starts, clean ends and refusals", () => {
    const narrator = new Narrator(() => 0);
    const of = (changes: Partial<NodeReport>): string[] => narrator.tell([report(1, changes)]).map(({ text }) => text);
    expect(of({ state: "starting" })).toEqual([]);
    expect(of({ state: "up" })).toEqual(["node 1 is up, pid 101"]);
    expect(of({ state: "stopping" })).toEqual([]);
    expect(of({ state: "stopped", pid: null })).toEqual(["node 1 closed cleanly"]);
    expect(of({ state: "starting" })).toEqual([]);
    expect(of({ state: "refused", pid: null, lastWords: "octopii: The log is corrupt." })).toEqual([
      "node 1 refused to start: The log is corrupt.",
    ]);
  });
});
