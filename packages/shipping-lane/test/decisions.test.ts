import type { Stream } from "@octopii/interfaces";
import { describe, expect, it } from "vitest";
import { type IncomingOffer, type LaneError, laneProtocol } from "../src/index.js";
import { content, errorOf, LaneLab, Pair, print } from "./support/lane-lab.js";

describe("the receiver decides", () => {
  it("by refusing, by not deciding, by failing, or by not being there", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const send = () => errorOf(lab.wait(lab.sender.sendBytes(connection, content(10), { name: "x" })));
    lab.receiver.onOffer = (offer) => offer.refuse("only on Sundays.");
    expect(await send()).toMatchObject({
      code: "OCTOPII_LANE_REFUSED",
      outcome: "failed",
      message: "b did not take the transfer: only on Sundays.",
    });
    lab.receiver.onOffer = () => undefined;
    expect(await send()).toMatchObject({ code: "OCTOPII_LANE_REFUSED", message: expect.stringContaining("nobody here took it") });
    lab.receiver.onOffer = async () => {
      throw new Error("secret");
    };
    const failed = await send();
    expect(failed).toMatchObject({ code: "OCTOPII_LANE_REFUSED" });
    expect((failed as LaneError).message).not.toContain("secret");
    lab.receiver.onOffer = null;
    expect(await send()).toMatchObject({ code: "OCTOPII_LANE_REFUSED", message: "b did not take the transfer: Nobody receives here." });
    expect(lab.receiver.stats()).toMatchObject({ receiving: 0, turnedAway: 1 });
  });

  it("once", async () => {
    const lab = await LaneLab.open();
    let offer: IncomingOffer | null = null;
    lab.receiver.onOffer = async (one) => {
      offer = one;
      await one.toMemory();
      expect(() => one.refuse("no")).toThrow("decided about already");
      expect(() => one.saveTo("/in/x")).toThrow("decided about already");
    };
    await lab.wait(lab.sender.sendBytes(await lab.connect(), content(10), { name: "x" }));
    await lab.world.runFor(100);
    expect(offer).not.toBeNull();
    expect(lab.warnings).toEqual([]);
  });

  it("how much it takes, before anything is allocated or written", async () => {
    const lab = await LaneLab.open(1, { maxFileBytes: 1_000, maxMemoryBytes: 500, maxMemoryTotalBytes: 800 });
    const connection = await lab.connect();
    const send = (size: number) => errorOf(lab.wait(lab.sender.sendBytes(connection, content(size), { name: "x" })));
    expect(await send(1_001)).toMatchObject({
      code: "OCTOPII_LANE_TOO_LARGE",
      message: expect.stringContaining("1001 bytes, and at most 1000"),
    });
    expect(await send(1_000)).toBeNull();
    lab.receiver.onOffer = async (offer) => {
      await offer.toMemory();
    };
    expect(await send(501)).toMatchObject({ code: "OCTOPII_LANE_TOO_LARGE" });
    expect(await send(500)).toBeNull();
    const both = await lab.wait(Promise.all([1, 2].map(() => errorOf(lab.sender.sendBytes(connection, content(450), { name: "x" })))));
    expect(both.filter((error) => error === null)).toHaveLength(1);
    expect(both.find((error) => error !== null)).toMatchObject({ code: "OCTOPII_LANE_BUSY" });
    // What was taken is free again.
    expect(await send(500)).toBeNull();
    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/in/z", { maxBytes: 2_000 });
    };
    expect(await send(1_500)).toBeNull();
    // A size that only fits a number: nothing was reserved for it.
    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/in/huge");
    };
    const raw = connection.openStream(laneProtocol);
    raw.write(offerFrame({ size: 2n ** 53n - 1n }));
    const answer = await readAll(lab, raw);
    expect(new TextDecoder().decode(answer.subarray(8))).toContain("at most 1000 are received");
    expect((await lab.names()).sort()).toEqual(["x", "z"]);
  });

  it("whether an existing file is replaced", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const send = (seed: number) => errorOf(lab.wait(lab.sender.sendBytes(connection, content(1_000, seed), { name: "x" })));
    expect(await send(1)).toBeNull();
    expect(await send(2)).toMatchObject({ code: "OCTOPII_LANE_EXISTS" });
    expect(print(lab.cached("/in/x"))).toBe(print(content(1_000, 1)));
    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/in/x", { replace: true });
    };
    expect(await send(3)).toBeNull();
    expect(print(lab.cached("/in/x"))).toBe(print(content(1_000, 3)));
    expect(await lab.names()).toEqual(["x"]);
  });

  it("that two transfers to one path are one too many", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const results = await lab.wait(
      Promise.all([1, 2].map((seed) => errorOf(lab.sender.sendBytes(connection, content(400_000, seed), { name: "x" })))),
    );
    expect(results.filter((error) => error === null)).toHaveLength(1);
    expect(results.find((error) => error !== null)).toMatchObject({ code: "OCTOPII_LANE_EXISTS" });
    expect(await lab.names()).toEqual(["x"]);
  });

  it("where to: a directory that is not there is the receiver's mistake", async () => {
    const lab = await LaneLab.open();
    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/none/x");
    };
    const error = await errorOf(lab.wait(lab.sender.sendBytes(await lab.connect(), content(10), { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_STORAGE_FAILED", message: expect.stringContaining("ENOENT") });
  });
});

describe("a name", () => {
  const bad = ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\\b", "a\0b", "a\nb", "\u202egnp.exe", ".octopii-lane-x", "x".repeat(256)];

  it.each(bad.map((name) => [JSON.stringify(name).slice(0, 30), name]))(
    "%s is refused by the sender, and by the receiver of one who sends it all the same",
    async (_shown, name) => {
      const lab = await LaneLab.open();
      const connection = await lab.connect();
      expect(await errorOf(lab.wait(lab.sender.sendBytes(connection, content(1), { name })))).toMatchObject({
        code: "OCTOPII_LANE_NAME_INVALID",
      });
      let offered = 0;
      lab.receiver.onOffer = () => {
        offered += 1;
      };
      const raw = connection.openStream(laneProtocol);
      raw.write(offerFrame({ name }));
      const answer = await readAll(lab, raw);
      expect([answer[4], answer[5]]).toEqual([7, 13]);
      expect(offered).toBe(0);
    },
  );

  it.each(["a", "Bericht für März.pdf", "日本語", "a..b", "...", "x".repeat(255), "-rf", "a:b"])("%s is fine", async (name) => {
    const lab = await LaneLab.open();
    await lab.wait(lab.sender.sendBytes(await lab.connect(), content(1), { name }));
    expect(await lab.names()).toEqual([name]);
  });

  it("and metadata have limits", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const send = (metadata: Record<string, string>) =>
      errorOf(lab.wait(lab.sender.sendBytes(connection, content(1), { name: "x", metadata })));
    expect(await send({ a: "x".repeat(17_000) })).toMatchObject({ code: "OCTOPII_LANE_NAME_INVALID" });
    expect(await send(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""])))).toMatchObject({
      code: "OCTOPII_LANE_NAME_INVALID",
    });
    let metadata: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      metadata = offer.metadata;
      await offer.toMemory();
    };
    const most = { größe: "x".repeat(16_000), "": "", ["__proto__"]: "y" };
    expect(await send(most)).toBeNull();
    expect(Object.entries(metadata as object)).toEqual(Object.entries(most));
  });
});

describe("what makes no sense", () => {
  const cases: [string, Uint8Array, number][] = [
    ["a frame of no length", new Uint8Array(4), 11],
    ["a frame that would be enormous", new Uint8Array([255, 255, 255, 255, 1]), 11],
    ["a chunk before the offer", new Uint8Array([2, 0, 0, 0, 3, 0]), 11],
    ["an offer cut short", new Uint8Array([5, 0, 0, 0, 1, 0, 0, 0, 0]), 11],
    ["a feature that is unknown", offerFrame({ features: 4 }), 12],
    ["a hash that is unknown", offerFrame({ hash: 9 }), 12],
    ["chunks of no length", offerFrame({ chunkBytes: 0 }), 11],
    ["chunks that are enormous", offerFrame({ chunkBytes: 2 ** 31 }), 11],
    ["a size beyond numbers", offerFrame({ size: 2n ** 60n }), 11],
  ];

  it.each(cases)("%s is refused with a number, and nothing else suffers", async (_what, frame, number) => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const raw = connection.openStream(laneProtocol);
    raw.write(frame);
    const answer = await readAll(lab, raw);
    expect([answer[4], answer[5]]).toEqual([7, number]);
    await lab.wait(lab.sender.sendBytes(connection, content(1), { name: "x" }));
    expect(lab.receiver.stats().receiving).toBe(0);
  });

  it("a sender that sends more, or less, than it offered", async () => {
    const { crc32 } = await import("node:zlib");
    for (const [size, offset] of [
      [2n, 0n],
      [4n, 0n],
      [3n, 1n],
    ] as const) {
      const lab = await LaneLab.open();
      const raw = (await lab.connect()).openStream(laneProtocol);
      raw.write(offerFrame({ size }));
      const chunk = new Uint8Array(4 + 14 + 3);
      const view = new DataView(chunk.buffer);
      view.setUint32(0, 17, true);
      chunk[4] = 3;
      view.setBigUint64(6, offset, true);
      view.setUint32(14, crc32(chunk.subarray(18), crc32(chunk.subarray(4, 14))), true);
      raw.write(chunk);
      const end = new Uint8Array(4 + 41);
      end.set([41, 0, 0, 0, 5, 3]);
      raw.write(end);
      raw.end();
      const answer = await readAll(lab, raw);
      expect([...lastFrame(answer).subarray(0, 2)]).toEqual([7, 11]);
      expect(await lab.names()).toEqual([]);
    }
  });

  it("a receiver that answers nonsense costs the transfer, and nobody waits", async () => {
    for (const answer of [
      [1, 0, 0, 0, 9],
      [0, 0, 0, 0],
      [255, 255, 0, 0],
      [9, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0],
      [2, 0, 0, 0, 7, 1],
    ]) {
      const pair = await Pair.open();
      const connection = await pair.connect();
      const server = pair.accepted[0];
      if (server === undefined) throw new Error("Nothing was accepted.");
      server.onStream = (stream) => void stream.write(new Uint8Array(answer));
      expect(await errorOf(pair.settle(pair.sender.sendBytes(connection, content(10), { name: "x" })))).toMatchObject({
        code: "OCTOPII_LANE_PROTOCOL",
      });
    }
  });

  it("streams of other protocols are not touched", async () => {
    const pair = await Pair.open();
    await pair.connect();
    const [server] = pair.accepted;
    const touched: string[] = [];
    const stream = new Proxy({ protocol: "octopii/rpc/1" } as Stream, {
      get: (target, property) => (property === "protocol" ? target.protocol : touched.push(String(property))),
      set: (_target, property) => touched.push(String(property)) > 0,
    });
    if (server === undefined) throw new Error("Nothing was accepted.");
    expect(pair.receiver.acceptStream(stream, server)).toBe(false);
    expect(touched).toEqual([]);
  });
});

interface OfferFields {
  readonly name?: string;
  readonly size?: bigint;
  readonly features?: number;
  readonly hash?: number;
  readonly chunkBytes?: number;
}

/** An offer by hand, as docs/LANE-FORMAT.md says. */
function offerFrame({ name = "x", size = 3n, features = 0, hash = 1, chunkBytes = 1_000 }: OfferFields): Uint8Array {
  const text = new TextEncoder().encode(name);
  const frame = new Uint8Array(4 + 1 + 4 + 1 + 4 + 8 + 16 + 2 + 2 + text.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, frame.length - 4, true);
  frame[4] = 1;
  view.setUint32(5, features, true);
  frame[9] = hash;
  view.setUint32(10, chunkBytes, true);
  view.setBigUint64(14, size, true);
  view.setUint16(40, text.length, true);
  frame.set(text, 42);
  return frame;
}

function lastFrame(answer: Uint8Array): Uint8Array {
  const view = new DataView(answer.buffer);
  let at = 0;
  for (let next = 0; next < answer.length; next += 4 + view.getUint32(next, true)) at = next;
  return answer.subarray(at + 4);
}

async function readAll(lab: LaneLab, stream: Stream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const take = (): void => {
    for (let part = stream.read(); part !== null; part = stream.read()) parts.push(part);
  };
  stream.onReadable = take;
  await lab.world.runFor(1_000);
  take();
  return new Uint8Array(Buffer.concat(parts));
}
