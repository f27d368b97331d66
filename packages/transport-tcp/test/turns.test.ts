import type { Connection, Scheduler } from "@octopii/interfaces";
import { systemScheduler } from "@octopii/system";
import { describe, expect, it } from "vitest";
import { createTcpTransport } from "../src/index.js";
import { createCluster, optionsOf } from "./support.js";

describe("an answer that is written as soon as its question was read", () => {
  it("leaves in the same turn of the event loop, and costs none of its own", async () => {
    let turns = 0;
    const scheduler: Scheduler = {
      setTimer: (delayMs, callback) => systemScheduler.setTimer(delayMs, callback),
      nextTurn: (callback) => {
        turns += 1;
        systemScheduler.nextTurn(callback);
      },
    };
    const cluster = await createCluster("reef");
    const [one, two] = await Promise.all([1, 2].map(async (id) => createTcpTransport(await optionsOf(cluster, id), { scheduler })));
    if (one === undefined || two === undefined) throw new Error("no transports");
    try {
      const onConnection = (connection: Connection): void => {
        connection.onStream = (stream) => {
          stream.onReadable = () => {
            for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) stream.write(bytes);
          };
        };
      };
      const { address } = await one.listen({ address: "127.0.0.1:0", onConnection });
      const stream = (await two.connect(address)).openStream("echo");
      let before = 0;
      await new Promise<void>((resolve) => {
        let answers = 0;
        stream.onReadable = () => {
          while (stream.read() !== null);
          answers += 1;
          if (answers === 10) before = turns;
          if (answers === 110) resolve();
          else stream.write(new Uint8Array(64));
        };
        stream.write(new Uint8Array(64));
      });
      expect(turns - before).toBeLessThan(10);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});
