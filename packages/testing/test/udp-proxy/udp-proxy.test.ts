import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { createRandom } from "../../src/index.js";
import { delivered, fateOf } from "../../src/udp-proxy/fate.js";
import { openUdpProxy, type UdpFaults, type UdpProxy, udpFaultDefaults } from "../../src/udp-proxy/index.js";

const sockets: Socket[] = [];
let proxy: UdpProxy | null = null;

afterEach(async () => {
  await proxy?.close();
  proxy = null;
  for (const socket of sockets.splice(0)) socket.close();
});

async function socket(): Promise<Socket> {
  const opened = createSocket("udp4");
  opened.bind(0, "127.0.0.1");
  await once(opened, "listening");
  sockets.push(opened);
  return opened;
}

/** Sends numbered datagrams through a proxy to a socket that sends each back; gives those that came. */
async function exchange(count: number, faults: Partial<UdpFaults>, seed = 1, during?: (proxy: UdpProxy) => void) {
  const [target, client] = [await socket(), await socket()];
  target.on("message", (datagram, { port }) => target.send(datagram, port, "127.0.0.1"));
  proxy = await openUdpProxy({ target: `127.0.0.1:${target.address().port}`, seed, ...faults });
  during?.(proxy);
  const seen: Buffer[] = [];
  client.on("message", (datagram) => seen.push(datagram));
  const port = Number(proxy.address.split(":")[1]);
  for (let i = 0; i < count; i += 1) {
    client.send(Buffer.from([i >> 8, i, 7, 7, 7]), port, "127.0.0.1");
    if (i % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  // Until nothing has come for a while; on a busy machine the last may take long.
  for (let before = -1; before !== seen.length; ) {
    before = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
  return seen;
}

const numberOf = (datagram: Buffer) => datagram.readUInt16BE(0);

describe("what becomes of a datagram", () => {
  it("follows from the seed", () => {
    const faults = { lossPerMillion: 300_000, duplicatePerMillion: 300_000, corruptPerMillion: 300_000, minDelayMs: 0, maxDelayMs: 50 };
    const run = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 200 }, () => fateOf(100, faults, random));
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
    const lost = run(5).filter((arrivals) => arrivals.length === 0).length;
    expect(lost).toBeGreaterThan(30);
    expect(lost).toBeLessThan(90);
  });

  it("changes exactly one byte of a damaged copy, and never the original", () => {
    const random = createRandom(3);
    const datagram = new Uint8Array(50);
    for (let i = 0; i < 100; i += 1) {
      const [arrival] = fateOf(50, { ...udpFaultDefaults, corruptPerMillion: 1_000_000 }, random);
      if (arrival === undefined) throw new Error("lost");
      expect(delivered(datagram, arrival).filter((byte) => byte !== 0)).toHaveLength(1);
    }
    expect(datagram.every((byte) => byte === 0)).toBe(true);
  });
});

describe("the UDP proxy", () => {
  it("passes everything on, in order, where nothing is wrong", async () => {
    const seen = await exchange(300, {});
    expect(seen.map(numberOf)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it("loses, doubles and damages", async () => {
    expect((await exchange(400, { lossPerMillion: 1_000_000 })).length).toBe(0);
    await proxy?.close();
    expect((await exchange(50, { duplicatePerMillion: 1_000_000 })).length).toBe(200);
    await proxy?.close();
    const damaged = (await exchange(100, { corruptPerMillion: 1_000_000 })).filter(
      (datagram) => datagram.subarray(2).toString("hex") !== "070707",
    );
    expect(damaged.length).toBeGreaterThan(20);
  });

  it("lets datagrams overtake each other", async () => {
    const numbers = (await exchange(200, { maxDelayMs: 20 })).map(numberOf);
    expect(numbers).toHaveLength(200);
    expect(numbers).not.toEqual([...numbers].sort((a, b) => a - b));
  });

  it("cuts off one direction or both, and heals", async () => {
    expect(await exchange(20, {}, 1, (opened) => opened.cut())).toEqual([]);
    expect(proxy?.stats).toEqual({ received: 20, delivered: 0, lost: 20 });
    await proxy?.close();
    expect(await exchange(20, {}, 1, (opened) => opened.cut("fromTarget"))).toEqual([]);
    expect(proxy?.stats).toEqual({ received: 40, delivered: 20, lost: 20 });
    await proxy?.close();
    const healed = await exchange(20, {}, 1, (opened) => {
      opened.cut();
      opened.heal();
    });
    expect(healed).toHaveLength(20);
  });

  it("wants faults that make sense", async () => {
    await expect(openUdpProxy({ target: "127.0.0.1:1", seed: 1, lossPerMillion: -1, minDelayMs: 5 })).rejects.toThrow(
      /lossPerMillion .*maxDelayMs/,
    );
  });
});
