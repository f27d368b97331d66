import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import type { QuicTransportOptions } from "../src/options.js";
import type { QuicEngine, UdpSockets } from "../src/ports.js";
import { createQuicTransport } from "../src/quic-transport.js";
import { fakeEngine } from "./simulation/fake-engine.js";
import { createCluster, optionsOf } from "./support.js";

const cluster = await createCluster("rotation");
const [first, second, third] = await Promise.all([1, 2, 3].map((id) => optionsOf(cluster, id)));
const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A transport whose engine is loaded when the test says so, and the certificates that its dials showed. */
function lab() {
  const time = createManualTime();
  const loads: { readonly succeed: () => Promise<void>; readonly fail: () => Promise<void> }[] = [];
  const shown: string[] = [];
  const real = fakeEngine(time.clock);
  const engine: QuicEngine = {
    createContext: (settings) => {
      const context = real.createContext(settings);
      return {
        ...context,
        accept: (...parts) => context.accept(...parts),
        retry: (...parts) => context.retry(...parts),
        connect: (...parts) => {
          shown.push(settings.certificate);
          return context.connect(...parts);
        },
      };
    },
  };
  const loadEngine = (): Promise<QuicEngine> =>
    new Promise((resolve, reject) => {
      const then = (settle: () => void) => async (): Promise<void> => {
        settle();
        await settled();
      };
      loads.push({ succeed: then(() => resolve(engine)), fail: then(() => reject(new Error("no engine"))) });
    });
  const socket = {
    host: "0.0.0.0",
    port: 1,
    take: () => null,
    giveBack: () => undefined,
    send: () => undefined,
    close: () => Promise.resolve(),
  };
  const sockets: UdpSockets = { open: async () => socket, resolve: async (host) => ({ host, family: 4 }) };
  if (first === undefined) throw new Error("there is no certificate");
  const transport = createQuicTransport(first, { ...time, random: createRandom(1), sockets, loadEngine });
  const dial = async (): Promise<void> => {
    transport.connect("10.0.0.1:1").catch(() => undefined);
    await settled();
  };
  const replace = (own: QuicTransportOptions | undefined): Promise<void> =>
    transport.replaceCredentials(own?.credentials ?? first.credentials);
  return { transport, loads, shown, dial, replace };
}

const certificateOf = (own: typeof first): string => own?.credentials.certificate ?? "";

describe("credentials that are replaced several times at once", () => {
  it("are those of the last call, whichever was ready last", async () => {
    const { loads, shown, dial, replace } = lab();
    await dial();
    await loads[0]?.succeed();
    const calls = [replace(second), replace(third)];
    await settled();
    // The one that was called last is the first that could be ready.
    for (const load of loads.slice(1).reverse()) await load.succeed();
    await settled();
    for (const load of loads.slice(1)) await load.succeed();
    await Promise.all(calls);
    await dial();
    expect(shown).toEqual([certificateOf(first), certificateOf(third)]);
  });

  it("are those of the last call that succeeded, and the good ones settle in their order", async () => {
    const { loads, shown, dial, transport, replace } = lab();
    await dial();
    await loads[0]?.succeed();
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const calls = [
      replace(second).then(note("second")),
      transport.replaceCredentials({ certificate: "x", privateKey: "y", authorities: "z" }).catch(note("nonsense")),
      replace(third).then(note("third")),
    ];
    for (let i = 1; i < 4; i++) {
      await settled();
      await loads[i]?.succeed();
    }
    await Promise.all(calls);
    expect(order).toEqual(["nonsense", "second", "third"]);
    await dial();
    expect(shown).toEqual([certificateOf(first), certificateOf(third)]);
  });

  it("are not undone by an engine that was being loaded for the old ones", async () => {
    const { loads, shown, dial, replace } = lab();
    await dial();
    const replaced = replace(second);
    await settled();
    // The first load fails, and a second dial loads anew with the old credentials.
    await loads[0]?.fail();
    await dial();
    await loads[1]?.succeed();
    await loads[2]?.succeed();
    await replaced;
    await settled();
    await dial();
    expect(shown.at(-1)).toBe(certificateOf(second));
  });
});
