import { describe, expect, test } from "vitest";
import { createSimulation, type LinkOptions, MAX_DATAGRAM_BYTES, type World } from "../../src/index.js";

/** Three machines; whatever one gets is noted with its time. */
function lab(seed: number | string, network: LinkOptions = {}) {
  const world = createSimulation({ seed, network });
  const got: { readonly to: string; readonly from: string; readonly byte: number; readonly time: number }[] = [];
  for (const name of ["a", "b", "c"]) {
    world.process(name).datagrams.onDatagram = (bytes, from) => {
      got.push({ to: name, from, byte: bytes[0] ?? -1, time: world.now() });
    };
  }
  const send = (from: string, to: string, byte = 0): void => world.process(from).datagrams.send(to, new Uint8Array([byte]));
  const routes = (): string[] => got.splice(0).map(({ from, to }) => from + to);
  return { world, got, send, routes };
}

function sendAll({ send }: { send: (from: string, to: string) => void }): void {
  for (const from of "abc") for (const to of "abc") if (from !== to) send(from, to);
}

async function heard(part: ReturnType<typeof lab>): Promise<string[]> {
  sendAll(part);
  await part.world.runFor(1_000);
  return part.routes().sort();
}

const ALL = ["ab", "ac", "ba", "bc", "ca", "cb"];

describe("links", () => {
  test("take their time, and messages overtake each other", async () => {
    const { world, got, send } = lab(1, { minDelayMs: 5, meanDelayMs: 20 });
    for (let byte = 0; byte < 200; byte += 1) send("a", "b", byte);
    await world.runFor(2_000);
    expect(got).toHaveLength(200);
    const delays = got.map(({ time }) => time);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(mean).toBeGreaterThan(20);
    expect(mean).toBeLessThan(30);
    expect(got.map(({ byte }) => byte)).not.toEqual([...got].map(({ byte }) => byte).sort((x, y) => x - y));
  });

  test("lose and double as many as they are told", async () => {
    const { world, got, send } = lab(2, { lossPerMillion: 100_000, duplicatePerMillion: 200_000 });
    for (let count = 0; count < 2_000; count += 1) send("a", "b");
    await world.runFor(1_000);
    const { sent, lost, duplicated, delivered } = world.network.counts;
    expect(sent).toBe(2_000);
    expect(Math.abs(lost - 200)).toBeLessThan(60);
    expect(Math.abs(duplicated - 360)).toBeLessThan(80);
    expect(got).toHaveLength(sent - lost + duplicated);
    expect(delivered).toBe(got.length);
  });

  test("taking one fault away leaves the rest as it was", async () => {
    const arrivals = async (options: LinkOptions) => {
      const { world, got, send } = lab(3, { meanDelayMs: 10, ...options });
      for (let byte = 0; byte < 100; byte += 1) send("a", "b", byte);
      await world.runFor(1_000);
      return new Map(got.toReversed().map(({ byte, time }) => [byte, time]));
    };
    const lossy = await arrivals({ lossPerMillion: 300_000, duplicatePerMillion: 300_000 });
    const clean = await arrivals({});
    expect(clean.size).toBe(100);
    expect(lossy.size).toBeLessThan(90);
    for (const [byte, time] of lossy) expect(clean.get(byte)).toBe(time);
  });

  test("one link can differ from the others, and what another sends changes nothing on it", async () => {
    const arrivals = async (noise: number) => {
      const { world, got, send } = lab(4, { meanDelayMs: 5 });
      world.network.configureLink("a", "b", { minDelayMs: 100 });
      for (let count = 0; count < noise; count += 1) send("c", "b");
      for (let byte = 0; byte < 20; byte += 1) send("a", "b", byte);
      await world.runFor(1_000);
      return got.filter(({ from }) => from === "a").map(({ time }) => time);
    };
    const quiet = await arrivals(0);
    expect(Math.min(...quiet)).toBeGreaterThanOrEqual(100);
    expect(await arrivals(50)).toEqual(quiet);
  });

  test("datagrams are captured at the call, bounded, and owned by who gets them", async () => {
    const { world } = lab(5, { duplicatePerMillion: 1_000_000 });
    const arrived: Uint8Array[] = [];
    world.process("b").datagrams.onDatagram = (bytes) => {
      arrived.push(bytes.slice());
      bytes.fill(0);
    };
    const bytes = new Uint8Array([1, 2, 3]);
    world.process("a").datagrams.send("b", bytes);
    bytes.fill(9);
    await world.runFor(100);
    expect(arrived).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])]);
    expect(() => world.process("a").datagrams.send("b", new Uint8Array(MAX_DATAGRAM_BYTES + 1))).toThrow(RangeError);
    world.process("a").datagrams.send("nobody", bytes);
    await world.runFor(100);
  });
});

describe("partitions", () => {
  test("keep groups apart until they heal", async () => {
    const part = lab(1);
    const partition = part.world.network.partition(["a"], ["b", "c"]);
    expect(part.world.network.reachable("a", "b")).toBe(false);
    expect(await heard(part)).toEqual(["bc", "cb"]);
    partition.heal();
    partition.heal();
    expect(await heard(part)).toEqual(ALL);
  });

  test("leave hosts in no group alone", async () => {
    const part = lab(2);
    part.world.network.partition(["a"], ["b"]);
    expect(await heard(part)).toEqual(["ac", "bc", "ca", "cb"]);
  });

  test("can be one-way, and overlap", async () => {
    const part = lab(3);
    const deaf = part.world.network.isolate("a", "in");
    expect(await heard(part)).toEqual(["ab", "ac", "bc", "cb"]);
    const mute = part.world.network.isolate("a", "out");
    expect(await heard(part)).toEqual(["bc", "cb"]);
    deaf.heal();
    expect(await heard(part)).toEqual(["ba", "bc", "ca", "cb"]);
    mute.heal();
    part.world.network.cut("b", "c");
    expect(await heard(part)).toEqual(["ab", "ac", "ba", "ca", "cb"]);
    part.world.network.isolate("c");
    part.world.network.heal();
    expect(await heard(part)).toEqual(ALL);
  });

  test("hold for hosts that come later, and never cut a host off from itself", async () => {
    const part = lab(4);
    part.world.network.isolate("late");
    part.world.process("late").datagrams.onDatagram = (_, from) => part.world.note("late", "from", from);
    const hash = part.world.traceHash();
    part.send("a", "late");
    expect(part.world.network.counts.cut).toBe(1);
    part.world.process("late").datagrams.send("late", new Uint8Array(1));
    await part.world.runFor(10);
    expect(part.world.network.counts.delivered).toBe(1);
    expect(part.world.traceHash()).not.toBe(hash);
  });

  test("cut what is in flight", async () => {
    const part = lab(5, { minDelayMs: 50 });
    sendAll(part);
    await part.world.runFor(10);
    part.world.network.partition(["a"], ["b", "c"]);
    await part.world.runFor(1_000);
    expect(part.routes().sort()).toEqual(["bc", "cb"]);
    expect(part.world.network.counts.cut).toBe(4);
  });

  test("split in halves by seed", async () => {
    const shapes = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const part = lab(seed);
      part.world.network.splitInHalves(["a", "b", "c"], part.world.random.fork("split"));
      const routes = await heard(part);
      expect(routes).toHaveLength(2);
      shapes.add(routes.join());
    }
    expect(shapes).toEqual(new Set(["ab,ba", "ac,ca", "bc,cb"]));
  });
});

test("a clog holds messages back, in flight or not, and lets them go when it heals", async () => {
  const part = lab(6, { minDelayMs: 10 });
  part.send("a", "b");
  await part.world.runFor(5);
  const clog = part.world.network.clog("a", "b");
  part.send("a", "b");
  part.send("a", "c");
  await part.world.runFor(5_000);
  expect(part.routes()).toEqual(["ac"]);
  clog.heal();
  await part.world.runFor(5_000);
  expect(part.routes()).toEqual(["ab", "ab"]);
});

test("counts are part of no trace, faults are", async () => {
  const hash = async (body: (world: World) => void) => {
    const { world } = lab(7);
    body(world);
    await world.runFor(1);
    return world.traceHash();
  };
  const calm = await hash(() => undefined);
  expect(await hash((world) => world.network.isolate("a"))).not.toBe(calm);
  expect(await hash((world) => void world.network.counts.sent)).toBe(calm);
});
