import { describe, expect, it } from "vitest";
import { type CoreError, createClient, createNode, isCoreError, keyValueStore, type NodeOptions } from "../src/index.js";

const stateMachine = keyValueStore();
const members = [{ id: 1, address: "127.0.0.1:7001" }];
const good: NodeOptions = {
  id: 1,
  cluster: "test",
  directory: "/nowhere",
  members,
  credentials: { certificate: "", privateKey: "", authorities: "" },
};

function problemsOf(options: object): unknown {
  try {
    createNode(options as NodeOptions, { stateMachine });
  } catch (error) {
    expect(isCoreError(error, "OCTOPII_CORE_CONFIGURATION_INVALID")).toBe(true);
    return (error as CoreError).details.problems;
  }
  return null;
}

describe("node options", () => {
  it("takes sound ones", () => {
    expect(problemsOf(good)).toBeNull();
    expect(problemsOf({ ...good, members: [{ id: 1, address: "[::1]:7001" }], listenAddress: "0.0.0.0:0", tickMs: 5 })).toBeNull();
  });

  it("names every problem at once", () => {
    const problems = problemsOf({
      id: 0,
      cluster: "No Spaces",
      directory: "",
      members: [
        { id: 2, address: "nowhere" },
        { id: 2, address: "127.0.0.1:99999" },
      ],
      listenAddress: "x",
      electionTicks: 1,
      tickMs: -1,
      logSegmentBytes: 1,
      reconnectMinMs: 5,
      reconnectMaxMs: 1,
    });
    expect(problems).toEqual([
      "id must be a whole number above 0, not 0",
      'cluster must be 1 to 63 of a-z, 0-9 and -, not "No Spaces"',
      "directory must be a path",
      'listenAddress must be host:port, not "x"',
      'members[0].address must be host:port, not "nowhere"',
      'members[1].address must be host:port, not "127.0.0.1:99999"',
      "member 2 is listed twice",
      "electionTicks (1) must exceed heartbeatTicks (1)",
      "tickMs must be above 0, not -1",
      expect.stringMatching(/^logSegmentBytes: /),
      "reconnectMinMs (5) must be above 0 and at most reconnectMaxMs (1)",
      expect.stringMatching(/^credentials are missing/),
    ]);
  });

  it("wants this node among the members, once", () => {
    expect(problemsOf({ ...good, id: 9 })).toEqual(["members must include this node, 9"]);
    expect(problemsOf({ ...good, members: [] })).toEqual(["members must list at least this node"]);
  });

  it("checks a client's addresses", () => {
    const transport = { listen: fail, connect: fail, close: () => Promise.resolve() };
    expect(() => createClient({ addresses: ["nope"] }, { transport })).toThrow(/nope is not host:port/);
    expect(() => createClient({ addresses: [] }, { transport })).toThrow(/at least one member/);
  });
});

const fail = (): Promise<never> => Promise.reject(new Error("not to be called"));
