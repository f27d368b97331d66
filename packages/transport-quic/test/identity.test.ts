import { createAuthority, identifyForCluster, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";
import type { Connection } from "@octopii/interfaces";
import { describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { createQuicTransport, quicCodes } from "../src/index.js";
import { Nodes } from "./nodes.js";
import { collectingLogger, createCluster, optionsOf, turns, until } from "./support.js";

const nodes = new Nodes();
const foreign = new Nodes("lagoon");

describe("identity", () => {
  it("of another cluster is refused by the side that is called, before it hears of any stream", async () => {
    const { listener, accepted } = await nodes.listening({
      credentials: {
        ...(await optionsOf(nodes.cluster, 1)).credentials,
        authorities: nodes.cluster.authority.certificate + foreign.cluster.authority.certificate,
      },
    });
    const { credentials, identify } = await optionsOf(foreign.cluster, 7);
    const intruder = nodes.transportOf({
      credentials: { ...credentials, authorities: nodes.cluster.authority.certificate },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    await expect(intruder.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/refused this side: 'node-7' belongs to cluster 'lagoon', not 'reef'/),
      details: { refusal: { by: "remote", reason: "'node-7' belongs to cluster 'lagoon', not 'reef'" } },
    });
    expect(accepted).toEqual([]);
    expect(identify).toBeTypeOf("function");
  });

  it("of another cluster is refused by the side that calls", async () => {
    const both = nodes.cluster.authority.certificate + foreign.cluster.authority.certificate;
    const foreignOptions = await optionsOf(foreign.cluster, 7);
    const wrongServer = nodes.transportOf({
      credentials: { ...foreignOptions.credentials, authorities: both },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    const accepted: Connection[] = [];
    const listener = await wrongServer.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
    const own = await optionsOf(nodes.cluster, 2);
    const caller = nodes.transportOf({ ...own, credentials: { ...own.credentials, authorities: both } });
    await expect(caller.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/This side refused .* belongs to cluster 'lagoon'/),
      details: { refusal: { by: "local", reason: "'node-7' belongs to cluster 'lagoon', not 'reef'" } },
    });
    await turns();
    expect(accepted).toEqual([]);
  });

  it.each([
    ["another name", () => foreign.cluster, /TLS alert 48, unknown authority/],
    ["the same name", () => createCluster("reef"), /TLS alert (42|48|51), /],
  ])("by an authority of %s is refused in the handshake, in both directions", async (_what, other, alert) => {
    const { listener, accepted } = await nodes.listening();
    const stranger = await other();
    const own = await optionsOf(stranger, 7);
    const identify = identifyForCluster({ cluster: "reef" });
    const untrusted = nodes.transportOf({
      identify,
      credentials: { ...own.credentials, authorities: nodes.cluster.authority.certificate },
    });
    await expect(untrusted.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(new RegExp(`^${listener.address} refused this side: `)),
      details: { closeCode: quicCodes.refused, refusal: { by: "remote", reason: expect.stringMatching(alert) } },
    });
    const { credentials } = await optionsOf(nodes.cluster, 2);
    const untrusting = nodes.transportOf({ identify, credentials: { ...credentials, authorities: stranger.authority.certificate } });
    await expect(untrusting.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(new RegExp(`^This side refused ${listener.address}: `)),
      details: { closeCode: quicCodes.refused, refusal: { by: "local", reason: expect.stringMatching(alert) } },
    });
    // What fits together, but belongs elsewhere: each side would refuse the other, and the caller is the first to know.
    await expect(nodes.transportOf({ ...own, identify }).connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      details: { refusal: { by: "local" } },
    });
    expect(accepted).toEqual([]);
  });

  it("is not in question where a peer restarts or falls silent", async () => {
    const { transport, listener } = await nodes.listening();
    const dialer = await nodes.node(2, { connectTimeoutMs: 300 });
    await dialer.connect(listener.address);
    const dials = Array.from({ length: 10 }, () => dialer.connect(listener.address));
    const outcomes = Promise.allSettled(dials);
    await transport.close();
    for (const outcome of await outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.details).not.toHaveProperty("refusal");
    }
    await expect(dialer.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_CONNECT_TIMEOUT",
      details: expect.not.objectContaining({ refusal: expect.anything() }),
    });
  });

  it("of a client is enough to call, and not to be called", async () => {
    const { listener, accepted } = await nodes.listening();
    const issued = await issueClientCertificate(nodes.cluster.authority, { cluster: "reef", name: "dashboard" });
    const credentials = { ...issued, authorities: nodes.cluster.authority.certificate };
    const client = nodes.transportOf({ credentials, identify: identifyForCluster({ cluster: "reef" }) });
    await client.connect(listener.address);
    await until(() => accepted.length === 1);
    expect(accepted[0]?.peer).toEqual({ name: "dashboard", cluster: "reef", nodeId: null });
    const posing = await client.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await expect((await nodes.node(2)).connect(posing.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      details: { refusal: { by: "local" } },
    });
  });

  it("that has expired is refused", async () => {
    const past = { now: () => 0, wallTime: () => Date.now() - 10 * 86_400_000 };
    const authority = await createAuthority({ cluster: "reef" }, { clock: past });
    const issued = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 9, name: "old", validityDays: 5 }, { clock: past });
    const trusting = await optionsOf(nodes.cluster, 1);
    const server = nodes.transportOf({
      ...trusting,
      credentials: { ...trusting.credentials, authorities: nodes.cluster.authority.certificate + authority.certificate },
    });
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const expired = nodes.transportOf({
      credentials: { ...issued, authorities: nodes.cluster.authority.certificate },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    await expect(expired.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/expired/),
      details: { refusal: { by: "remote" } },
    });
  });

  it("is refused, not crashed upon, where identify throws", async () => {
    const errors = collectingLogger();
    const options = await optionsOf(nodes.cluster, 1);
    const server = createQuicTransport(
      {
        ...options,
        identify: () => {
          throw new Error("bug");
        },
      },
      { logger: errors },
    );
    nodes.closeAfterwards(server);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await expect((await nodes.node(2)).connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_PEER_REFUSED" });
    expect(errors.errors).toHaveLength(1);
  });

  it("can be replaced while both run: new connections show the new one, and open ones live on", async () => {
    const { transport, listener, accepted } = await nodes.listening();
    const dialer = await nodes.node(2);
    const before = await dialer.connect(listener.address);
    const { credentials } = await optionsOf(nodes.cluster, 5);
    await transport.replaceCredentials(credentials);
    expect((await dialer.connect(listener.address)).peer.nodeId).toBe(5);
    await dialer.replaceCredentials((await optionsOf(nodes.cluster, 6)).credentials);
    await dialer.connect(listener.address);
    await until(() => accepted.length === 3);
    expect(accepted.map(({ peer }) => peer.nodeId)).toEqual([2, 2, 6]);
    expect(before.peer.nodeId).toBe(1);
    const mixed = { ...credentials, privateKey: (await nodes.cluster.node(2)).privateKey };
    await expect(transport.replaceCredentials(mixed)).rejects.toMatchObject({ code: "OCTOPII_QUIC_INVALID_CREDENTIALS" });
    expect((await dialer.connect(listener.address)).peer.nodeId).toBe(5);
  });

  it("that is replaced while a socket is being opened is the new one there too", async () => {
    let open = (): void => undefined;
    const mayOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: typeof nodeUdpSockets = {
      ...nodeUdpSockets,
      open: async (options) => {
        await mayOpen;
        return nodeUdpSockets.open(options);
      },
    };
    const transport = await nodes.node(1, {}, { sockets: slow });
    const listening = transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await turns();
    await transport.replaceCredentials((await optionsOf(nodes.cluster, 5)).credentials);
    open();
    const { address } = await listening;
    expect((await (await nodes.node(2)).connect(address)).peer.nodeId).toBe(5);
  });

  it("cannot be left out", async () => {
    const { credentials, identify } = await optionsOf(nodes.cluster, 1);
    for (const missing of [{ certificate: "" }, { privateKey: "" }, { authorities: "" }]) {
      expect(() => createQuicTransport({ credentials: { ...credentials, ...missing }, identify })).toThrow(RangeError);
    }
    const mixed = nodes.transportOf({ credentials: { ...credentials, privateKey: (await nodes.cluster.node(2)).privateKey }, identify });
    await expect(mixed.listen({ address: "127.0.0.1:0", onConnection: () => undefined })).rejects.toMatchObject({
      code: "OCTOPII_QUIC_INVALID_CREDENTIALS",
    });
    const nonsense = nodes.transportOf({ credentials: { ...credentials, certificate: "nonsense" }, identify });
    await expect(nonsense.connect("127.0.0.1:9")).rejects.toMatchObject({ code: "OCTOPII_QUIC_INVALID_CREDENTIALS" });
  });
});
