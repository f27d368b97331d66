import { X509Certificate } from "node:crypto";
import type { Clock, Random } from "@octopii/interfaces";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  checkValidity,
  createAuthority,
  type IssuedCertificate,
  identifyForCluster,
  isCertificatesError,
  issueClientCertificate,
  issueNodeCertificate,
  nodeServerName,
  readCertificate,
} from "../src/index.js";
import { formatSubject, isClusterName, isName, parseSubject } from "../src/names.js";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function clockAt(wallTimeMs: number): Clock {
  return { now: () => 0, wallTime: () => wallTimeMs };
}

function der(issued: IssuedCertificate): Uint8Array {
  return new Uint8Array(new X509Certificate(issued.certificate).raw);
}

describe("certificates", () => {
  let authority: IssuedCertificate;
  let other: IssuedCertificate;
  let node: IssuedCertificate;
  let client: IssuedCertificate;

  beforeAll(async () => {
    authority = await createAuthority({ cluster: "reef" });
    other = await createAuthority({ cluster: "lagoon" });
    node = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 7, name: "alpha" });
    client = await issueClientCertificate(authority, { cluster: "reef", name: "dashboard" });
  });

  it("says what each kind is for", () => {
    expect(readCertificate(authority.certificate)).toMatchObject({
      kind: "authority",
      cluster: "reef",
      serverUse: false,
      clientUse: false,
    });
    expect(readCertificate(node.certificate)).toMatchObject({
      kind: "node",
      cluster: "reef",
      nodeId: 7,
      name: "alpha",
      issuer: "CN=reef authority",
      dnsNames: [nodeServerName],
      uris: ["octopii://reef/node/7"],
      serverUse: true,
      clientUse: true,
    });
    expect(readCertificate(client.certificate)).toMatchObject({
      kind: "client",
      name: "dashboard",
      nodeId: null,
      dnsNames: [],
      uris: ["octopii://reef/client/dashboard"],
      serverUse: false,
      clientUse: true,
    });
  });

  it("signs so that the chain verifies, with the key that was given out", () => {
    const root = new X509Certificate(authority.certificate);
    for (const issued of [node, client]) {
      const leaf = new X509Certificate(issued.certificate);
      expect(leaf.checkIssued(root)).toBe(true);
      expect(leaf.verify(root.publicKey)).toBe(true);
      expect(leaf.verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
      expect(leaf.ca).toBe(false);
    }
    expect(root.ca).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(new X509Certificate(node.certificate).checkHost(nodeServerName)).toBe(nodeServerName);
  });

  it("takes the date and the serial number from its ports", async () => {
    const now = Date.UTC(2030, 0, 15);
    const random: Random = { uint32: () => 0, bytes: (length) => new Uint8Array(length).fill(0xff), fork: () => random };
    const issued = await createAuthority({ cluster: "reef", validityDays: 10 }, { clock: clockAt(now), random });
    const info = readCertificate(issued.certificate);
    expect(info.serialNumber).toBe(`7F${"FF".repeat(15)}`);
    expect(info.notBeforeMs).toBe(now - hourMs);
    expect(info.notAfterMs).toBe(now + 10 * dayMs);
    const leaf = await issueNodeCertificate(issued, { cluster: "reef", nodeId: 1, name: "a" }, { clock: clockAt(now + dayMs) });
    expect(readCertificate(leaf.certificate).notAfterMs).toBe(now + 10 * dayMs);
    const late = issueClientCertificate(issued, { cluster: "reef", name: "a" }, { clock: clockAt(now + 11 * dayMs) });
    await expect(late).rejects.toMatchObject({ code: "OCTOPII_CERTIFICATES_AUTHORITY_EXPIRED" });
  });

  it("refuses to sign what is not its own to sign", async () => {
    const wrongCluster = issueNodeCertificate(authority, { cluster: "lagoon", nodeId: 1, name: "a" });
    await expect(wrongCluster).rejects.toMatchObject({ code: "OCTOPII_CERTIFICATES_WRONG_CLUSTER" });
    const mixed = { certificate: authority.certificate, privateKey: other.privateKey };
    const mismatch = issueNodeCertificate(mixed, { cluster: "reef", nodeId: 1, name: "a" });
    await expect(mismatch).rejects.toMatchObject({ code: "OCTOPII_CERTIFICATES_KEY_MISMATCH" });
    const byNode = issueNodeCertificate(node, { cluster: "reef", nodeId: 1, name: "a" });
    await expect(byNode).rejects.toMatchObject({ code: "OCTOPII_CERTIFICATES_NOT_AN_AUTHORITY" });
    const nonsense = await issueClientCertificate({ ...authority, privateKey: "x" }, { cluster: "reef", name: "a" }).catch(
      (e: unknown) => e,
    );
    expect(isCertificatesError(nonsense, "OCTOPII_CERTIFICATES_UNREADABLE")).toBe(true);
    expect(isCertificatesError(nonsense, "OCTOPII_CERTIFICATES_KEY_MISMATCH")).toBe(false);
    expect(isCertificatesError(new Error("x"))).toBe(false);
  });

  it("lists every wrong option at once", async () => {
    const issued = issueNodeCertificate(authority, { cluster: "no spaces", nodeId: 0, name: "", validityDays: -1 });
    await expect(issued).rejects.toThrow(/cluster .*; name .*; nodeId .*; validityDays/);
    await expect(createAuthority({ cluster: "a/b" })).rejects.toBeInstanceOf(RangeError);
    expect(() => identifyForCluster({ cluster: "" })).toThrow(RangeError);
  });

  it("identifies members and clients of its cluster, and refuses the rest in a sentence", async () => {
    const identify = identifyForCluster({ cluster: "reef" });
    expect(identify([der(node)])).toEqual({ accepted: true, peer: { name: "alpha", cluster: "reef", nodeId: 7 } });
    expect(identify([der(client), der(authority)])).toEqual({
      accepted: true,
      peer: { name: "dashboard", cluster: "reef", nodeId: null },
    });
    const stranger = await issueNodeCertificate(other, { cluster: "lagoon", nodeId: 7, name: "alpha" });
    const refusals: [readonly Uint8Array[], RegExp][] = [
      [[der(stranger)], /belongs to cluster 'lagoon', not 'reef'/],
      [[der(authority)], /names neither a node nor a client/],
      [[], /showed no certificate/],
      [[new Uint8Array([1, 2, 3])], /cannot be read/],
    ];
    for (const [chain, reason] of refusals) {
      expect(identify(chain)).toEqual({ accepted: false, reason: expect.stringMatching(reason) });
    }
    const nodesOnly = identifyForCluster({ cluster: "reef", accept: ["node"] });
    expect(nodesOnly([der(node)]).accepted).toBe(true);
    expect(nodesOnly([der(client)])).toEqual({ accepted: false, reason: expect.stringMatching(/only a node may connect/) });
  });

  it("warns before the end", () => {
    const info = readCertificate(node.certificate);
    const at = (wallTimeMs: number) => checkValidity(info, { clock: clockAt(wallTimeMs) }).state;
    expect(at(info.notBeforeMs - 1)).toBe("notYetValid");
    expect(at(info.notBeforeMs)).toBe("valid");
    expect(at(info.notAfterMs - 31 * dayMs)).toBe("valid");
    expect(at(info.notAfterMs - 29 * dayMs)).toBe("expiring");
    expect(at(info.notAfterMs + 1)).toBe("expired");
    expect(checkValidity(node.certificate).state).toBe("valid");
    expect(() => checkValidity("not a certificate")).toThrow(/not a PEM/);
  });

  it("reads back every subject it writes, and no other text", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
    const cluster = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    const subject = fc.oneof(
      fc.record({ kind: fc.constant("authority" as const), cluster }),
      fc.record({ kind: fc.constant("node" as const), cluster, nodeId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
      fc.record({ kind: fc.constant("client" as const), cluster, name }),
    );
    fc.assert(
      fc.property(subject, (value) => {
        expect(parseSubject(formatSubject(value))).toEqual(value);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseSubject(`octopii://${text}`);
        expect(parsed === null || formatSubject(parsed) === `octopii://${text}`).toBe(true);
      }),
    );
    for (const text of ["", "-a", "a-", "a b", "a/b", "a".repeat(64), "ä"]) expect(isName(text)).toBe(false);
    expect(parseSubject("octopii://reef/node/9007199254740993")).toBeNull();
    expect(parseSubject("octopii://reef/node/07")).toBeNull();
    // What the core would not take as a cluster's name, no certificate bears.
    for (const text of ["Shop_1", "shop_1", "Shop", "a.b", "-a", "a".repeat(64)]) expect(isClusterName(text)).toBe(false);
    expect(parseSubject("octopii://Shop_1/node/1")).toBeNull();
  });
});
