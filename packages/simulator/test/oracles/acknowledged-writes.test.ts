import { describe, expect, it } from "vitest";
import { AcknowledgedWrites } from "../../src/oracles/acknowledged-writes.js";
import { entry } from "./group.js";

/** Members 1 and 2 began; member 1 has applied two writes. */
function written(): AcknowledgedWrites {
  const writes = new AcknowledgedWrites();
  for (const member of [1, 2]) writes.began(member);
  writes.applied(1, entry(1, 1, "key 0v1"));
  writes.applied(1, entry(2, 1, "key 1--v2"));
  return writes;
}

describe("acknowledged writes", () => {
  it("must be in every member's state, as its present process applied it", () => {
    const writes = written();
    writes.check(["v1", "v2"], [1]);
    expect(() => writes.check(["v1"], [1, 2])).toThrow(/node 2 lacks 1/);
    writes.began(1);
    expect(() => writes.check(["v1"], [1])).toThrow(/node 1 lacks 1/);
  });

  it("count as applied by whoever took the state of a snapshot that others had applied them for", () => {
    const writes = written();
    writes.restored(2, 1);
    writes.check(["v1"], [2]);
    expect(() => writes.check(["v1", "v2"], [2])).toThrow(/v2 among them/);
    writes.applied(2, entry(2, 1, "key 1--v2"));
    writes.check(["v1", "v2"], [1, 2]);
  });

  it("are lost if nobody ever applied them, or the member is not there", () => {
    const writes = written();
    writes.restored(2, 9);
    expect(() => writes.check(["v3"], [2])).toThrow(/v3 among them/);
    expect(() => writes.check(["v1"], [3])).toThrow(/node 3 lacks 1/);
  });
});
