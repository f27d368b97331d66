import type { PowerLossOptions } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import type { LaneError } from "../src/index.js";
import { content, errorOf, LaneLab, print, tampered } from "./support/lane-lab.js";

const chunkBytes = 10_000;
const bytes = content(45_000);

describe("a byte that changes on the way", () => {
  /** Offer, then head and data of five chunks, then the end. */
  it.each(Array.from({ length: 12 }, (_, piece) => [piece]))("in piece %i of what is sent is noticed, wherever it is", async (piece) => {
    for (const place of [0, 4, 5, 9, 14, 0.5, 0.99]) {
      const lab = await LaneLab.open(piece, { chunkBytes, noProgressTimeoutMs: 2_000 });
      await lab.put("/out/x", bytes);
      let published = 0;
      lab.receiver.onOffer = async (offer) => {
        await offer.saveTo("/in/x");
        published += 1;
      };
      const connection = tampered(await lab.connect(), (data, index) => {
        if (index !== piece) return data;
        const changed = data.slice();
        const at = place < 1 && place > 0 ? Math.floor(place * data.length) : Math.min(place, data.length - 1);
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        return changed;
      });
      const error = await errorOf(lab.wait(lab.sender.sendFile(connection, "/out/x")));
      await lab.world.runFor(5_000);
      const label = `piece ${piece}, place ${place}`;
      if (error === null) {
        // What the offer says of name, id and metadata may change: it is the receiver's to judge. The content is never another.
        expect([label, piece, print(lab.cached("/in/x"))]).toEqual([label, 0, print(bytes)]);
      } else {
        expect([label, (error as LaneError).outcome, published]).toEqual([label, piece === 11 ? expect.anything() : "failed", 0]);
        expect([label, await lab.names()]).toEqual([label, []]);
      }
      expect([label, lab.receiver.stats().receiving]).toEqual([label, 0]);
    }
  });

  it("is corruption, and says so: in data, in a checksum, and where even the chunk's checksum was made to fit", async () => {
    const { crc32 } = await import("node:zlib");
    const codes: unknown[] = [];
    for (const how of ["data", "crc", "both", "digest"]) {
      const lab = await LaneLab.open(how, { chunkBytes });
      let head: Uint8Array | null = null;
      const connection = tampered(await lab.connect(), (data, index) => {
        const changed = data.slice();
        if (how === "data" && index === 4) changed[100] = (changed[100] ?? 0) ^ 1;
        if (how === "crc" && index === 3) changed[15] = (changed[15] ?? 0) ^ 1;
        if (how === "digest" && index === 11) changed[20] = (changed[20] ?? 0) ^ 1;
        if (how === "both" && index === 3) {
          // The data follows: its checksum is made for what it will be.
          const later = bytes.slice(chunkBytes, 2 * chunkBytes);
          later[100] = (later[100] ?? 0) ^ 1;
          new DataView(changed.buffer).setUint32(14, crc32(later, crc32(changed.subarray(4, 14))), true);
          head = changed;
        }
        if (how === "both" && index === 4) changed[100] = (changed[100] ?? 0) ^ 1;
        return changed;
      });
      let received: unknown = null;
      lab.receiver.onOffer = async (offer) => {
        received = await errorOf(offer.saveTo("/in/x"));
      };
      const error = await errorOf(lab.wait(lab.sender.sendBytes(connection, bytes, { name: "x" })));
      expect(how === "both").toBe(head !== null);
      codes.push([how, (error as LaneError).code, (received as LaneError).code]);
      expect(await lab.names()).toEqual([]);
    }
    const corrupt = "OCTOPII_LANE_CORRUPT";
    expect(codes).toEqual(["data", "crc", "both", "digest"].map((how) => [how, corrupt, corrupt]));
  });
});

describe("a stream that is cut", () => {
  it("before, at or within any frame leaves nothing, and both sides know", async () => {
    for (let cut = 0; cut <= 12; cut++) {
      for (const within of [false, true]) {
        const lab = await LaneLab.open(cut, { chunkBytes });
        let received: unknown = null;
        lab.receiver.onOffer = async (offer) => {
          received = await errorOf(offer.saveTo("/in/x"));
        };
        const connection = await lab.connect();
        let wrote = 0;
        const lose = (data: Uint8Array, index: number): Uint8Array => {
          wrote = index;
          if (index < cut) return data;
          if (index === cut) lab.world.scheduler("a").nextTurn(() => connection.close(1, "cut"));
          return index === cut && within ? data.slice(0, data.length >> 1) : new Uint8Array(0);
        };
        const cutting = tampered(connection, lose, () => wrote >= cut);
        const error = await errorOf(lab.wait(lab.sender.sendBytes(cutting, bytes, { name: "x" })));
        await lab.world.runFor(1_000);
        const label = `cut ${cut}, within ${within}`;
        // Pieces 0 to 11 are all there are: only if none of them is lost can it be published.
        const isWhole = cut === 12;
        if (isWhole) expect([label, error, await lab.names(), print(lab.cached("/in/x"))]).toEqual([label, null, ["x"], print(bytes)]);
        else {
          // Once everything has been given to the stream, nobody here can know how much of it arrived.
          const outcome = wrote >= 11 ? "unknown" : "failed";
          const code = "OCTOPII_LANE_DISCONNECTED";
          expect([label, error]).toEqual([label, expect.objectContaining({ code, outcome })]);
          if (received !== null) expect([label, received]).toEqual([label, expect.objectContaining({ code, outcome: "failed" })]);
          expect([label, received === null]).toEqual([label, cut === 0]);
        }
        expect([label, (await lab.names()).filter((name) => name !== "x")]).toEqual([label, []]);
        expect([label, lab.sender.stats().sending, lab.receiver.stats().receiving]).toEqual([label, 0, 0]);
      }
    }
  });

  it("on the way back, at any answer, is no less noticed", async () => {
    for (let cut = 0; cut <= 6; cut++) {
      const lab = await LaneLab.open(cut, { chunkBytes, noProgressTimeoutMs: 1_000 });
      lab.answerTamper = (data, index, stream) => {
        if (index !== cut) return data;
        lab.world.scheduler("b").nextTurn(() => stream.reset(77));
        return data.slice(0, 2);
      };
      const error = await errorOf(lab.wait(lab.sender.sendBytes(await lab.connect(), bytes, { name: "x" })));
      await lab.world.runFor(5_000);
      expect([cut, error]).toEqual([cut, expect.objectContaining({ name: "LaneError" })]);
      const names = await lab.names();
      if (names.length > 0) expect([cut, names, print(lab.cached("/in/x"))]).toEqual([cut, ["x"], print(bytes)]);
      expect([cut, lab.receiver.stats().receiving]).toEqual([cut, 0]);
    }
  });
});

describe("a disk that fails at the receiver", () => {
  const operations = [
    ["open", "ENOSPC", "/in"],
    ["write", "ENOSPC", "/in"],
    ["write", "EIO", "/in"],
    ["sync", "EIO", "/in"],
    ["rename", "EIO", "/in"],
    ["close", "EIO", "/in"],
  ] as const;

  it.each(operations)("in %s with %s: a typed error on both sides, and nothing stays", async (operation, code, path) => {
    for (const skip of operation === "write" ? [0, 1, 4] : [operation === "open" ? 1 : 0]) {
      const lab = await LaneLab.open(1, { chunkBytes });
      lab.disk.failNext(operation, { code, path, skip });
      let received: unknown = null;
      lab.receiver.onOffer = async (offer) => {
        received = await errorOf(offer.saveTo("/in/x"));
      };
      const connection = await lab.connect();
      const error = await errorOf(lab.wait(lab.sender.sendBytes(connection, bytes, { name: "x" })));
      const expected = { code: "OCTOPII_LANE_STORAGE_FAILED", outcome: "failed" };
      expect([skip, error]).toEqual([skip, expect.objectContaining(expected)]);
      // The peer learns what happened, and not where.
      expect((error as LaneError).message).toContain(code);
      expect((error as LaneError).message).not.toContain("/in");
      expect(received).toMatchObject({ ...expected, cause: { code } });
      await lab.world.runFor(1_000);
      expect(await lab.names()).toEqual([]);
      // And the next one is fine.
      lab.receiver.onOffer = async (offer) => {
        await offer.saveTo("/in/x");
      };
      await lab.wait(lab.sender.sendBytes(connection, bytes, { name: "x" }));
      expect(print(lab.disk.readDurable("/in/x"))).toBe(print(bytes));
    }
  });

  it("in flushing the directory: the outcome is unknown, and what is there is whole", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    lab.disk.failNext("syncDirectory", { code: "EIO", path: "/in" });
    const error = await errorOf(lab.wait(lab.sender.sendBytes(await lab.connect(), bytes, { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_STORAGE_FAILED", outcome: "unknown" });
    expect(await lab.names()).toEqual(["x"]);
    expect(print(lab.cached("/in/x"))).toBe(print(bytes));
  });

  it("so that an unfinished file cannot be removed: the next transfer does it", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    const connection = await lab.connect();
    lab.disk.failNext("write", { code: "EIO", path: "/in", skip: 2 });
    lab.disk.failNext("remove", { code: "EIO", path: "/in" });
    await errorOf(lab.wait(lab.sender.sendBytes(connection, bytes, { name: "x" })));
    await lab.world.runFor(1_000);
    expect(await lab.names()).toEqual([expect.stringMatching(/^\.octopii-lane-[0-9a-f]{24}$/)]);
    await lab.wait(lab.sender.sendBytes(connection, bytes, { name: "y" }));
    expect(await lab.names()).toEqual(["y"]);
  });

  it("by being full: the rest of the machine gets its space back", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    lab.disk.configure({ capacityBytes: 30_000 });
    const connection = await lab.connect();
    const error = await errorOf(lab.wait(lab.sender.sendBytes(connection, bytes, { name: "x" })));
    expect(error).toMatchObject({ code: "OCTOPII_LANE_STORAGE_FAILED", message: expect.stringContaining("ENOSPC") });
    await lab.world.runFor(1_000);
    expect(await lab.names()).toEqual([]);
    await lab.wait(lab.sender.sendBytes(connection, bytes.subarray(0, 25_000), { name: "y" }));
    expect(print(lab.cached("/in/y"))).toBe(print(bytes.subarray(0, 25_000)));
  });
});

describe("a receiver that crashes at any moment", () => {
  const losses: readonly (PowerLossOptions | null)[] = [null, { unsynced: "lose" }, { unsynced: "prefix" }, { unsynced: "subset" }];
  const old = content(7_000, 9);

  it.each(losses.map((loss) => [JSON.stringify(loss), loss] as const))(
    "%s: has the old file or the new one, whole",
    async (_name, loss) => {
      for (let events = 0, isOver = false; !isOver; events += 3) {
        const lab = await LaneLab.open(events + 1, { chunkBytes, noProgressTimeoutMs: 5_000 });
        lab.receiver.onOffer = async (offer) => {
          await offer.saveTo("/in/x", { replace: true });
        };
        const connection = await lab.connect();
        await lab.wait(lab.sender.sendBytes(connection, old, { name: "x" }));
        const start = lab.world.events;
        let isSent = false;
        const sending = lab.sender.sendBytes(connection, bytes, { name: "x" });
        const sent = sending.then(
          () => {
            isSent = true;
          },
          () => undefined,
        );
        await lab.world.runUntil(() => isSent || lab.world.events - start >= events);
        isOver = isSent;
        await lab.restart(loss);
        const label = `${JSON.stringify(loss)}, event ${events}`;
        const found = print(lab.cached("/in/x"));
        expect([label, isSent ? [print(bytes)] : [print(old), print(bytes)]]).toEqual([label, expect.arrayContaining([found])]);
        // The sender hears of it one way or the other, and what was left goes with the next transfer.
        await lab.wait(sent);
        const again = await lab.connect();
        await lab.wait(lab.sender.sendBytes(again, bytes, { name: "y" }));
        expect([label, await lab.names()]).toEqual([label, ["x", "y"]]);
        if (isOver) expect(events).toBeGreaterThan(20);
      }
    },
    60_000,
  );

  it("what a crash left can be cleaned up at the start", async () => {
    const lab = await LaneLab.open(1, { chunkBytes });
    const sending = errorOf(lab.sender.sendBytes(await lab.connect(), content(3_000_000), { name: "x" }));
    await lab.world.runFor(5);
    expect(await lab.names()).toHaveLength(1);
    await lab.restart(null);
    expect(await lab.names()).toHaveLength(1);
    expect(await lab.wait(lab.receiver.cleanUp("/in"))).toBe(1);
    expect(await lab.names()).toEqual([]);
    expect(await lab.wait(sending)).toMatchObject({ code: expect.stringMatching(/DISCONNECTED|TIMEOUT/) });
  });
});
