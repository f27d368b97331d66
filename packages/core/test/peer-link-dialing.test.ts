import type { Connection, ConnectionClose, Logger, Transport } from "@octopii/interfaces";
import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { PeerLink } from "../src/peers/peer-link.js";
import { greeting, microtasks, ScriptedConnection } from "./support/link-peer.js";

const nothing = (): void => undefined;
const logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing } as Logger;

/** A link whose dials end when, and how, the test says. */
function lab(seed = 1) {
  const time = createManualTime();
  const dials: { readonly at: number; fail(): Promise<void>; succeed(): Promise<(close: ConnectionClose) => Promise<void>> }[] = [];
  const connect = (): Promise<Connection> =>
    new Promise((resolve, reject) => {
      dials.push({
        at: time.clock.now(),
        fail: async () => {
          reject(new Error("no answer"));
          await microtasks();
        },
        succeed: async () => {
          const connection = new ScriptedConnection({ name: "node-2", cluster: null, nodeId: 2 }, greeting("accept", 9, 0));
          resolve(connection);
          await microtasks();
          return async (how) => {
            connection.lose(how);
            await microtasks();
          };
        },
      });
    });
  const ports = { ...time, transport: { connect } as unknown as Transport, random: createRandom(seed), logger };
  const observer = { dialed: nothing, disconnected: nothing };
  const link = new PeerLink(2, "10.0.0.2:7001", { id: 1, life: 7 }, ports, { minMs: 100, maxMs: 2_000 }, observer);
  return { time, dials, link };
}

/** How long a link that is always wanted waits before each of its dials, when all of them fail. */
async function pauses(seed: number, count: number): Promise<number[]> {
  const { time, dials, link } = lab(seed);
  const waited: number[] = [];
  for (let i = 0; i < count; i++) {
    link.dial();
    await dials.at(-1)?.fail();
    const failedAt = time.clock.now();
    while (dials.length === i + 1 && time.clock.now() < failedAt + 10_000) {
      time.advance(1);
      link.dial();
    }
    waited.push(time.clock.now() - failedAt);
  }
  return waited;
}

describe("a link that dials", () => {
  it("joins those who want the peer at the same time in one dial, and gives them its connection", async () => {
    const { dials, link } = lab();
    for (let i = 0; i < 10; i++) expect(link.connection).toBeNull();
    expect(dials).toHaveLength(1);
    await dials[0]?.succeed();
    expect(link.connection).not.toBeNull();
    expect(link.connection).toBe(link.connection);
    expect(dials).toHaveLength(1);
  });

  it("waits ever longer after failures, up to its limit, and never in step with another", async () => {
    const waited = await pauses(1, 10);
    for (const [i, pause] of waited.entries()) {
      const delay = Math.min(2_000, 100 * 2 ** i);
      expect(pause).toBeGreaterThanOrEqual(delay / 2);
      expect(pause).toBeLessThanOrEqual(delay + 1);
    }
    expect(await pauses(2, 10)).not.toEqual(waited);
  });

  it("dials anew at once when a connection that had lived long is lost, and not at once when it had not", async () => {
    const gone: ConnectionClose = { by: "timeout", code: 0, reason: "" };
    const { time, dials, link } = lab();
    link.dial();
    const loseFirst = await dials[0]?.succeed();
    time.advance(60_000);
    await loseFirst?.(gone);
    link.dial();
    expect(dials).toHaveLength(2);
    const loseSecond = await dials[1]?.succeed();
    await loseSecond?.(gone);
    link.dial();
    expect(dials).toHaveLength(2);
    time.advance(100);
    link.dial();
    expect(dials).toHaveLength(3);
  });
});
