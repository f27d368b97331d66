import type { Connection, Logger, PeerIdentity, Transport } from "@octopii/interfaces";
import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { PeerLink } from "../src/peers/peer-link.js";
import { greeting, microtasks, ScriptedConnection } from "./support/link-peer.js";

/** What the next dials come to: an error, or whom they find. */
type Outcome = Error | PeerIdentity;

const node2: PeerIdentity = { name: "node-2", cluster: "test", nodeId: 2 };
const refused = (by: "local" | "remote", reason: string): Error =>
  Object.assign(new Error("refused"), { details: { refusal: { by, reason } } });
const unreachable = (): Error => Object.assign(new Error("no answer"), { code: "OCTOPII_QUIC_CONNECT_TIMEOUT", details: { address: "a" } });

class Lab {
  readonly time = createManualTime();
  readonly warnings: string[] = [];
  readonly outcomes: Outcome[] = [];
  dials = 0;
  #connection: ScriptedConnection | null = null;
  readonly #link: PeerLink;

  constructor() {
    const note = (_fields: object, message: string): number => this.warnings.push(message);
    const nothing = (): void => undefined;
    const logger = { trace: nothing, debug: nothing, info: nothing, warn: note, error: note } as Logger;
    const transport = { connect: () => this.#connect() } as unknown as Transport;
    const { clock, scheduler } = this.time;
    const ports = { transport, clock, scheduler, random: createRandom(1), logger };
    const observer = { dialed: nothing, disconnected: nothing };
    this.#link = new PeerLink(2, "10.0.0.2:7001", { id: 1, life: 7 }, ports, { minMs: 100, maxMs: 2_000 }, observer);
  }

  /** Has the link dial once for each outcome, as often as its pauses allow. */
  async dial(...outcomes: Outcome[]): Promise<void> {
    for (const outcome of outcomes) {
      this.outcomes.push(outcome);
      void this.#link.connection;
      await microtasks();
      this.time.advance(2_000);
    }
    expect(this.outcomes).toEqual([]);
  }

  /** The peer goes away. */
  async lose(): Promise<void> {
    this.time.advance(10_000);
    this.#connection?.lose({ by: "remote", code: 0, reason: "" });
    await microtasks();
  }

  async #connect(): Promise<Connection> {
    this.dials += 1;
    const outcome = this.outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    if (outcome === undefined) throw new Error("one dial too many");
    this.#connection = new ScriptedConnection(outcome, greeting("accept", 9, 0));
    return this.#connection;
  }
}

describe("a link to a peer", () => {
  it("tells the operator once that an identity was refused, by whom, why, and what to do", async () => {
    const lab = new Lab();
    const reason = "TLS alert 48, unknown authority";
    await lab.dial(refused("remote", reason), refused("remote", reason), unreachable(), refused("remote", reason));
    expect(lab.warnings).toEqual([
      expect.stringMatching(
        /^Node 2 at 10\.0\.0\.2:7001 refuses the identity of this node: TLS alert 48, unknown authority; .*certificate.*\.$/,
      ),
    ]);
    await lab.dial(refused("local", reason), refused("local", reason));
    expect(lab.warnings.slice(1)).toEqual([
      expect.stringMatching(/^This node refuses the identity of node 2 at 10\.0\.0\.2:7001: TLS alert 48, unknown authority; /),
    ]);
    expect(lab.dials).toBe(6);
  });

  it("tells it again only after it was connected in between", async () => {
    const lab = new Lab();
    await lab.dial(refused("remote", "expired"), refused("remote", "expired"), node2);
    await lab.lose();
    await lab.dial(refused("remote", "expired"), refused("remote", "expired"));
    expect(lab.warnings).toHaveLength(2);
  });

  it("tells of another node at the peer's address in the same way", async () => {
    const lab = new Lab();
    const node3 = { ...node2, name: "node-3", nodeId: 3 };
    await lab.dial(node3, node3);
    expect(lab.warnings).toEqual([expect.stringMatching(/^This node refuses .* node 2 at 10\.0\.0\.2:7001: .*node-3.*; .*members/)]);
  });

  it("passes nothing of a reason on that could pose as another line of a log", async () => {
    const lab = new Lab();
    await lab.dial(refused("remote", `x\r\n2030-01-01 info \u001b[2J\u2028${"y".repeat(5_000)}`));
    expect(lab.warnings[0]).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(lab.warnings[0]?.length).toBeLessThan(1_000);
  });

  it("stays quiet about a peer that cannot be reached", async () => {
    const lab = new Lab();
    await lab.dial(unreachable(), unreachable(), unreachable());
    expect(lab.warnings).toEqual([]);
    expect(lab.dials).toBe(3);
  });

  it("does not gather the words of a peer without end", async () => {
    const lab = new Lab();
    for (let i = 0; i < 100; i++) await lab.dial(refused("remote", `reason ${i}`));
    expect(lab.warnings.length).toBeGreaterThan(1);
    expect(lab.warnings.length).toBeLessThan(20);
    expect(lab.dials).toBe(100);
  });
});
