import type { Stream } from "@octopii/interfaces";
import { describe, expect, it } from "vitest";
import {
  createShippingLane,
  isLaneError,
  LaneError,
  laneProtocol,
  resolveShippingLaneOptions,
  shippingLaneDefaults,
} from "../src/index.js";
import { content, errorOf, LaneLab, Pair, print, tampered } from "./support/lane-lab.js";

const chunkBytes = 10_000;
const MiB = 1024 * 1024;

describe("cancelling", () => {
  it("by the sender, at any time: its own reason here, a typed error there, and nothing stays", async () => {
    for (const after of [0, 1, 50, 500, 1_000]) {
      const lab = await LaneLab.open(after, { chunkBytes });
      let received: unknown = null;
      lab.receiver.onOffer = async (offer) => {
        received = await errorOf(offer.saveTo("/in/x"));
        expect(offer.signal.aborted).toBe(true);
      };
      const controller = new AbortController();
      const connection = await lab.connect();
      const sending = errorOf(lab.sender.sendBytes(connection, content(3 * MiB), { name: "x", signal: controller.signal }));
      const start = lab.world.events;
      await lab.world.runUntil(() => lab.world.events - start >= after);
      const reason = new Error("enough");
      controller.abort(reason);
      expect([after, await lab.wait(sending)]).toEqual([after, reason]);
      await lab.world.runFor(1_000);
      if (received !== null) expect(received).toMatchObject({ code: "OCTOPII_LANE_CANCELLED", message: "a cancelled the transfer." });
      else expect(after).toBeLessThan(50);
      expect(await lab.names()).toEqual([]);
      expect([lab.sender.stats().sending, lab.receiver.stats().receiving]).toEqual([0, 0]);
    }
  });

  it("by the receiver: its own reason there, a typed error here", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    const controller = new AbortController();
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      const onProgress = ({ transferredBytes }: { transferredBytes: number }): void => {
        if (transferredBytes > MiB) controller.abort("not now");
      };
      received = await errorOf(offer.saveTo("/in/x", { signal: controller.signal, onProgress }));
    };
    const error = await errorOf(lab.wait(lab.sender.sendBytes(await lab.connect(), content(3 * MiB), { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_CANCELLED", outcome: "failed", details: { peer: "b", name: "x" } });
    expect((error as LaneError).details.bytes).toBeGreaterThan(0);
    await lab.world.runFor(1_000);
    expect(received).toBe("not now");
    expect(await lab.names()).toEqual([]);
  });

  it("before it began: nothing begins", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const signal = AbortSignal.abort("early");
    expect(await errorOf(lab.sender.sendBytes(connection, content(1), { name: "x", signal }))).toBe("early");
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      received = await errorOf(offer.saveTo("/in/x", { signal }));
    };
    expect(await errorOf(lab.wait(lab.sender.sendBytes(connection, content(1), { name: "x" })))).toMatchObject({
      code: "OCTOPII_LANE_CANCELLED",
    });
    expect(received).toBe("early");
    expect(await lab.names()).toEqual([]);
  });

  it("many by one signal leaves no listeners behind", async () => {
    const pair = await Pair.open();
    const connection = await pair.connect();
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on("warning", warned);
    pair.receiver.onOffer = () => new Promise(() => undefined);
    const controller = new AbortController();
    const sending = Array.from({ length: 30 }, (_, i) =>
      errorOf(pair.sender.sendBytes(connection, content(10), { name: `x${i}`, signal: controller.signal })),
    );
    await pair.rest();
    expect(pair.sender.stats()).toMatchObject({ sending: 16, waiting: 14 });
    controller.abort("all");
    expect(new Set(await pair.settle(Promise.all(sending)))).toEqual(new Set(["all"]));
    process.off("warning", warned);
    expect(warnings).toEqual([]);
    expect(pair.sender.stats()).toMatchObject({ sending: 0, waiting: 0, sendFailures: 30 });
  });
});

describe("when nothing moves", () => {
  it("a sender gives up on a receiver that does not decide, and a receiver on a handler", async () => {
    const lab = await LaneLab.open(1, { noProgressTimeoutMs: 1_000 });
    let aborted: unknown = null;
    lab.receiver.onOffer = (offer) =>
      new Promise((resolve) => {
        offer.signal.addEventListener("abort", () => {
          aborted = offer.signal.reason;
          resolve();
        });
      });
    const start = lab.world.now();
    const error = await errorOf(lab.wait(lab.sender.sendBytes(await lab.connect(), content(10), { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT", outcome: "failed" });
    expect(lab.world.now() - start).toBeGreaterThanOrEqual(1_000);
    expect(lab.world.now() - start).toBeLessThan(1_200);
    await lab.world.runFor(1_000);
    expect(aborted).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT" });
    expect(lab.receiver.stats().receiving).toBe(0);
  });

  it("a receiver gives up on a sender that sends nothing, before its offer or after it", async () => {
    const lab = await LaneLab.open(1, { noProgressTimeoutMs: 1_000 });
    const connection = await lab.connect();
    const silent = connection.openStream(laneProtocol);
    silent.write(new Uint8Array([9]));
    await lab.world.runFor(900);
    expect(lab.receiver.stats().receiving).toBe(1);
    await lab.world.runFor(200);
    expect(lab.receiver.stats().receiving).toBe(0);
  });

  it("in a disk that hangs, either side gives up; and a transfer that merely takes long is left alone", async () => {
    const lab = await LaneLab.open(1, { noProgressTimeoutMs: 1_000, chunkBytes });
    const connection = await lab.connect();
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      const onProgress = (): void => lab.disk.stall(3_000);
      received = await errorOf(offer.saveTo("/in/x", { onProgress }));
    };
    const error = await errorOf(lab.wait(lab.sender.sendBytes(connection, content(MiB), { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT" });
    await lab.world.runFor(10_000);
    expect(received).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT" });
    expect(await lab.names()).toEqual([]);

    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/in/y", { onProgress: () => lab.disk.stall(500) });
    };
    const start = lab.world.now();
    await lab.wait(lab.sender.sendBytes(connection, content(100_000), { name: "y" }));
    expect(lab.world.now() - start).toBeGreaterThan(4_000);
    expect(print(lab.cached("/in/y"))).toBe(print(content(100_000)));
  });

  it("a network that is cut ends both sides", async () => {
    const lab = await LaneLab.open(1, { noProgressTimeoutMs: 2_000 });
    const sending = errorOf(lab.sender.sendBytes(await lab.connect(), content(3 * MiB), { name: "x" }));
    await lab.world.runFor(3);
    lab.world.network.partition(["a"], ["b"]);
    expect(await lab.wait(sending)).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT" });
    await lab.world.runFor(3_000);
    expect(await lab.names()).toEqual([]);
    expect(lab.receiver.stats().receiving).toBe(0);
  });
});

describe("memory", () => {
  it("is constant: a receiver that does not read holds the sender up, and a sender reads no further ahead", async () => {
    const pair = await Pair.open({ chunkBytes: 64 * 1024 }, { streamWindowBytes: 256 * 1024, sendBufferBytes: 128 * 1024 });
    const connection = await pair.connect();
    let proceed: () => void = () => undefined;
    pair.receiver.onOffer = async (offer) => {
      // Nothing travels before it is taken.
      await new Promise<void>((resolve) => {
        proceed = resolve;
      });
      await offer.toMemory();
    };
    let written = 0;
    const open = connection.openStream.bind(connection);
    connection.openStream = (protocol) => {
      const stream = open(protocol);
      const write = stream.write.bind(stream);
      stream.write = (bytes) => {
        written += bytes.length;
        return write(bytes);
      };
      return stream;
    };
    const sending = pair.sender.sendBytes(connection, content(4 * MiB), { name: "x" });
    await pair.rest();
    expect(written).toBeLessThan(200);
    proceed();
    await pair.settle(sending);
    expect(written).toBeGreaterThan(4 * MiB);

    // And one that takes it, and then does not read on.
    written = 0;
    const [server] = pair.accepted;
    if (server === undefined) throw new Error("Nothing was accepted.");
    server.onStream = (stream: Stream) => {
      stream.read();
      const accept = new Uint8Array(13);
      accept.set([9, 0, 0, 0, 2]);
      stream.write(accept);
    };
    const stuck = errorOf(pair.sender.sendBytes(connection, content(8 * MiB), { name: "x" }));
    await pair.rest();
    await pair.rest();
    expect(written).toBeLessThan(MiB);
    pair.time.advance(shippingLaneDefaults.noProgressTimeoutMs);
    expect(await pair.settle(stuck)).toMatchObject({ code: "OCTOPII_LANE_TIMEOUT" });
  });
});

describe("a disk that is slow at the receiver", () => {
  it("holds the sender up: no more is under way than the windows allow", async () => {
    const lab = await LaneLab.open(1, { chunkBytes: 64 * 1024 });
    let isStalled = false;
    lab.receiver.onOffer = async (offer) => {
      const onProgress = (): void => {
        if (isStalled) return;
        isStalled = true;
        lab.disk.stall(20_000);
      };
      await offer.saveTo("/in/x", { onProgress });
    };
    let written = 0;
    const connection = tampered(await lab.connect(), (data) => {
      written += data.length;
      return data;
    });
    const bytes = content(8 * MiB);
    const sending = lab.sender.sendBytes(connection, bytes, { name: "x" });
    await lab.world.runFor(10_000);
    expect(isStalled).toBe(true);
    expect(written).toBeLessThan(MiB);
    await lab.wait(sending);
    expect(print(lab.cached("/in/x"))).toBe(print(bytes));
  });
});

describe("limits", () => {
  it("so many are sent at once, more wait their turn, and beyond that they are refused", async () => {
    const pair = await Pair.open({ maxSendingPerConnection: 2, maxWaitingPerConnection: 3 });
    const connection = await pair.connect();
    let running = 0;
    let most = 0;
    const order: string[] = [];
    pair.receiver.onOffer = async (offer) => {
      running += 1;
      most = Math.max(most, running);
      order.push(offer.name);
      await offer.toMemory();
      running -= 1;
    };
    const sending = Array.from({ length: 6 }, (_, i) => errorOf(pair.sender.sendBytes(connection, content(100_000), { name: `${i}` })));
    const errors = await pair.settle(Promise.all(sending));
    expect(errors.filter((error) => error !== null)).toEqual([expect.objectContaining({ code: "OCTOPII_LANE_BUSY", outcome: "failed" })]);
    expect(errors.at(5)).not.toBeNull();
    expect(order).toEqual(["0", "1", "2", "3", "4"]);
    expect(most).toBeLessThanOrEqual(2);
    // A slow peer takes nothing from another one.
    const other = await pair.connect("other");
    expect(await errorOf(pair.settle(pair.sender.sendBytes(other, content(10), { name: "o" })))).toBeNull();
  });

  it("so many are received at once from one peer, and from all", async () => {
    const pair = await Pair.open({ maxReceivingPerPeer: 2, maxReceiving: 3 });
    const [first, second] = [await pair.connect("first"), await pair.connect("second")];
    const resolvers: (() => void)[] = [];
    pair.receiver.onOffer = async (offer) => {
      await new Promise<void>((resolve) => resolvers.push(resolve));
      await offer.toMemory();
    };
    const send = (connection: typeof first, name: string) => errorOf(pair.sender.sendBytes(connection, content(10), { name }));
    const a = [send(first, "1"), send(first, "2"), send(first, "3")];
    await pair.rest();
    const b = [send(second, "4"), send(second, "5")];
    await pair.rest();
    expect(resolvers).toHaveLength(3);
    expect(pair.receiver.stats()).toMatchObject({ receiving: 3, turnedAway: 2 });
    for (const resolve of resolvers) resolve();
    const errors = await pair.settle(Promise.all([...a, ...b]));
    const busy = expect.objectContaining({ code: "OCTOPII_LANE_BUSY" });
    expect(errors).toEqual([null, null, busy, null, busy]);
    pair.receiver.onOffer = async (offer) => {
      await offer.toMemory();
    };
    expect(await pair.settle(send(first, "6"))).toBeNull();
  });
});

describe("closing a lane", () => {
  it("ends everything, tells the peers, and leaves no file", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    const connection = await lab.connect();
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      received = await errorOf(offer.saveTo("/in/x"));
    };
    const sending = errorOf(lab.sender.sendBytes(connection, content(3 * MiB), { name: "x" }));
    await lab.world.runFor(3);
    expect(lab.receiver.stats().receiving).toBe(1);
    await lab.wait(lab.receiver.close());
    expect(received).toMatchObject({ code: "OCTOPII_LANE_CLOSED" });
    expect(await lab.names()).toEqual([]);
    expect(await lab.wait(sending)).toMatchObject({ code: "OCTOPII_LANE_CLOSED" });
    expect(await errorOf(lab.wait(lab.sender.sendBytes(connection, content(1), { name: "x" })))).toMatchObject({
      code: "OCTOPII_LANE_CLOSED",
    });
    expect(lab.receiver.close()).toBe(lab.receiver.close());
  });

  it("gives up what is sent and what waits, and takes nothing more", async () => {
    const pair = await Pair.open({ maxSendingPerConnection: 1 });
    const connection = await pair.connect();
    pair.receiver.onOffer = () => new Promise(() => undefined);
    const sending = [1, 2].map(() => errorOf(pair.sender.sendBytes(connection, content(10), { name: "x" })));
    await pair.rest();
    await pair.settle(pair.sender.close());
    const closed = expect.objectContaining({ code: "OCTOPII_LANE_CLOSED" });
    expect(await Promise.all(sending)).toEqual([closed, closed]);
    expect(await errorOf(pair.sender.sendBytes(connection, content(10), { name: "x" }))).toEqual(closed);
  });

  it("waits for what is being published", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    let closing: Promise<void> | null = null;
    let received: unknown = "nothing";
    lab.receiver.onOffer = async (offer) => {
      received = await offer.saveTo("/in/x");
    };
    const sending = lab.sender.sendBytes(await lab.connect(), content(45_000), { name: "x" });
    lab.disk.faults.hook = (operation) => {
      if (operation === "rename") closing ??= lab.receiver.close();
      return null;
    };
    expect(await lab.wait(sending)).toMatchObject({ bytes: 45_000 });
    expect(closing).not.toBeNull();
    await lab.wait(closing ?? Promise.resolve());
    expect(received).toMatchObject({ bytes: 45_000 });
  });
});

describe("options and errors", () => {
  it("are checked all at once", () => {
    expect(() => createShippingLane({}, { chunkBytes: 1, maxReceiving: 0, ...({ colour: "red" } as object) })).toThrow(
      /colour is not an option; chunkBytes must be an integer from 1024 to 4194304, not 1; maxReceiving/,
    );
    expect(resolveShippingLaneOptions({ chunkBytes: 2_048 })).toEqual({ ...shippingLaneDefaults, chunkBytes: 2_048 });
  });

  it("per transfer, too", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    expect(await errorOf(lab.sender.sendBytes(connection, content(1), { name: "x", noProgressTimeoutMs: 0 }))).toBeInstanceOf(RangeError);
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      received = await errorOf(offer.toMemory({ maxBytes: -1 }));
    };
    expect(await errorOf(lab.wait(lab.sender.sendBytes(connection, content(1), { name: "x" })))).toMatchObject({ name: "LaneError" });
    expect(received).toBeInstanceOf(RangeError);
  });

  it("are told by shape", () => {
    const error = new LaneError("OCTOPII_LANE_BUSY", "Busy.");
    expect(isLaneError(error)).toBe(true);
    expect(isLaneError(error, "OCTOPII_LANE_BUSY")).toBe(true);
    expect(isLaneError(error, "OCTOPII_LANE_EXISTS")).toBe(false);
    expect(isLaneError(Object.assign(new Error("x"), { name: "LaneError", code: "OCTOPII_LANE_BUSY" }), "OCTOPII_LANE_BUSY")).toBe(true);
    expect(isLaneError({ name: "LaneError" })).toBe(false);
  });
});
