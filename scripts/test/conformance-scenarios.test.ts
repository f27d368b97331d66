import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDirectives } from "../conformance/data-driven.js";
import { ApplyWindow } from "../conformance/etcd-raft/interaction/apply-window.js";
import { LogView } from "../conformance/etcd-raft/interaction/log-view.js";
import { MemoryStorage, mergeWrites } from "../conformance/etcd-raft/interaction/memory-storage.js";
import { createScenarioReplay } from "../conformance/etcd-raft/interaction/replay.js";
import { ReplicaView } from "../conformance/etcd-raft/interaction/replica-view.js";
import { run as runEtcd } from "../conformance/etcd-raft.js";
import { lineDiff } from "../conformance/line-diff.js";
import { beginScenario, rewrite, rewritten, run } from "../conformance/octopii.js";
import { replayFile } from "../conformance/replay-file.js";
import { CountingReport, type Summary } from "../conformance/report.js";
import { repositoryRoot } from "../lib/root.js";

const scenarios = join(repositoryRoot, "scripts/conformance/scenarios");
const files = readdirSync(scenarios).filter((name) => name.endsWith(".txt"));
const read = (file: string) => readFileSync(join(scenarios, file), "utf8");

function judge(text: string, begin: typeof beginScenario = beginScenario): Summary {
  const report = new CountingReport(() => undefined);
  replayFile("file.txt", text, begin, report);
  return report.summary();
}

/** What the last of some directives prints. */
function lastOf(...directives: readonly string[]): string {
  const parsed = parseDirectives(directives.map((one) => `${one}\n----\n\n`).join(""));
  const replay = beginScenario(parsed);
  return parsed.map((directive) => replay(directive)).at(-1) ?? "";
}

describe("our scenarios of the Raft core", () => {
  it.each(files)("%s", (file) => {
    const { passed, failures } = judge(read(file));
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(5);
  });

  it("name no command, option or condition that is not understood, and no assertion that fails", () => {
    const complaint =
      /unknown command|has no option|nothing is known of|^there is no|is down$|must name each|^the .* (is|differ) .*, not /m;
    for (const file of files) for (const { expected } of parseDirectives(read(file))) expect(expected).not.toMatch(complaint);
  });
});

const election = `add-nodes 3 voters=(1,2,3) index=10
----
INFO 1 switched to configuration voters=(1 2 3)
INFO 1 became follower at term 0
INFO newRaft 1 [peers: [1,2,3], term: 0, commit: 10, applied: 10, lastindex: 10, lastterm: 1]
INFO 2 switched to configuration voters=(1 2 3)
INFO 2 became follower at term 0
INFO newRaft 2 [peers: [1,2,3], term: 0, commit: 10, applied: 10, lastindex: 10, lastterm: 1]
INFO 3 switched to configuration voters=(1 2 3)
INFO 3 became follower at term 0
INFO newRaft 3 [peers: [1,2,3], term: 0, commit: 10, applied: 10, lastindex: 10, lastterm: 1]

campaign 2
----
INFO 2 is starting a new election at term 0
INFO 2 became candidate at term 1
INFO 2 [logterm: 1, index: 10] sent MsgVote request to 1 at term 1
INFO 2 [logterm: 1, index: 10] sent MsgVote request to 3 at term 1

process-ready 2
----
Ready MustSync=true:
Lead:0 State:StateCandidate
HardState Term:1 Vote:2 Commit:10
Messages:
2->1 MsgVote Term:1 Log:1/10
2->3 MsgVote Term:1 Log:1/10
INFO 2 received MsgVoteResp from 2 at term 1
INFO 2 has received 1 MsgVoteResp votes and 0 vote rejections
`;

describe("the replay of scenarios", () => {
  it("passes the right text", () => {
    expect(judge(election)).toEqual({ passed: 3, failed: 0, failures: [], notes: [] });
  });

  it.each([
    ["a protocol line", "2->3 MsgVote Term:1 Log:1/10", "2->3 MsgVote Term:2 Log:1/10"],
    ["a log line", "INFO 2 became candidate at term 1", "INFO 2 became candidate at term 2"],
    ["a state", "HardState Term:1 Vote:2 Commit:10", "HardState Term:1 Vote:2 Commit:11"],
    [
      "the order of lines",
      "2->1 MsgVote Term:1 Log:1/10\n2->3 MsgVote Term:1 Log:1/10",
      "2->3 MsgVote Term:1 Log:1/10\n2->1 MsgVote Term:1 Log:1/10",
    ],
    ["a line that is missing", "\n2->3 MsgVote Term:1 Log:1/10", ""],
    ["a space at the end", "MustSync=true:", "MustSync=true: "],
  ])("fails on %s", (_, right, wrong) => {
    const text = election.replace(right, wrong);
    expect(text).not.toBe(election);
    const { passed, failed, failures } = judge(text);
    expect({ passed, failed }).toEqual({ passed: 2, failed: 1 });
    expect(failures[0]?.message).toMatch(/^[-+] /m);
  });

  it("names the file, the line and the command of what failed, and shows the difference", () => {
    const { failures } = judge(election.replace("Vote:2 Commit:10", "Vote:3 Commit:10"));
    expect(failures).toEqual([
      {
        name: "file.txt:20 process-ready",
        message: [
          "  Ready MustSync=true:",
          "  Lead:0 State:StateCandidate",
          "- HardState Term:1 Vote:3 Commit:10",
          "+ HardState Term:1 Vote:2 Commit:10",
          "  Messages:",
          "  2->1 MsgVote Term:1 Log:1/10",
          "  2->3 MsgVote Term:1 Log:1/10",
          "  … 2 lines as expected …",
        ].join("\n"),
      },
    ]);
  });

  it("prints what it does not understand, so that it cannot pass unnoticed", () => {
    expect(lastOf("fly 1")).toBe("unknown command");
    expect(lastOf("add-nodes 1 voters=(1) index=2 wings=2")).toBe("add-nodes has no option wings");
    expect(lastOf("add-nodes 1 voters=(1) index=1")).toBe("index must be specified as > 1 due to bootstrap");
    expect(lastOf("campaign 1")).toBe("there is no node 1");
    expect(lastOf("campaign x")).toBe("x is no number");
    expect(judge("campaign 1\n").failures[0]?.message).toMatch(/no ---- follows/);
    expect(judge("# nothing\n")).toMatchObject({ passed: 0, failed: 1 });
  });

  it("knows only etcd's commands in etcd's scenarios", () => {
    const text = "add-nodes 1 voters=(1) index=2\n----\n\ncrash 1\n----\nunknown command\n";
    expect(judge(text, (directives) => createScenarioReplay(directives)).passed).toBe(1);
  });

  it("silences everything but errors at the level none", () => {
    expect(lastOf("log-level none", "add-nodes 1 voters=(1) index=2")).toBe("ok");
    expect(lastOf("log-level none", "add-nodes 1 voters=(1) index=2", "propose 1 x")).toBe("raft proposal dropped");
    expect(lastOf("log-level warn", "add-nodes 1 voters=(1) index=2")).toBe("ok");
    expect(lastOf("log-level loud")).toBe("log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]");
  });

  it("lets no assertion pass that does not hold", () => {
    const setUp = ["add-nodes 3 voters=(1,2,3) index=10", "campaign 1", "stabilize", "propose 1 x", "process-ready 1"];
    const after = (directive: string) => lastOf(...setUp, directive);
    for (const right of ["leader=1", "commit id=1 index=11", "applied id=2 index=11", "same-state 1 2 3", "same-log 2 3"]) {
      expect(after(`assert ${right}`)).toBe("ok");
    }
    expect(after("assert leader=2")).toBe("the leader of term 1 is 1, not 2");
    expect(after("assert leader=0")).toBe("the leader of term 1 is 1, not 0");
    expect(after("assert commit id=1 index=12")).toBe("the commit index is 11, not 12");
    expect(after("assert applied id=1 index=10")).toBe("the applied index is 11, not 10");
    expect(after("assert content id=1 text=x")).toBe("the content is , not x");
    expect(after("assert same-log 1 2")).toMatch(/^the nodes differ in their log: .*1\/12 EntryNormal "x"/);
    expect(after("assert same-log 1")).toMatch(/at least two/);
    expect(after("assert same-weather 1 2")).toBe("nothing is known of same-weather");
  });

  it("delivers nothing to a node that is down, or across a partition", () => {
    const setUp = ["log-level none", "add-nodes 2 voters=(1,2) index=10", "campaign 1", "process-ready 1"];
    expect(lastOf(...setUp, "log-level info", "partition 1", "deliver-msgs 2")).toBe("dropped: 1->2 MsgVote Term:1 Log:1/10");
    expect(lastOf(...setUp, "log-level info", "crash 2", "deliver-msgs 2")).toBe("dropped: 1->2 MsgVote Term:1 Log:1/10");
    expect(lastOf(...setUp, "crash 2", "campaign 2")).toBe("node 2 is down");
    expect(lastOf(...setUp, "restart 2")).toBe("node 2 is up: crash it first");
  });

  it("sets an election timeout that the core has drawn by then, and no other", () => {
    const setUp = ["log-level none", "add-nodes 1 voters=(1) index=10", "set-randomized-election-timeout 1 timeout=5", "log-level info"];
    expect(lastOf(...setUp, "tick 1 ticks=4")).toBe("ok");
    expect(lastOf(...setUp, "tick 1 ticks=5")).toMatch(/starting a new election/);
    const text = "add-nodes 1 voters=(1) index=10\n----\n\nset-randomized-election-timeout 1 timeout=5\n----\n\n";
    const [add, set] = parseDirectives(text);
    if (add === undefined || set === undefined) throw new Error("two directives were written");
    const replay = beginScenario([add]);
    replay(add);
    expect(replay(set)).toMatch(/^the election timeout is 3/);
  });
});

describe("the runners", () => {
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "octopii-scenarios-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it("fail a folder without scenarios", async () => {
    const report = new CountingReport(() => undefined);
    await run(dir, report);
    await runEtcd(dir, report);
    expect(report.summary().failures.map(({ name }) => name)).toEqual(["octopii", "quorum", "confchange", "interaction"]);
  });

  it("find etcd's scenarios in a checkout and beside the other data", async () => {
    for (const folder of ["testdata", "interaction"]) {
      const root = join(dir, folder);
      await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, folder, "one.txt"), election.replace("Vote:2", "Vote:1"));
      const report = new CountingReport(() => undefined);
      await runEtcd(root, report);
      expect(report.summary().failures.map(({ name }) => name)).toEqual(["quorum", "confchange", "interaction/one.txt:20 process-ready"]);
    }
  });

  it("write what is printed now, and keep everything else as it was", async () => {
    const before = election
      .replace("Vote:2", "Vote:1")
      .replace("campaign 2", "# Why.\ncampaign 2")
      .replace(/^INFO 3 .*\n/m, "");
    expect(rewritten(before)).toBe(election.replace("campaign 2", "# Why.\ncampaign 2"));
    await writeFile(join(dir, "one.txt"), before);
    await rewrite(dir);
    expect(judge(await readFile(join(dir, "one.txt"), "utf8"))).toMatchObject({ passed: 3, failed: 0 });
    for (const file of files) expect(rewritten(read(file))).toBe(read(file));
  });
});

const entry = (term: number, index: number, text = "") => ({ term, index, kind: "command" as const, data: new TextEncoder().encode(text) });
const nobody = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

describe("what the replay keeps besides the core", () => {
  it("knows which confirmations of the append thread count, as etcd does", () => {
    const log = new LogView({ index: 10, term: 1 }, [entry(1, 11)]);
    expect(log.confirm({ index: 11, term: 1 })).toBe("entry at index 11 missing from unstable log; ignoring");
    log.append([entry(2, 12), entry(2, 13)]);
    expect(log.confirm({ index: 14, term: 2 })).toBe("entry at index 14 missing from unstable log; ignoring");
    expect(log.confirm({ index: 12, term: 1 })).toBe(
      "entry at (index,term)=(12,1) mismatched with entry at (12,2) in unstable log; ignoring",
    );
    expect(log.confirm({ index: 12, term: 2 })).toBeNull();
    expect([log.offset, log.unstableCount, log.lastIndex]).toEqual([13, 1, 13]);
    log.truncate(12);
    log.append([entry(3, 12)]);
    expect([log.offset, log.offsetInProgress, log.unstableCount]).toEqual([12, 12, 1]);
    log.restore({ index: 20, term: 4, configuration: nobody });
    expect(log.confirm({ index: 20, term: 4 })).toBe("entry at index 20 matched unstable snapshot; ignoring");
    expect([log.firstIndex, log.lastIndex, log.unstableCount]).toEqual([21, 20, 0]);
    expect(() => log.append([entry(4, 22)])).toThrow(/appends 22 after 20/);
    expect(() => log.slice(20, 21)).toThrow(/not all in 21 to 20/);
  });

  it("lets a later write take the place of what it overlaps", () => {
    const hardState = { currentTerm: 2, votedFor: 1, commitIndex: 10 };
    const first = { hardState, snapshot: null, entries: [entry(1, 11), entry(1, 12), entry(1, 13)] };
    const merged = mergeWrites(first, { hardState: null, snapshot: null, entries: [entry(2, 12)] });
    expect(merged.hardState).toBe(hardState);
    expect(merged.entries.map(({ term, index }) => [term, index])).toEqual([
      [1, 11],
      [2, 12],
    ]);
    const snapshot = { index: 30, term: 2, configuration: nobody };
    expect(mergeWrites(merged, { hardState: null, snapshot, entries: [] })).toEqual({ hardState, snapshot, entries: [] });

    const storage = new MemoryStorage({ index: 10, term: 1 }, hardState);
    storage.write(first);
    storage.write({ hardState: null, snapshot: null, entries: [entry(2, 12)] });
    expect(storage.terms).toEqual([
      { firstIndex: 10, term: 1 },
      { firstIndex: 12, term: 2 },
    ]);
    expect(storage.read(11, 13)).toEqual([]);
    expect(() => storage.write({ hardState: null, snapshot: null, entries: [entry(2, 14)] })).toThrow(/a write of 14 does not fit/);
    expect(() => storage.compact(13)).toThrow(/beyond the last entry 12/);
    storage.compact(11);
    expect([storage.firstIndex, storage.lastIndex]).toEqual([12, 12]);
    expect(() => storage.compact(11)).toThrow(/unavailable due to compaction/);
  });

  it("gives the state machine no more than fits, and at least one entry", () => {
    const entries = [entry(1, 11, "abcd"), entry(1, 12, "abcd"), entry(1, 13, "abcd")];
    const window = new ApplyWindow(24);
    expect(window.count(entries)).toBe(2);
    const bytes = window.taken(entries.slice(0, 2), 13);
    expect(window.isPaused).toBe(true);
    window.applied(bytes);
    expect(window.isPaused).toBe(false);
    expect(new ApplyWindow(1).count(entries)).toBe(1);
  });

  it("does not trust a trace that leaves something out", () => {
    const hardState = { currentTerm: 1, votedFor: 0, commitIndex: 10 };
    const view = new ReplicaView({ id: 1, hardState, configuration: nobody, base: { index: 10, term: 1 }, entries: [], snapshot: null });
    const status = {
      id: 1,
      role: "follower" as const,
      ...hardState,
      leaderId: 0,
      compactedIndex: 10,
      lastIndex: 10,
      durableIndex: 10,
      appliedIndex: 10,
      snapshotIndex: 0,
      configuration: nobody,
      transferTarget: 0,
      progress: [],
    };
    expect(() => view.compare(status)).not.toThrow();
    view.observe({ type: "append", entries: [entry(1, 11)] });
    expect(() => view.compare(status)).toThrow(/the trace of 1 tells of/);
    expect(() => view.compare({ ...status, lastIndex: 11 })).not.toThrow();
    expect(() => view.compare({ ...status, lastIndex: 11, currentTerm: 2 })).toThrow();
  });
});

describe("the difference of two texts", () => {
  it("keeps what they have in common", () => {
    expect(lineDiff("a\nb\nc", "a\nx\nc")).toBe("  a\n- b\n+ x\n  c");
    expect(lineDiff("a\nb", "a\nb\nc")).toBe("  a\n  b\n+ c");
    expect(lineDiff("a\nb\nc\nd", "b\nd\ne")).toBe("- a\n  b\n- c\n  d\n+ e");
  });

  it("hides lines that are far from any difference", () => {
    const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`);
    const text = lineDiff(lines.join("\n"), lines.with(10, "other").join("\n"));
    expect(text.split("\n")).toEqual([
      "  … 7 lines as expected …",
      "  line 7",
      "  line 8",
      "  line 9",
      "- line 10",
      "+ other",
      "  line 11",
      "  line 12",
      "  line 13",
      "  … 6 lines as expected …",
    ]);
  });
});
