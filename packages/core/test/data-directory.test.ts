import { createAuthority } from "@octopii/certificates";
import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createNode, keyValueClient, keyValueStore, type Node, type NodeEvent } from "../src/index.js";

const address = "n1:7000";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Certificates of authorities, all of a cluster of the same name. */
let a: string;
let b: string;
let c: string;

beforeAll(async () => {
  await prepareWalrus();
  const authorities = await Promise.all([1, 2, 3].map(() => createAuthority({ cluster: "dev" })));
  [a = "", b = "", c = ""] = authorities.map(({ certificate }) => certificate);
});

type Image = ReturnType<SimulatedProcess["disk"]["durableImage"]>;

/** A cluster of one node on a simulated disk. */
class Lab {
  readonly world: World;
  process: SimulatedProcess;
  node: Node | null = null;

  constructor(seed = 1) {
    this.world = createSimulation({ seed });
    this.process = this.world.process("n1", { identity: { name: "n1", cluster: "dev", nodeId: 1 } });
  }

  get image(): Image {
    return this.process.disk.durableImage();
  }

  /** What stands in node.json. */
  get recorded(): Record<string, unknown> {
    return JSON.parse(new TextDecoder().decode(this.image.get("/data/node.json"))) as Record<string, unknown>;
  }

  make(authorities: string | null, onEvent: (event: NodeEvent) => void = () => undefined): Node {
    if (this.process.state === "dead") this.process = this.process.restart();
    const { clock, scheduler, random, fileSystem, transport } = this.process;
    const credentials = authorities === null ? {} : { credentials: { certificate: "", privateKey: "", authorities } };
    const options = {
      id: 1,
      cluster: "dev",
      directory: "/data",
      members: [{ id: 1, address }],
      tickMs: 20,
      logSegmentBytes: 4_096,
      ...credentials,
    };
    this.node = createNode(options, { stateMachine: keyValueStore(), clock, scheduler, random, fileSystem, transport, onEvent });
    return this.node;
  }

  async start(authorities: string | null): Promise<void> {
    await this.world.runUntilSettled(this.make(authorities).start());
  }

  /** Starts, writes and closes. */
  async use(authorities: string | null, writes = 1): Promise<void> {
    await this.start(authorities);
    const kv = keyValueClient(this.node as Node);
    for (let i = 0; i < writes; i++) await this.world.runUntilSettled(kv.put(`k${i}`, new Uint8Array(3_000)));
    await this.world.runUntilSettled((this.node as Node).close());
    this.process.kill();
  }

  /** Starts, and expects a refusal that changes nothing. */
  async expectRefusal(authorities: string | null, code: string, sentence: RegExp): Promise<void> {
    const before = this.image;
    const refused = this.make(authorities)
      .start()
      .catch((error: unknown) => error);
    const message = expect.stringMatching(sentence);
    expect(await this.world.runUntilSettled(refused)).toMatchObject({ code, message });
    expect(this.image).toEqual(before);
    expect(this.process.disk.openFiles).toBe(0);
    this.process.kill();
  }

  /** Does to the files what an operator may do while the node is down. */
  tamper(change: (image: Map<string, Uint8Array>) => void): void {
    const image = new Map(this.image);
    change(image);
    this.process.disk.restore(image);
  }
}

const foreign = "OCTOPII_CORE_DIRECTORY_FOREIGN";
const missing = "OCTOPII_CORE_LOG_MISSING";
const logFiles = (image: Image): string[] => [...image.keys()].filter((name) => name.startsWith("/data/log/"));
const fingerprint = expect.stringMatching(/^[0-9a-f]{64}$/);

describe("a data directory, and the authority of its cluster", () => {
  it("is not given to a cluster of the same name under another authority", async () => {
    const lab = new Lab();
    await lab.use(a);
    expect(lab.recorded).toMatchObject({ format: 1, cluster: "dev", nodeId: 1, authorities: [fingerprint] });
    await lab.expectRefusal(
      b,
      foreign,
      /^\/data belongs to node 1 of another cluster dev: .*, if the authority was replaced, start once with both in authorities\.$/,
    );
    await lab.use(a);
  });

  it("follows an authority that is replaced with both in between", async () => {
    const lab = new Lab();
    await lab.use(a);
    await lab.use(a + b);
    expect(lab.recorded.authorities).toEqual([fingerprint, fingerprint]);
    await lab.use(b);
    expect(lab.recorded.authorities).toEqual([fingerprint]);
    await lab.expectRefusal(a, foreign, /another cluster dev/);
    await lab.expectRefusal(c + a, foreign, /another cluster dev/);
  });

  it("writes the record only where it changes", async () => {
    const lab = new Lab();
    await lab.use(a + b);
    const before = lab.image.get("/data/node.json");
    const touched = new Set<string>();
    lab.process.disk.faults.hook = (operation, path) => {
      if (path.startsWith("/data/node.json") && path !== "/data/node.json") touched.add(operation);
      return null;
    };
    await lab.use(b + a + b);
    expect(lab.image.get("/data/node.json")).toEqual(before);
    expect([...touched]).toEqual([]);
    await lab.use(a + b + c);
    expect(touched).toContain("write");
  });

  it("gets the record at the first start with credentials, and keeps it without", async () => {
    const lab = new Lab();
    await lab.use(null);
    expect(lab.recorded).not.toHaveProperty("authorities");
    await lab.use(a);
    expect(lab.recorded.authorities).toEqual([fingerprint]);
    await lab.use(null);
    expect(lab.recorded.authorities).toEqual([fingerprint]);
    await lab.expectRefusal(b, foreign, /another cluster dev/);
  });

  it("keeps its record when a start is refused for another reason", async () => {
    const lab = new Lab();
    // Sealed bytes, which only the reading of the whole log finds damaged: the very last step before the node could vote.
    await lab.use(a, 3);
    const before = lab.image.get("/data/node.json");
    lab.tamper((image) => {
      const [path = ""] = logFiles(image).sort();
      const damaged = (image.get(path) ?? new Uint8Array(0)).slice();
      damaged[2_000] = (damaged[2_000] ?? 0) ^ 1;
      image.set(path, damaged);
    });
    const refused = lab
      .make(a + b)
      .start()
      .catch((error: unknown) => error);
    expect(await lab.world.runUntilSettled(refused)).toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT" });
    expect(lab.image.get("/data/node.json")).toEqual(before);
  });

  it("with a record that makes no sense is damaged", async () => {
    for (const nonsense of [{ authorities: "x" }, { authorities: [1] }, { log: 7 }, { log: "../etc" }]) {
      const lab = new Lab();
      await lab.use(a);
      lab.tamper((image) => image.set("/data/node.json", bytes(JSON.stringify({ ...lab.recorded, ...nonsense }))));
      await lab.expectRefusal(a, foreign, /^\/data\/node\.json is damaged; restore it/);
    }
  });

  it("takes no more authorities than it can record", async () => {
    const lab = new Lab();
    await lab.expectRefusal(a.repeat(257), "OCTOPII_CORE_CONFIGURATION_INVALID", /authorities .*257/);
  });
});

describe("a data directory, and the log in it", () => {
  const isMark = (name: string): boolean => name.endsWith("closed.mark");
  const isSegment = (name: string): boolean => name.endsWith(".wal");

  it.each([
    [
      "the whole log is gone",
      () => true,
      missing,
      /^The log of node 1 of cluster dev in \/data\/log is missing.*; restore .*another id\.$/,
    ],
    [
      "the segments of a log that was not closed are gone",
      (name: string) => isSegment(name) || isMark(name),
      missing,
      /^The log of node 1/,
    ],
    ["the segments of a closed log are gone", isSegment, "OCTOPII_WALRUS_CORRUPT", /\/data\/log\/.*missing.*restore/],
  ] as const)("does not begin anew where %s", async (_what, isGone, code, sentence) => {
    const lab = new Lab();
    await lab.use(a);
    lab.tamper((image) => {
      for (const name of logFiles(image).filter(isGone)) image.delete(name);
    });
    await lab.expectRefusal(a, code, sentence);
    await lab.expectRefusal(null, code, sentence);
  });

  it("does not take the log of another node for its own", async () => {
    const [lab, other] = [new Lab(1), new Lab(2)];
    await lab.use(a);
    await other.use(a);
    lab.tamper((image) => {
      for (const name of logFiles(image)) image.delete(name);
      for (const name of logFiles(other.image)) image.set(name, other.image.get(name) ?? new Uint8Array(0));
    });
    await lab.expectRefusal(a, missing, /^The log of node 1 /);
  });

  it("is recorded with its log before the node can vote", async () => {
    const lab = new Lab();
    const recorded: unknown[] = [];
    const node = lab.make(a, () => recorded.push(lab.recorded.log));
    await lab.world.runUntilSettled(node.start());
    await lab.world.runUntil(() => node.status().role === "leader");
    expect(recorded.length).toBeGreaterThan(0);
    expect(new Set(recorded)).toEqual(new Set([expect.stringMatching(/^[0-9a-f]+$/)]));
  });

  it("without a record of its log gets it at the next start", async () => {
    const lab = new Lab();
    await lab.use(a);
    const { log, ...older } = lab.recorded;
    lab.tamper((image) => image.set("/data/node.json", bytes(JSON.stringify(older))));
    await lab.use(a);
    expect(lab.recorded.log).toBe(log);
  });

  it("starts after a crash at any moment of its first starts", async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const lab = new Lab(seed);
      for (let starts = 0; starts < 3; starts++) {
        const started = lab.make(a).start();
        let state = "starting";
        started.then(
          () => (state = "started"),
          (error: unknown) => (state = String(error)),
        );
        await lab.world.runFor(lab.world.random.fork(`crash ${seed} ${starts}`).uint32() % 12);
        outcomes.add(`${state} ${lab.image.has("/data/node.json")} ${lab.image.has("/data/node.json") && "log" in lab.recorded}`);
        lab.process.crash();
      }
      await lab.use(a);
    }
    // Before the claim, between it and the record, and after it.
    expect(outcomes).toContain("starting false false");
    expect(outcomes).toContain("starting true false");
    expect([...outcomes].filter((outcome) => !/^start(ing|ed) /.test(outcome))).toEqual([]);
    expect([...outcomes].some((outcome) => outcome.endsWith("true true"))).toBe(true);
  });
});
