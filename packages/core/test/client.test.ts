import type { Connection, ConnectOptions, IdentityRefusal, Transport } from "@octopii/interfaces";
import type { World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { type Client, type ClientOptions, createClient, keyValueClient } from "../src/index.js";
import { bytes, members, start, text } from "./support/cluster.js";

const addresses = members.map(({ address }) => address);
const refusedCode = "OCTOPII_CORE_IDENTITY_REFUSED";

/** A client's transport on which members can be made to refuse it, or to take their time. */
class Doors implements Transport {
  readonly refusals = new Map<string, IdentityRefusal>();
  readonly slow = new Map<string, Promise<void>>();
  readonly dials: string[] = [];
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  listen(): never {
    throw new Error("A client does not listen.");
  }

  async connect(address: string, options?: ConnectOptions): Promise<Connection> {
    this.dials.push(address);
    await this.slow.get(address);
    const refusal = this.refusals.get(address);
    if (refusal !== undefined) throw Object.assign(new Error("refused"), { details: { refusal } });
    return this.#inner.connect(address, options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  refuse(refused: readonly string[], by: IdentityRefusal["by"] = "remote", reason = "unknown authority"): void {
    for (const address of refused) this.refusals.set(address, { by, reason });
  }
}

interface Lab {
  readonly world: World;
  readonly doors: Doors;
  readonly client: Client;
  crash(address: string): void;
  /** What a call comes to, and how long it takes. */
  outcome(call: Promise<unknown>): Promise<{ error: unknown; tookMs: number }>;
}

/** A running cluster, and a client of it that prefers its first member. */
async function lab(seed: number, options: Partial<ClientOptions> = {}): Promise<Lab> {
  const { world } = await start(seed);
  const { transport, clock, scheduler } = world.process("client");
  const doors = new Doors(transport);
  const random = { uint32: () => 0, bytes: (n: number) => new Uint8Array(n), fork: () => random };
  const client = createClient({ addresses, ...options }, { transport: doors, clock, scheduler, random });
  const outcome = async (call: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> => {
    const began = world.now();
    const error = await world.runUntilSettled(
      call.then(
        () => null,
        (reason: unknown) => reason,
      ),
    );
    return { error, tookMs: world.now() - began };
  };
  const crash = (address: string): void => world.process(address.slice(0, 2)).crash();
  return { world, doors, client, crash, outcome };
}

beforeAll(() => prepareWalrus());

describe("a client whose identity is refused", () => {
  it("by every member hears so at once, and what to do", async () => {
    const { doors, client, outcome } = await lab(1);
    doors.refuse(addresses);
    const kv = keyValueClient(client);
    for (const call of [() => kv.put("k", bytes("v")), () => kv.get("k"), () => kv.get("k", { consistency: "stale" })]) {
      const { error, tookMs } = await outcome(call());
      expect(error).toMatchObject({
        code: refusedCode,
        outcome: "failed",
        message: expect.stringMatching(
          /^The identity of this client is refused by n1:7000, n2:7000, n3:7000: unknown authority; .*certificate.*\.$/,
        ),
        details: { refusals: addresses.map((address) => ({ address, by: "remote", reason: "unknown authority" })) },
      });
      expect(tookMs).toBeLessThan(100);
    }
  });

  it("is told which side refused which", async () => {
    const { doors, client, outcome } = await lab(2);
    doors.refuse(addresses.slice(0, 2), "local", "of cluster x");
    doors.refuse(addresses.slice(2), "remote", "expired");
    const { error } = await outcome(client.query(bytes("")));
    expect(error).toMatchObject({
      code: refusedCode,
      message: expect.stringMatching(
        /^The identity of n1:7000, n2:7000 is refused by this client: of cluster x; the identity of this client is refused by n3:7000: expired; /,
      ),
    });
  });

  it("by all that can be reached hears so when the others had their time", async () => {
    const { doors, client, crash, outcome } = await lab(3, { connectTimeoutMs: 1_000 });
    crash("n2:7000");
    doors.refuse(["n1:7000", "n3:7000"]);
    const { error, tookMs } = await outcome(client.propose(bytes("x")));
    expect(error).toMatchObject({
      code: refusedCode,
      message: expect.stringMatching(/refused by n1:7000, n3:7000: .*; n2:7000 cannot be reached; /),
    });
    expect(tookMs).toBeLessThan(1_500);
  });

  it("by all but one that is merely slow does not give up", async () => {
    const { doors, client, outcome, world } = await lab(4);
    const { scheduler } = world.process("client");
    doors.refuse(["n1:7000", "n3:7000"]);
    const after = (delayMs: number): Promise<void> => new Promise((resolve) => scheduler.setTimer(delayMs, resolve));
    doors.slow.set("n2:7000", after(900));
    const impatient = await outcome(client.query(bytes(""), { timeoutMs: 500 }));
    expect(impatient.error).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE", outcome: "failed" });
    expect(impatient.tookMs).toBeLessThan(501);
    expect((await outcome(keyValueClient(client).put("k", bytes("v")))).error).toBeNull();
  });

  it("by one member is served by the others", async () => {
    for (const refusing of addresses) {
      const { doors, client, outcome } = await lab(5);
      doors.refuse([refusing]);
      const kv = keyValueClient(client);
      for (let i = 0; i < 5; i++) expect((await outcome(kv.put(`k${i}`, bytes("v")))).error).toBeNull();
      expect((await outcome(client.status(refusing))).error).toMatchObject({ code: refusedCode });
    }
  });

  it("by one member after it was served goes on through a restart of the others", async () => {
    const { doors, client, crash, outcome } = await lab(6, { connectTimeoutMs: 500 });
    const kv = keyValueClient(client);
    expect((await outcome(kv.put("k", bytes("v")))).error).toBeNull();
    doors.refuse(["n3:7000"]);
    for (const address of ["n1:7000", "n2:7000"]) crash(address);
    const { error, tookMs } = await outcome(kv.get("k", { timeoutMs: 5_000 }));
    expect(error).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE" });
    expect(tookMs).toBeGreaterThan(4_000);
    doors.refuse(addresses);
    expect((await outcome(kv.get("k"))).error).toMatchObject({ code: refusedCode });
    doors.refusals.clear();
    expect((await outcome(client.query(bytes(""), { consistency: "stale" }))).error).toMatchObject({ code: "OCTOPII_CORE_REJECTED" });
  });
});

describe("a client among members of which some are down", () => {
  it("loses no more than a head start to one that does not answer", async () => {
    for (const dead of ["n1:7000", "n2:7000"]) {
      const { doors, client, crash, outcome, world } = await lab(7);
      crash(dead);
      await world.runFor(5_000);
      const { error, tookMs } = await outcome(keyValueClient(client).put("k", bytes("v")));
      expect(error).toBeNull();
      expect(tookMs).toBeLessThan(600);
      expect(doors.dials[0]).toBe("n1:7000");
    }
  });

  it("dials one member only where that one answers", async () => {
    const { doors, client, outcome } = await lab(8);
    const kv = keyValueClient(client);
    const puts = Array.from({ length: 20 }, (_, i) => kv.put(`k${i}`, bytes("v")));
    expect((await outcome(Promise.all(puts))).error).toBeNull();
    expect(doors.dials).toEqual(["n1:7000"]);
  });

  it("says in time that none of them answers, whatever a dial may take", async () => {
    const { client, crash, outcome } = await lab(9, { connectTimeoutMs: 3_000 });
    for (const address of addresses) crash(address);
    for (const call of [() => client.propose(bytes("x"), { timeoutMs: 400 }), () => client.status("n1:7000", { timeoutMs: 400 })]) {
      const { error, tookMs } = await outcome(call());
      expect(error).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE", outcome: "failed", message: expect.stringContaining("n1:7000") });
      expect(tookMs).toBeLessThan(401);
    }
  });

  it("gives up with its caller's reason, and when it is closed", async () => {
    const { client, crash, outcome, world } = await lab(10);
    for (const address of addresses) crash(address);
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    world.process("client").scheduler.setTimer(100, () => controller.abort(reason));
    expect(await outcome(client.query(bytes(""), { signal: controller.signal }))).toMatchObject({ error: reason, tookMs: 100 });
    const pending = outcome(Promise.all([client.query(bytes("")), client.query(bytes(""))]));
    const closed = client.close();
    expect((await pending).error).toMatchObject({ code: "OCTOPII_CORE_NOT_RUNNING" });
    await world.runUntilSettled(closed);
  });

  it("keeps a connection that came second, for the day the first is lost", async () => {
    const { doors, client, outcome, crash, world } = await lab(11);
    const { scheduler } = world.process("client");
    doors.slow.set("n1:7000", new Promise((resolve) => scheduler.setTimer(400, resolve)));
    const kv = keyValueClient(client);
    expect((await outcome(kv.put("k", bytes("v")))).tookMs).toBeLessThan(400);
    await world.runFor(1_000);
    crash("n2:7000");
    const read = kv.get("k");
    expect(text((await world.runUntilSettled(read)) ?? null)).toBe("v");
    expect(doors.dials.filter((address) => address === "n1:7000")).toHaveLength(1);
  });
});
