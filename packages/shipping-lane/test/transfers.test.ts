import { describe, expect, it } from "vitest";
import type { TransferProgress } from "../src/index.js";
import { content, errorOf, LaneLab, Pair, print, sha256 } from "./support/lane-lab.js";

describe("a transfer", () => {
  it("takes a file to a file, and both sides know what came", async () => {
    const lab = await LaneLab.open();
    const bytes = content(1_000_000);
    await lab.put("/out/data.bin", bytes);
    let received: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      expect(offer).toMatchObject({ name: "data.bin", size: 1_000_000, metadata: { kind: "test" } });
      received = await offer.saveTo(`/in/${offer.name}`);
    };
    const connection = await lab.connect();
    const sent = await lab.wait(lab.sender.sendFile(connection, "/out/data.bin", { metadata: { kind: "test" } }));
    expect(sent).toMatchObject({ name: "data.bin", bytes: 1_000_000, checksum: sha256(bytes), peer: { name: "b" } });
    expect(received).toMatchObject({ id: sent.id, bytes: 1_000_000, checksum: sha256(bytes), peer: { name: "a" }, path: "/in/data.bin" });
    expect(sent.durationMs).toBeGreaterThan(0);
    expect(print(lab.cached("/in/data.bin"))).toBe(print(bytes));
    // It was durable before anybody was told.
    expect(print(lab.disk.readDurable("/in/data.bin"))).toBe(print(bytes));
    expect(await lab.names()).toEqual(["data.bin"]);
    expect(lab.warnings).toEqual([]);
  });

  it("takes memory to memory, memory to a file, and a file to memory", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    const bytes = content(300_001);
    const data: Uint8Array[] = [];
    lab.receiver.onOffer = async (offer) => {
      data.push((await offer.toMemory()).data);
    };
    await lab.wait(lab.sender.sendBytes(connection, bytes, { name: "m" }));
    await lab.put("/out/f", bytes);
    await lab.wait(lab.sender.sendFile(connection, "/out/f"));
    expect(data.map(print)).toEqual([print(bytes), print(bytes)]);
    lab.receiver.onOffer = async (offer) => {
      await offer.saveTo("/in/elsewhere");
    };
    await lab.wait(lab.sender.sendBytes(connection, bytes, { name: "m" }));
    expect(print(lab.cached("/in/elsewhere"))).toBe(print(bytes));
  });

  it.each([0, 1, 2, 3, 255, 256, 511, 512, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145])("may have %i bytes", async (size) => {
    const pair = await Pair.open();
    const bytes = content(size, size + 1);
    let data: Uint8Array | null = null;
    pair.receiver.onOffer = async (offer) => {
      data = (await offer.toMemory()).data;
    };
    const connection = await pair.connect();
    const result = await pair.settle(pair.sender.sendBytes(connection, bytes, { name: "edge" }));
    expect(result).toMatchObject({ bytes: size, checksum: sha256(bytes) });
    expect(print(data)).toBe(print(bytes));
  });

  it("of nothing is a file, too", async () => {
    const lab = await LaneLab.open();
    await lab.put("/out/empty", new Uint8Array(0));
    const connection = await lab.connect();
    const progress: TransferProgress[] = [];
    await lab.wait(lab.sender.sendFile(connection, "/out/empty", { onProgress: (one) => progress.push(one) }));
    expect(lab.disk.readDurable("/in/empty")).toEqual(new Uint8Array(0));
    expect(progress).toEqual([{ transferredBytes: 0, totalBytes: 0 }]);
  });

  it("tells both sides how far it has come, and survives callbacks that throw", async () => {
    const lab = await LaneLab.open(1, { chunkBytes: 10_000 });
    const there: number[] = [];
    const here: number[] = [];
    lab.receiver.onOffer = async (offer) => {
      const onProgress = ({ transferredBytes }: TransferProgress): void => {
        there.push(transferredBytes);
        throw new Error("not my day");
      };
      await offer.saveTo("/in/x", { onProgress });
    };
    const connection = await lab.connect();
    const onProgress = ({ transferredBytes }: TransferProgress): number => here.push(transferredBytes);
    await lab.wait(lab.sender.sendBytes(connection, content(45_000), { name: "x", onProgress }));
    expect(there).toEqual([10_000, 20_000, 30_000, 40_000, 45_000]);
    expect(here.at(-1)).toBe(45_000);
    expect(here.every((bytes, at) => at === 0 || bytes > (here[at - 1] as number))).toBe(true);
    expect(lab.warnings).toEqual(Array.from({ length: 5 }, () => "A progress callback threw."));
  });

  it("of a file that is not there, or whose disk fails, says so", async () => {
    const lab = await LaneLab.open();
    const connection = await lab.connect();
    expect(await errorOf(lab.wait(lab.sender.sendFile(connection, "/out/none")))).toMatchObject({
      code: "OCTOPII_LANE_SOURCE_MISSING",
      outcome: "failed",
    });
    await lab.put("/out/bad", content(1_000_000));
    lab.a.disk.failNext("read", { code: "EIO", skip: 2 });
    expect(await errorOf(lab.wait(lab.sender.sendFile(connection, "/out/bad")))).toMatchObject({
      code: "OCTOPII_LANE_SOURCE_FAILED",
      details: { name: "bad", peer: "b" },
    });
    await lab.world.runFor(1_000);
    expect(await lab.names()).toEqual([]);
    expect(lab.receiver.stats().receiving).toBe(0);
    expect(lab.warnings).toContain("Whoever decides about transfers failed.");
  });
});

describe("a file that changes while it is sent", () => {
  it.each([
    ["grows", 4_000_000],
    ["shrinks", 100_000],
    ["vanishes to nothing", 0],
  ])("%s: nothing of it is published", async (_what, size) => {
    const lab = await LaneLab.open(1, { chunkBytes: 50_000 });
    await lab.put("/out/log", content(3_000_000));
    const connection = await lab.connect();
    let changed: Promise<void> | null = null;
    const writer = await lab.wait(lab.a.fileSystem.open("/out/log", { mode: "readWrite" }));
    const onProgress = (): void => {
      changed ??= writer.truncate(size);
    };
    const error = await errorOf(lab.wait(lab.sender.sendFile(connection, "/out/log", { onProgress })));
    expect(changed).not.toBeNull();
    expect(error).toMatchObject({ code: "OCTOPII_LANE_SOURCE_CHANGED", outcome: "failed" });
    await lab.world.runFor(1_000);
    expect(await lab.names()).toEqual([]);
  });

  it("the receiver hears why", async () => {
    const lab = await LaneLab.open(1, { chunkBytes: 50_000 });
    await lab.put("/out/log", content(3_000_000));
    let heard: unknown = null;
    lab.receiver.onOffer = async (offer) => {
      heard = await errorOf(offer.saveTo("/in/log"));
    };
    const writer = await lab.wait(lab.a.fileSystem.open("/out/log", { mode: "readWrite" }));
    const onProgress = (): void => void writer.truncate(400_000);
    await errorOf(lab.wait(lab.sender.sendFile(await lab.connect(), "/out/log", { onProgress })));
    await lab.world.runFor(1_000);
    expect(heard).toMatchObject({ code: "OCTOPII_LANE_SOURCE_CHANGED", message: expect.stringContaining("its file changed") });
  });
});
