/** What Octopii's tests of bulk transfer do, at their numbers: chunk_transfer, error, large, mixed, parallel, shipping_lane and chaos. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { TransferResult } from "../src/index.js";
import { Harbour, type Kind } from "./support/harbour.js";
import { content, errorOf, print, sha256 } from "./support/lane-lab.js";

const KiB = 1024;
const MiB = 1024 * KiB;

let harbour: Harbour | null = null;
afterEach(async () => {
  await harbour?.close();
  harbour = null;
});

async function open(kind: Kind): Promise<Harbour> {
  harbour = await Harbour.open(kind);
  return harbour;
}

/** Receives everything into memory. @returns what came, by name. */
function intoMemory({ receiver }: Harbour): Map<string, Uint8Array> {
  const received = new Map<string, Uint8Array>();
  receiver.onOffer = async (offer) => {
    received.set(offer.name, (await offer.toMemory({ maxBytes: 200 * MiB })).data);
  };
  return received;
}

function intoFiles({ receiver, directory }: Harbour): void {
  receiver.onOffer = async (offer) => {
    await offer.saveTo(join(directory, offer.name));
  };
}

const block = content(MiB + 13);

/** Bytes of any length that differ from place to place and by seed, made quickly. */
function filled(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += block.length) bytes.set(block.subarray(0, length - at), at);
  for (let at = 0; at < Math.min(length, 8); at++) bytes[at] = seed >> (at % 4);
  return bytes;
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
  return hash.digest("hex");
}

describe.each(["quic", "tcp"] as const)("over %s", (kind) => {
  it("100 MiB from file to file", { timeout: 120_000 }, async () => {
    const { directory, ...rest } = await prepared(kind);
    const bytes = filled(100 * MiB, 1);
    await writeFile(join(directory, "source"), bytes);
    const digest = sha256(bytes);
    const result = await rest.lane.sendFile(rest.connection, join(directory, "source"), { name: "large" });
    expect(result).toMatchObject({ bytes: 100 * MiB, checksum: digest });
    expect(await fileDigest(join(directory, "large"))).toBe(digest);
    expect(await readdir(directory)).toEqual(["large", "source"]);
  });

  it("10 MiB of memory, a file into memory, and sizes around 64 KiB and below 512 bytes", { timeout: 60_000 }, async () => {
    const { lane, connection, harbour: here } = await prepared(kind);
    const received = intoMemory(here);
    const sizes = [10 * MiB, 1, 2, 100, 256, 511, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1];
    for (const size of sizes) await lane.sendBytes(connection, filled(size, size), { name: `m${size}` });
    for (const size of sizes) expect(print(received.get(`m${size}`))).toBe(print(filled(size, size)));
    await writeFile(join(here.directory, "f"), filled(MiB, 5));
    await lane.sendFile(connection, join(here.directory, "f"));
    expect(print(received.get("f"))).toBe(print(filled(MiB, 5)));
  });

  it("10 reconnections, each with a transfer", { timeout: 60_000 }, async () => {
    const here = await open(kind);
    const received = intoMemory(here);
    const lane = here.lane();
    for (let i = 0; i < 10; i++) {
      const connection = await here.dial();
      await lane.sendBytes(connection, filled(32 * KiB, i), { name: `r${i}` });
      connection.close(0, "next");
      await connection.closed;
      expect(await errorOf(lane.sendBytes(connection, filled(1, 1), { name: "late" }))).toMatchObject({
        code: "OCTOPII_LANE_DISCONNECTED",
      });
    }
    expect(received.size).toBe(10);
  });

  it("a connection that is dropped within a transfer: both sides know, nothing stays, and the next one succeeds", {
    timeout: 60_000,
  }, async () => {
    const here = await open(kind);
    intoFiles(here);
    const lane = here.lane();
    const bytes = filled(6 * MiB, 3);
    let results = 0;
    // One in three is dropped, at about a third of its way.
    for (let i = 0; i < 6; i++) {
      const connection = await here.dial();
      const onProgress = (): void => {
        if (i % 3 === 1) here.accepted.at(-1)?.close(7, "dropped");
      };
      const error = await errorOf(lane.sendBytes(connection, bytes, { name: `d${i}`, onProgress }));
      if (error === null) results += 1;
      else expect(error).toMatchObject({ code: "OCTOPII_LANE_DISCONNECTED", details: { name: `d${i}` } });
      connection.close(0, "next");
    }
    expect(results).toBe(4);
    while (here.receiver.stats().receiving > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await readdir(here.directory)).toEqual(["d0", "d2", "d3", "d5"]);
  });

  it("a peer that nobody reaches, a file that is not there, and an empty one", { timeout: 60_000 }, async () => {
    const { lane, connection, directory, harbour: here } = await prepared(kind);
    const transport = await here.transport();
    const startedAt = performance.now();
    expect(await errorOf(transport.connect("127.0.0.1:1", { timeoutMs: 2_000 }))).not.toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(await errorOf(lane.sendFile(connection, join(directory, "none")))).toMatchObject({ code: "OCTOPII_LANE_SOURCE_MISSING" });
    await writeFile(join(directory, "empty"), "");
    await lane.sendFile(connection, join(directory, "empty"), { name: "empty too" });
    expect((await stat(join(directory, "empty too"))).size).toBe(0);
  });

  it("five peers with ten transfers each, at once, from files to files", { timeout: 60_000 }, async () => {
    const here = await open(kind);
    intoFiles(here);
    const results: Promise<TransferResult>[] = [];
    for (let peer = 0; peer < 5; peer++) {
      const [connection, lane] = [await here.dial(), here.lane()];
      for (let i = 0; i < 10; i++) results.push(lane.sendBytes(connection, filled(32 * KiB, peer * 10 + i), { name: `${peer}-${i}` }));
    }
    const names = (await Promise.all(results)).map(({ name }) => name);
    expect(new Set(names).size).toBe(50);
    for (let peer = 0; peer < 5; peer++) {
      for (let i = 0; i < 10; i++) {
        expect(print(await readFile(join(here.directory, `${peer}-${i}`)))).toBe(print(filled(32 * KiB, peer * 10 + i)));
      }
    }
  });
});

async function prepared(kind: Kind) {
  const here = await open(kind);
  intoFiles(here);
  return { harbour: here, directory: here.directory, lane: here.lane(), connection: await here.dial() };
}

describe("in memory", () => {
  const cases: readonly (readonly [string, readonly number[], number])[] = [
    ["50 MiB", [50 * MiB], 1],
    ["five of 10 MiB, at once", Array.from({ length: 5 }, () => 10 * MiB), 5],
    ["28 MiB in mixed sizes", [1 * MiB, 10 * MiB, 512 * KiB, 16 * MiB, 64 * KiB, 448 * KiB], 2],
    ["1 KiB to 10 MiB, one after the other", [1 * KiB, 10 * KiB, 100 * KiB, 1 * MiB, 10 * MiB], 1],
    ["a hundred of 64 KiB, at once", Array.from({ length: 100 }, () => 64 * KiB), 100],
    ["ten of 5 MiB, at once", Array.from({ length: 10 }, () => 5 * MiB), 10],
    ["twenty of 2 MiB, at once", Array.from({ length: 20 }, () => 2 * MiB), 20],
  ];

  it.each(cases)("%s", { timeout: 60_000 }, async (_what, sizes, atOnce) => {
    const here = await open("memory");
    const received = intoMemory(here);
    const [connection, lane] = [await here.dial(), here.lane()];
    const left = sizes.map((size, at) => ({ name: `n${at}`, bytes: filled(size, at + 1) }));
    const originals = new Map(left.map(({ name, bytes }) => [name, bytes]));
    const send = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await lane.sendBytes(connection, next.bytes, next);
    };
    await Promise.all(Array.from({ length: atOnce }, send));
    expect(received.size).toBe(sizes.length);
    for (const [name, bytes] of originals) expect(print(received.get(name))).toBe(print(bytes));
    expect(lane.stats()).toMatchObject({ sending: 0, waiting: 0, sent: sizes.length, sendFailures: 0 });
  });

  it("three bursts, each of five times 3 MiB", { timeout: 60_000 }, async () => {
    const here = await open("memory");
    const received = intoMemory(here);
    const [connection, lane] = [await here.dial(), here.lane()];
    for (let burst = 0; burst < 3; burst++) {
      const names = Array.from({ length: 5 }, (_, i) => `${burst}-${i}`);
      await Promise.all(names.map((name, i) => lane.sendBytes(connection, filled(3 * MiB, burst * 5 + i), { name })));
      for (const [i, name] of names.entries()) expect(print(received.get(name))).toBe(print(filled(3 * MiB, burst * 5 + i)));
    }
  });

  it("both ways at once on one connection", async () => {
    const here = await open("memory");
    const received = intoMemory(here);
    const [connection, lane] = [await here.dial(), here.lane()];
    const back: Uint8Array[] = [];
    lane.onOffer = async (offer) => {
      back.push((await offer.toMemory()).data);
    };
    lane.serve(connection);
    // The other end is there once something has come.
    await lane.sendBytes(connection, filled(1, 1), { name: "first" });
    const [server] = here.accepted;
    if (server === undefined) throw new Error("Nothing was accepted.");
    await Promise.all([
      lane.sendBytes(connection, filled(3 * MiB, 1), { name: "there" }),
      here.receiver.sendBytes(server, filled(4 * MiB, 2), { name: "back" }),
    ]);
    expect([print(received.get("there")), ...back.map(print)]).toEqual([print(filled(3 * MiB, 1)), print(filled(4 * MiB, 2))]);
  });
});
