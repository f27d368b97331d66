import { describe, expect, test } from "vitest";
import { createSimulation, MAX_DATAGRAM_BYTES, type NetworkFault, type SimulatedNetwork, type World } from "../../src/index.js";

const hosts = ["a", "b", "c", "d", "e"];

function reach(network: SimulatedNetwork): Record<string, string> {
  const hears = (from: string): string => hosts.filter((to) => to !== from && network.reachable(from, to)).join("");
  return Object.fromEntries(hosts.map((host) => [host, hears(host)]));
}

describe("a partition's shape", () => {
  const everybody = { a: "bcde", b: "acde", c: "abde", d: "abce", e: "abcd" };
  const shapes: readonly [string, (world: World) => NetworkFault, Record<string, string>][] = [
    ["bridge", ({ network }) => network.bridge(hosts), { a: "bcde", b: "ac", c: "ab", d: "ae", e: "ad" }],
    ["chain", ({ network }) => network.chain(hosts), { a: "b", b: "ac", c: "bd", d: "ce", e: "d" }],
    ["majority ring", ({ network }) => network.majorityRing(hosts), { a: "be", b: "ac", c: "bd", d: "ce", e: "ad" }],
    ["majority ring of three", ({ network }) => network.majorityRing(["a", "b", "c"]), everybody],
  ];

  test.each(shapes)("%s", (_name, impose, expected) => {
    const world = createSimulation({ seed: 1 });
    const fault = impose(world);
    expect(reach(world.network)).toEqual(expected);
    expect(world.network.reachable("a", "outsider")).toBe(true);
    fault.heal();
    expect(reach(world.network)).toEqual(everybody);
  });
});

test("a path that is too narrow loses what is large, and only that", async () => {
  const world = createSimulation({ seed: 2, network: { maxPacketBytes: 1_200 } });
  const got: number[] = [];
  world.process("b").datagrams.onDatagram = (bytes) => got.push(bytes.length);
  for (const bytes of [1, 1_200, 1_201, MAX_DATAGRAM_BYTES]) world.process("a").datagrams.send("b", new Uint8Array(bytes));
  await world.runFor(1_000);
  expect(got.sort((x, y) => x - y)).toEqual([1, 1_200]);
});
