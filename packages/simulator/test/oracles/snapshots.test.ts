import { describe, expect, it } from "vitest";
import { configurationOf, entry, Group } from "./group.js";

const of = (index: number, term = 1, configuration = configurationOf([1, 2, 3])) => ({ index, term, configuration });

describe("the Raft oracle on snapshots", () => {
  it("is content with one that is taken, sent, and taken over", () => {
    const group = new Group();
    group.run(4);
    group.snapshot(1, "available", of(3));
    group.tell(1, { type: "compact", index: 2 });
    group.append(3, entry(1, 1, "e1"));
    group.snapshot(3, "restoring", of(3));
    group.configure(3, 3, configurationOf([1, 2, 3]));
    group.snapshot(3, "restored", of(3));
    group.restored(3, of(3));
    group.append(3, entry(4, 1, "e4"));
    group.commit(3, 4);
    group.apply(3, entry(4, 1, "e4"));
  });

  it("sees one of what was never committed, or with a configuration of another moment", () => {
    const group = new Group();
    group.run(3);
    group.append(1, entry(4, 1));
    group.configure(1, 2, configurationOf([1, 2]));
    expect(() => group.snapshot(3, "restoring", of(4))).toThrow(/never committed/);
    expect(() => group.snapshot(3, "restoring", of(3, 2))).toThrow(/never committed/);
    expect(() => group.snapshot(3, "restoring", of(3))).toThrow(/others were in/);
    expect(() => group.snapshot(1, "available", of(1, 1, configurationOf([1, 2])))).toThrow(/others were in/);
  });

  it("sees one that is ahead of what was applied", () => {
    const group = new Group();
    group.run(3);
    group.append(3, ...[1, 2, 3].map((index) => entry(index, 1, `e${index}`)));
    group.commit(3, 3);
    expect(() => group.snapshot(3, "available", of(2))).toThrow(/when it had applied 0/);
  });

  it("sees a log given up that was newer, or held all of it", () => {
    const group = new Group();
    group.run(3);
    expect(() => group.snapshot(2, "restoring", of(2))).toThrow(/had committed 3/);
    group.append(3, ...[1, 2, 3].map((index) => entry(index, 1, `e${index}`)));
    expect(() => group.snapshot(3, "restoring", of(2))).toThrow(/gave up the entries after 2/);
  });

  it("sees a state that goes back, or ahead of the log", () => {
    const group = new Group();
    group.run(3);
    expect(() => group.restored(2, of(2))).toThrow(/had applied 3/);
    expect(() => group.restored(3, of(2))).toThrow(/its log began after 0/);
  });

  it("sees a log that is forgotten further than was applied, or than there is a snapshot", () => {
    const group = new Group();
    group.run(3);
    expect(() => group.tell(1, { type: "compact", index: 1 })).toThrow(/a snapshot of 0/);
    group.snapshot(1, "available", of(2));
    expect(() => group.tell(1, { type: "compact", index: 3 })).toThrow(/a snapshot of 2/);
    group.tell(1, { type: "compact", index: 2 });
  });

  it("knows a process that begins with a snapshot, and sees one whose state or log begins where nothing was committed", () => {
    const group = new Group();
    group.run(3);
    const hardState = { currentTerm: 1, votedFor: 1, commitIndex: 2 };
    group.wake(2, hardState, [1, 1], 2);
    group.oracle.started(2, 2);
    group.apply(2, entry(3, 1, "e3"));
    expect(() => group.wake(2, hardState, [2, 2], 2)).toThrow(/begins after entry 2 of term 2/);
    group.elect(1, 2, [2], 3, 1);
    group.append(1, entry(4, 2));
    group.wake(1, { currentTerm: 2, votedFor: 1, commitIndex: 2 }, [1, 1, 2], 2);
    expect(() => group.oracle.started(1, 4)).toThrow(/no committed entry/);
    expect(() => group.oracle.started(1, 9)).toThrow(/no committed entry/);
  });

  it("counts what a snapshot stands for as held", () => {
    const group = new Group();
    group.run(4);
    group.snapshot(3, "restoring", of(4));
    group.wake(1, { currentTerm: 1, votedFor: 1, commitIndex: 2 }, [0, 1, 1]);
    expect(() => group.wake(2, { currentTerm: 1, votedFor: 1, commitIndex: 2 }, [0, 1, 1])).toThrow(/woke up without entry 4/);
  });
});
