import { describe, expect, it } from "vitest";
import { acceptStreams, asyncStream } from "../src/index.js";
import { bytes, readAll, reason, withPair } from "./support.js";

describe("streams that the peer opens", () => {
  it("come in order, with what they brought, until the connection ends", () =>
    withPair(async ({ client, server }) => {
      const names = ["a/1", "b/1", "c/1"];
      for (const name of names) {
        const view = asyncStream(client.openStream(name));
        await view.write(bytes(`of ${name}`));
        view.end();
      }
      const seen: string[] = [];
      for await (const stream of acceptStreams(server)) {
        seen.push(`${stream.protocol} ${await readAll(stream)}`);
        stream.end();
        if (seen.length === names.length) client.close(0, "done");
      }
      expect(seen).toEqual(["a/1 of a/1", "b/1 of b/1", "c/1 of c/1"]);
    }));

  it("are refused beyond the limit, and when the loop is left", () =>
    withPair(async ({ client, server }) => {
      const loop = acceptStreams(server, { waitingMax: 2, refusalCode: 11 })[Symbol.asyncIterator]();
      const opened = [1, 2, 3].map((i) => asyncStream(client.openStream(`s/${i}`)));
      expect(await reason((opened[2] as (typeof opened)[number]).read())).toMatchObject({
        code: "OCTOPII_STREAM_RESET",
        details: { streamCode: 11 },
      });
      expect((await loop.next()).value?.protocol).toBe("s/1");
      await loop.return?.();
      expect(await reason((opened[1] as (typeof opened)[number]).read())).toMatchObject({
        code: "OCTOPII_STREAM_RESET",
        details: { streamCode: 11 },
      });
      expect([server.onStream, await loop.next()]).toEqual([null, { done: true, value: undefined }]);
    }));

  it("have one owner, and options that make sense", () =>
    withPair(async ({ server }) => {
      acceptStreams(server)[Symbol.asyncIterator]();
      expect(() => acceptStreams(server)[Symbol.asyncIterator]()).toThrow("one owner");
      expect(() => acceptStreams(server, { waitingMax: 0, refusalCode: -1 })).toThrow(/waitingMax .* 0; refusalCode .* -1/);
    }));
});

it("two waits for a stream both end when the connection does, and leaving twice takes nobody's streams away", () =>
  withPair(async ({ client, server }) => {
    const loop = acceptStreams(server)[Symbol.asyncIterator]();
    const waits = [loop.next(), loop.next()];
    asyncStream(client.openStream("only/1"));
    expect((await waits[0])?.value?.protocol).toBe("only/1");
    await loop.return?.();
    expect(await waits[1]).toEqual({ done: true, value: undefined });
    const other = acceptStreams(server)[Symbol.asyncIterator]();
    await loop.return?.();
    expect(server.onStream).not.toBeNull();
    client.close(0, "done");
    expect(await other.next()).toEqual({ done: true, value: undefined });
  }));
