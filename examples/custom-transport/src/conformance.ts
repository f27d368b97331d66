/** Holds the transport to the contract: `pnpm conformance`. */
import { type AddressInfo, createServer } from "node:net";
import { after, test } from "node:test";
import type { Scheduler } from "@octopii/interfaces";
import { refusalReason, testTransport } from "@octopii/testing/transport-conformance";
import { createInsecureTransport } from "./insecure-transport.js";

const identity = (nodeId: number) => ({ name: `node-${nodeId}`, cluster: "demo", nodeId });
const scheduler: Scheduler = {
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: setImmediate,
};

// It accepts and never says a word.
const mute = createServer((socket) => void socket.on("error", () => undefined).resume());
await new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve));
after(() => void mute.close());

const cases = testTransport(
  "insecure",
  async () => ({
    server: createInsecureTransport({ identity: identity(1) }),
    client: createInsecureTransport({ identity: identity(2) }),
    listenAddress: "127.0.0.1:0",
    unreachableAddress: `127.0.0.1:${(mute.address() as AddressInfo).port}`,
    stranger: {
      transport: createInsecureTransport({
        identity: identity(3),
        insecureIdentify: () => ({ accepted: false, reason: refusalReason }),
      }),
      listenAddress: "127.0.0.1:0",
    },
    serverIdentity: identity(1),
    clientIdentity: identity(2),
  }),
  { scheduler },
);
for (const { name, run } of cases) void test(name, run);
