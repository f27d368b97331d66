import { describe, expect, it } from "vitest";
import { WriteLedger } from "../../src/oracles/write-ledger.js";
import { entry } from "./group.js";

const decoder = new TextDecoder();
const markOf = (command: Uint8Array): string | null => /v\d+$/.exec(decoder.decode(command))?.[0] ?? null;

/** Members 1 and 2 began; member 1 has applied two writes. */
function written(...acknowledged: readonly string[]): WriteLedger {
  const writes = new WriteLedger(markOf);
  for (const member of [1, 2]) writes.began(member);
  for (const mark of acknowledged) writes.acknowledged(mark);
  writes.applied(1, entry(1, 1, "key 0v1"));
  writes.applied(1, entry(2, 1, "key 1--v2"));
  return writes;
}

describe("acknowledged writes", () => {
  it("must be in every member's state, as its present process applied it", () => {
    const writes = written("v1");
    writes.check([1]);
    expect(() => writes.check([1, 2])).toThrow(/node 2 lacks 1/);
    writes.began(1);
    expect(() => writes.check([1])).toThrow(/node 1 lacks 1/);
  });

  it("count as applied by whoever took the state of a snapshot that others had applied them for", () => {
    const writes = written("v1");
    writes.restored(2, 1);
    writes.check([2]);
    writes.acknowledged("v2");
    expect(() => writes.check([2])).toThrow(/v2 among them/);
    writes.applied(2, entry(2, 1, "key 1--v2"));
    writes.check([1, 2]);
  });

  it("are lost if nobody ever applied them, or the member is not there", () => {
    const writes = written("v3");
    writes.restored(2, 9);
    expect(() => writes.check([2])).toThrow(/v3 among them/);
    expect(() => written("v1").check([3])).toThrow(/node 3 lacks 1/);
  });
});

describe("a write", () => {
  it("stands in the log once", () => {
    const writes = written();
    writes.applied(2, entry(1, 1, "key 0v1"));
    expect(() => writes.applied(2, entry(3, 1, "key 0v1"))).toThrow(/at 1 and again at 3/);
  });

  it("that failed for certain is nowhere, whether its client or its replica speaks first", () => {
    expect(() => written().failed("v1")).toThrow(/applied at 1/);
    const writes = written();
    writes.failed("v3");
    writes.failed(null);
    expect(() => writes.applied(1, entry(3, 1, "key 0v3"))).toThrow(/v3 was told that it failed/);
  });
});
