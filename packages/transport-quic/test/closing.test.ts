import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import type { UdpSocket, UdpSockets } from "../src/ports.js";
import { createQuicTransport } from "../src/quic-transport.js";
import { fakeEngine } from "./simulation/fake-engine.js";
import { createCluster, optionsOf } from "./support.js";

const options = await optionsOf(await createCluster("closing"), 1);
const microtasks = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe("a QUIC transport that is closed while it opens a socket", () => {
  it.each(["listens", "dials"])("because it %s, is closed only when that is closed too", async (what) => {
    let opened: (socket: UdpSocket) => void = () => undefined;
    let closedSockets = 0;
    const sockets: UdpSockets = {
      resolve: async (host) => ({ host, family: 4 }),
      open: () =>
        new Promise((resolve) => {
          opened = resolve;
        }),
    };
    const time = createManualTime();
    const loadEngine = () => Promise.resolve(fakeEngine(time.clock));
    const transport = createQuicTransport(options, { ...time, random: createRandom(1), sockets, loadEngine });
    const begun =
      what === "dials" ? transport.connect("10.0.0.1:1") : transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const outcome = begun.catch((error: unknown) => error);
    await microtasks();
    let isClosed = false;
    const closed = transport.close().then(() => {
      isClosed = true;
    });
    await microtasks();
    expect(isClosed).toBe(false);
    opened({
      host: "0.0.0.0",
      port: 1,
      take: () => null,
      giveBack: () => undefined,
      send: () => undefined,
      close: async () => {
        closedSockets += 1;
      },
    });
    await closed;
    expect(closedSockets).toBe(1);
    expect(await outcome).toMatchObject({ code: "OCTOPII_QUIC_TRANSPORT_CLOSED" });
  });
});
