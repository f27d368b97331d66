import type { Connection, Logger, Transport } from "@octopii/interfaces";
import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { answerHello, type Greeting } from "../src/peers/greeting.js";
import { PeerLink } from "../src/peers/peer-link.js";
import { greeting, microtasks, ScriptedConnection, ScriptedStream } from "./support/link-peer.js";

const nothing = (): void => undefined;
const logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing } as Logger;
const superseded = 2;
const noAnswer = 3;

/** Node `ownId`'s link to the other of 1 and 2, whose dials find `answer`. */
function lab(ownId: 1 | 2, answer: Uint8Array | null) {
  const time = createManualTime();
  const peerId = 3 - ownId;
  const peer = { name: `node-${peerId}`, cluster: null, nodeId: peerId };
  const dialed: ScriptedConnection[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = new ScriptedConnection(peer, answer);
    dialed.push(connection);
    return connection;
  };
  const failures: number[] = [];
  const observer = { dialed: nothing, disconnected: () => failures.push(time.clock.now()) };
  const ports = { ...time, transport: { connect } as unknown as Transport, random: createRandom(1), logger };
  const link = new PeerLink(peerId, "10.0.0.2:7001", { id: ownId, life: 7 }, ports, { minMs: 100, maxMs: 2_000 }, observer);
  return { time, link, dialed, failures, inbound: () => new ScriptedConnection(peer, null) };
}

const hello = (life: number, hellos: number): Greeting => ({ kind: "hello", life, hellos });

describe("two members that agree on a connection", () => {
  it("do not use a dialed connection before the peer has accepted it", async () => {
    const { link, dialed } = lab(1, null);
    link.dial();
    await microtasks();
    expect(link.connection).toBeNull();
    expect(dialed[0]?.streams[0]?.written).toEqual([greeting("hello", 7, 1)]);
    dialed[0]?.streams[0]?.say(greeting("accept", 9, 0));
    await microtasks();
    expect(link.connection).toBe(dialed[0]);
  });

  it("let the lower node's question go first when both have asked", async () => {
    for (const ownId of [1, 2] as const) {
      const { link, dialed, failures, inbound } = lab(ownId, null);
      link.dial();
      await microtasks();
      const theirs = inbound();
      const answer = link.take(theirs, hello(9, 1));
      expect(answer).toEqual({ kind: ownId === 1 ? "yield" : "accept", life: 7, hellos: 1 });
      expect(link.connection).toBe(ownId === 1 ? null : theirs);
      expect(dialed[0]?.closes).toEqual(ownId === 1 ? [] : [{ code: superseded, reason: "the peer's own connection is used" }]);
      expect(failures).toEqual([]);
    }
  });

  it("take the peer's connection while their own dial is still under way, and drop that", async () => {
    const { link, dialed, inbound } = lab(1, greeting("accept", 9, 0));
    link.dial();
    const theirs = inbound();
    expect(link.take(theirs, hello(9, 1)).kind).toBe("accept");
    await microtasks();
    expect(link.connection).toBe(theirs);
    expect(dialed[0]?.closes).toMatchObject([{ code: superseded }]);
    expect(dialed[0]?.streams).toEqual([]);
  });

  it("tell a question that comes late from that of a peer that has lost the connection", async () => {
    const { link, dialed, failures, inbound } = lab(1, greeting("accept", 9, 4));
    link.dial();
    await microtasks();
    expect(link.take(inbound(), hello(9, 4)).kind).toBe("yield");
    expect(link.connection).toBe(dialed[0]);
    const theirs = inbound();
    expect(link.take(theirs, hello(9, 5)).kind).toBe("accept");
    expect(link.connection).toBe(theirs);
    expect(dialed[0]?.closes).toMatchObject([{ code: superseded }]);
    // What was on its way on the old one is lost.
    expect(failures).toHaveLength(1);
    await microtasks();
    expect(link.connection).toBe(theirs);
  });

  it("believe a peer that was restarted, whatever its count", async () => {
    const { link, inbound } = lab(1, greeting("accept", 9, 4));
    link.dial();
    await microtasks();
    const theirs = inbound();
    expect(link.take(theirs, hello(10, 1)).kind).toBe("accept");
    expect(link.connection).toBe(theirs);
  });

  it("wait for the peer's connection when told to yield, without a failure, and ask again if it does not come", async () => {
    const { time, link, dialed, failures } = lab(2, greeting("yield", 9, 1));
    link.dial();
    await microtasks();
    expect(dialed[0]?.closes).toMatchObject([{ code: superseded }]);
    expect(failures).toEqual([]);
    link.dial();
    expect(dialed).toHaveLength(1);
    time.advance(101);
    link.dial();
    expect(dialed).toHaveLength(2);
  });

  it.each([
    ["never answers", (stream: ScriptedStream | undefined) => void stream],
    ["breaks the stream", (stream: ScriptedStream | undefined) => stream?.break()],
    ["ends in the middle of the answer", (stream: ScriptedStream | undefined) => stream?.say(Uint8Array.of(1, 2, 3))],
    ["answers with a question", (stream: ScriptedStream | undefined) => stream?.say(greeting("hello", 9, 1))],
    ["answers nonsense", (stream: ScriptedStream | undefined) => stream?.say(new Uint8Array(9).fill(99))],
    ["says too much", (stream: ScriptedStream | undefined) => stream?.say(new Uint8Array(10))],
  ])("give a connection up whose peer %s", async (_what, behave) => {
    const { time, link, dialed, failures } = lab(1, null);
    link.dial();
    await microtasks();
    behave(dialed[0]?.streams[0]);
    await microtasks();
    time.advance(5_001);
    expect(dialed[0]?.closes).toMatchObject([{ code: noAnswer }]);
    expect(link.connection).toBeNull();
    expect(failures).toHaveLength(1);
  });

  it("settle nothing after they were closed", async () => {
    const { link, dialed, inbound } = lab(1, null);
    link.dial();
    await microtasks();
    link.close();
    expect(dialed[0]?.closes).toHaveLength(1);
    expect(link.take(inbound(), hello(9, 1)).kind).toBe("yield");
    expect(link.connection).toBeNull();
  });

  it("refuse a stream that does not start with a question", async () => {
    for (const words of [greeting("accept", 9, 1), new Uint8Array(9).fill(77), Uint8Array.of(0), new Uint8Array(100_000)]) {
      const stream = new ScriptedStream();
      let asked = 0;
      answerHello(stream, () => {
        asked += 1;
        return { kind: "accept", life: 1, hellos: 0 };
      });
      stream.say(words);
      await microtasks();
      expect(asked).toBe(0);
      expect(stream.cuts).toContain("reset 1");
      expect(stream.written).toEqual([]);
    }
  });
});
