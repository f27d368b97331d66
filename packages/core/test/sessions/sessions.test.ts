import { createRpc } from "@octopii/rpc";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createClient, type Node, type NodeOptions, type Session, type StateMachine } from "../../src/index.js";
import { proposeMethod } from "../../src/service/methods.js";
import { encodeOpen, encodeSessionCommand } from "../../src/sessions/envelope.js";
import { bytes, members, nodeIn, type Started, start, text } from "../support/cluster.js";

beforeAll(() => prepareWalrus());

/** Appends what it is told; twice would show. */
function journal(): StateMachine & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    apply(command) {
      lines.push(new TextDecoder().decode(command));
      return new TextEncoder().encode(String(lines.length));
    },
    query: () => new TextEncoder().encode(lines.join(",")),
    snapshot: () => [new TextEncoder().encode(JSON.stringify(lines))],
    async restore(chunks) {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      lines.splice(0, lines.length, ...(JSON.parse(Buffer.concat(parts).toString()) as string[]));
    },
  };
}

const tuning: Partial<NodeOptions> = { snapshotEntries: 5, tailEntries: 1 };
const addresses = members.map(({ address }) => address);

function clientOf({ world }: Started) {
  const { transport, clock, scheduler, random } = world.process("client");
  return createClient({ addresses }, { transport, clock, scheduler, random });
}

/** What the cluster holds, by a linearizable read. */
async function held({ world }: Started, node: Node): Promise<string[]> {
  return (text(await world.runUntilSettled(node.query(new Uint8Array(0)))) ?? "").split(",").filter(Boolean);
}

async function restart({ world }: Started, id: number): Promise<Node> {
  const process = world.process(`n${id}`);
  process.crash();
  const node = nodeIn(process.restart(), id, journal(), [], tuning);
  await world.runUntilSettled(node.start());
  return node;
}

describe("a session", () => {
  it("gives a repetition the first result: after another leader, behind a snapshot, and after a restart of all", async () => {
    const cluster = await start(70, journal, tuning);
    const { world, leader, follower } = cluster;
    const client = clientOf(cluster);
    const session = await world.runUntilSettled(client.openSession());
    expect(text(await world.runUntilSettled(session.propose(bytes("once"))))).toBe("1");
    // The same bytes again, as somebody sends them who got no answer.
    const again = { session: session.id, sequence: 1, answered: 1, command: bytes("once") };
    const repeat = (node: Node) => world.runUntilSettled(sendRaw(cluster, node, encodeSessionCommand(again)));
    expect(text(await repeat(leader()))).toBe("1");
    await world.runUntilSettled(leader().transferLeadership(follower().id));
    expect(text(await repeat(leader()))).toBe("1");
    for (let i = 0; i < 12; i++) await world.runUntilSettled(leader().propose(bytes(`plain-${i}`)));
    await world.runUntil(() => cluster.nodes.every((node) => node.status().compactedIndex > session.id + 1));
    const nodes: Node[] = [];
    for (const { id } of members) cluster.world.process(`n${id}`).crash();
    for (const { id } of members) nodes.push(await restart(cluster, id));
    await world.runUntil(() => nodes.some((node) => node.isLeader));
    const [first] = nodes as [Node];
    expect(text(await repeat(first))).toBe("1");
    const lines = await held(cluster, first);
    expect(lines.filter((line) => line === "once")).toEqual(["once"]);
    expect(lines).toHaveLength(13);
    await world.runUntilSettled(client.close());
  });

  it.each([71, 72, 73, 74])(
    "applies each command once through kills of the leader and partitions, whoever is asked (seed %i)",
    async (seed) => {
      const cluster = await start(seed, journal, tuning);
      const { world } = cluster;
      const nodes = [...cluster.nodes];
      const client = clientOf(cluster);
      const session = await world.runUntilSettled(client.openSession());
      const random = world.random.fork("trouble");
      const sent: string[] = [];
      for (let round = 0; round < 12; round++) {
        const calls = [0, 1, 2].map((i) => {
          const line = `${round}-${i}`;
          sent.push(line);
          return session.propose(bytes(line), { timeoutMs: 60_000 });
        });
        await world.runFor(random.between(0, 8));
        const victim = nodes.findIndex((node) => node.isLeader);
        if (victim >= 0 && random.chance(2, 3)) nodes[victim] = await restart(cluster, victim + 1);
        else world.network.isolate(`n${random.between(1, 3)}`);
        await world.runFor(random.between(50, 400));
        world.network.heal();
        await world.runUntilSettled(Promise.all(calls));
      }
      await world.runUntil(() => nodes.some((node) => node.isLeader));
      for (const node of nodes) expect((await held(cluster, node)).sort()).toEqual([...sent].sort());
      await world.runUntilSettled(client.close());
    },
  );

  it("that the cluster does not know is told so, with what is known of the command", async () => {
    const cluster = await start(75, journal, tuning);
    const { world, leader } = cluster;
    const session = await world.runUntilSettled(leader().openSession());
    await world.runUntilSettled(session.propose(bytes("before")));
    await world.runUntilSettled(session.close());
    await world.runUntilSettled(session.close());
    const error = await world.runUntilSettled(session.propose(bytes("after")).catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: "OCTOPII_CORE_SESSION_EXPIRED", outcome: "failed" });
    const unknown = encodeSessionCommand({ session: 999, sequence: 1, answered: 0, command: bytes("x") });
    const told = await world.runUntilSettled(sendRaw(cluster, leader(), unknown).catch((reason: unknown) => reason));
    expect(told).toMatchObject({ details: { code: "OCTOPII_CORE_SESSION_EXPIRED" } });
    expect(await held(cluster, leader())).toEqual(["before"]);
  });

  it("keeps several commands on their way, and cancels with a signal", async () => {
    const cluster = await start(76, journal, tuning);
    const { world, leader } = cluster;
    const session: Session = await world.runUntilSettled(leader().openSession());
    const results = await world.runUntilSettled(Promise.all(Array.from({ length: 50 }, (_, i) => session.propose(bytes(`${i}`)))));
    expect(new Set(results.map((one) => text(one))).size).toBe(50);
    const reason = new Error("enough");
    await expect(session.propose(bytes("no"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(session.propose("text" as unknown as Uint8Array)).rejects.toBeInstanceOf(TypeError);
    expect(await held(cluster, leader())).toHaveLength(50);
  });

  it("leaves an application's bytes alone that look like ours", async () => {
    const cluster = await start(77, journal, tuning);
    const { world, leader } = cluster;
    for (const target of [leader(), clientOf(cluster)]) await world.runUntilSettled(target.propose(encodeOpen()));
    const lines = await held(cluster, leader());
    expect(lines).toEqual([0, 1].map(() => new TextDecoder().decode(encodeOpen())));
  });
});

/** Proposes bytes that are an envelope already, as another implementation of a client may. */
async function sendRaw({ world }: Started, node: Node, envelope: Uint8Array): Promise<Uint8Array> {
  const { transport, clock, scheduler } = world.process("raw");
  const rpc = createRpc({ clock, scheduler });
  const connection = await transport.connect(`n${node.id}:7000`);
  try {
    return await rpc.client(connection).call(proposeMethod, envelope, { timeoutMs: 10_000 });
  } finally {
    connection.close(0, "done");
  }
}
