import type { Connection, PeerIdentity } from "@octopii/interfaces";
import { createRouter, createRpc, defineMethod, defineOneWay, type RpcClient, RpcError, textCodec } from "@octopii/rpc";
import { createSimulation, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createNode, keyValueStore, type Node, type NodeParts } from "../src/index.js";
import { bytes, identityOf, members } from "./support/cluster.js";

beforeAll(() => prepareWalrus());

const greet = defineMethod("app.greet", { request: textCodec, response: textCodec });
const shout = defineOneWay("app.shout", textCodec);
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

interface Cluster {
  readonly world: World;
  readonly nodes: readonly Node[];
  readonly heard: string[];
  readonly warnings: string[];
  /** A client of node 1's port, as somebody. */
  client(name: string, identity: Omit<PeerIdentity, "name">): Promise<{ client: RpcClient; connection: Connection }>;
}

/** Three nodes, each with the application's methods on its port. */
async function start(seed: number, parts: Partial<NodeParts> = {}): Promise<Cluster> {
  const world = createSimulation({ seed });
  const heard: string[] = [];
  const warnings: string[] = [];
  const nothing = (): void => undefined;
  const logger = { trace: nothing, debug: nothing, info: nothing, error: nothing, warn: (_: unknown, text: string) => warnings.push(text) };
  const nodes = members.map(({ id }) => {
    const services = createRouter();
    services.handle(greet, (name, { peer }) => {
      if (peer.cluster !== "test") throw new RpcError("PERMISSION_DENIED", "Only members are greeted.", { outcome: "failed" });
      return `node ${id} greets ${name}, who came as ${peer.name}`;
    });
    services.onOneWay(shout, (message, { peer }) => {
      heard.push(`${id} heard ${message} of ${peer.name}`);
    });
    // What would take the cluster over, if an application could.
    services.handle("octopii.propose", () => bytes("taken over"));
    services.handle("octopii.made-up", () => bytes("taken over"));
    const { clock, scheduler, random, fileSystem, transport } = world.process(`n${id}`, identityOf(id));
    return createNode(
      { id, cluster: "test", directory: "/data", members, tickMs: 20 },
      { stateMachine: keyValueStore(), clock, scheduler, random, fileSystem, transport, services, logger, ...parts },
    );
  });
  await world.runUntilSettled(Promise.all(nodes.map((node) => node.start())));
  await world.runUntil(() => nodes.every((node) => node.status().leaderId !== 0));
  const client: Cluster["client"] = async (name, identity) => {
    const { transport, clock, scheduler } = world.process(name, { identity: { name, ...identity } });
    const connection = await world.runUntilSettled(transport.connect("n1:7000"));
    return { client: createRpc({ clock, scheduler }).client(connection), connection };
  };
  return { world, nodes, heard, warnings, client };
}

describe("an application's methods on a node's port", () => {
  it("are called by other members, with the caller's identity, beside Raft on the same connections", async () => {
    const { world, nodes } = await start(1);
    const [one, two] = nodes as [Node, Node];
    expect(await world.runUntilSettled(one.call(2, greet, "Ada"))).toBe("node 2 greets Ada, who came as n1");
    expect(await world.runUntilSettled(two.call(1, greet, "Bob"))).toBe("node 1 greets Bob, who came as n2");
    const many = Array.from({ length: 100 }, (_, i) => one.call(2, greet, `${i}`));
    expect(new Set(await world.runUntilSettled(Promise.all(many))).size).toBe(100);
  });

  it("hear one-way messages", async () => {
    const { world, nodes, heard } = await start(2);
    expect(nodes[0]?.notify(3, shout, "land ahoy")).toBe(true);
    await world.runUntil(() => heard.length > 0);
    expect(heard).toEqual(["3 heard land ahoy of n1"]);
    expect(nodes[0]?.notify(9, shout, "nobody there")).toBe(false);
  });

  it("are answered by their own statuses, and a member that is not there in time", async () => {
    const { world, nodes } = await start(3);
    const unknown = defineMethod("app.unknown", { request: textCodec, response: textCodec });
    const [one] = nodes as [Node];
    expect(await world.runUntilSettled(caught(one.call(2, unknown, "x")))).toMatchObject({ code: "OCTOPII_RPC_UNIMPLEMENTED" });
    const nobody = caught(one.call(9, greet, "x", { timeoutMs: 300 }));
    expect(await world.runUntilSettled(nobody)).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE", outcome: "failed" });
  });

  it("decide by the caller's identity, which is the transport's and not the caller's word", async () => {
    const { world, client } = await start(4);
    const stranger = await client("stranger", { cluster: "elsewhere", nodeId: 2 });
    expect(await world.runUntilSettled(caught(stranger.client.call(greet, "me")))).toMatchObject({
      code: "OCTOPII_RPC_PERMISSION_DENIED",
      message: "Only members are greeted.",
    });
  });
});

describe("a node's own methods", () => {
  it("are not overridden by an application's, under any name that could be the node's", async () => {
    const { world, client, warnings } = await start(5);
    const member = await client("member", { cluster: "test", nodeId: null });
    const status = await world.runUntilSettled(member.client.call("octopii.status", bytes("")));
    expect(status.length).toBeGreaterThan(0);
    const proposed = caught(member.client.call("octopii.propose", bytes("no command of the store's"))).then(String);
    expect(await world.runUntilSettled(proposed)).not.toContain("taken over");
    expect(await world.runUntilSettled(caught(member.client.call("octopii.made-up", bytes(""))))).toMatchObject({
      code: "OCTOPII_RPC_UNIMPLEMENTED",
    });
    expect(warnings.filter((text) => text.includes('"octopii.propose" will never be asked'))).toHaveLength(3);
  });

  it("are not for peers of another cluster whom the transport lets in, and their Raft is not heard", async () => {
    const { world, client } = await start(6);
    const { client: stranger, connection } = await client("stranger", { cluster: "elsewhere", nodeId: 2 });
    for (const method of ["octopii.propose", "octopii.query", "octopii.query-stale", "octopii.status"]) {
      expect(await world.runUntilSettled(caught(stranger.call(method, bytes("x"))))).toMatchObject({
        code: "OCTOPII_RPC_PERMISSION_DENIED",
        outcome: "failed",
      });
    }
    const raft = connection.openStream("octopii/raft/1", { unidirectional: true });
    let error: unknown = null;
    raft.onClose = (close) => {
      error = close.error;
    };
    raft.write(new Uint8Array(8));
    await world.runUntil(() => error !== null);
    expect(error).toMatchObject({ by: "stopped", code: 3 });
  });

  it("are for whom the application authorizes, where it says so", async () => {
    const { world, client } = await start(7, { authorize: (peer) => peer.name === "operator" });
    for (const [name, code] of [
      ["operator", null],
      ["visitor", "OCTOPII_RPC_PERMISSION_DENIED"],
    ] as const) {
      const { client: caller } = await client(name, { cluster: "test", nodeId: null });
      const answer = await world.runUntilSettled(caught(caller.call("octopii.status", bytes(""))));
      if (code === null) expect(answer).toBeInstanceOf(Uint8Array);
      else expect(answer).toMatchObject({ code });
    }
  });
});
