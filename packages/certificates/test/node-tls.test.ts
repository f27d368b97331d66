import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createAuthority,
  type IssuedCertificate,
  identifyForCluster,
  issueClientCertificate,
  issueNodeCertificate,
  nodeServerName,
} from "../src/index.js";

interface Outcome {
  readonly server: string | null;
  readonly client: string | null;
}

/** One handshake over TLS 1.3, both sides verifying: who each side saw, or null where it refused. */
async function handshake(serverSide: IssuedCertificate, clientSide: IssuedCertificate, authority: IssuedCertificate): Promise<Outcome> {
  const identify = identifyForCluster({ cluster: "reef" });
  const seen = (socket: TLSSocket) => {
    const result = identify([new Uint8Array(socket.getPeerCertificate().raw)]);
    return result.accepted ? result.peer.name : null;
  };
  const options = { ca: authority.certificate, minVersion: "TLSv1.3" as const, rejectUnauthorized: true };
  const server = createServer({ ...options, cert: serverSide.certificate, key: serverSide.privateKey, requestCert: true });
  const accepted = new Promise<string | null>((resolve) => {
    server.once("secureConnection", (socket) => {
      resolve(seen(socket));
      socket.end();
    });
    server.once("tlsClientError", () => resolve(null));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    ...options,
    host: "127.0.0.1",
    port,
    servername: nodeServerName,
    cert: clientSide.certificate,
    key: clientSide.privateKey,
  });
  const connected = new Promise<string | null>((resolve) => {
    socket.once("secureConnect", () => resolve(seen(socket)));
    socket.on("error", () => resolve(null));
  });
  const outcome = { server: await accepted, client: await connected };
  socket.destroy();
  server.close();
  return outcome;
}

describe("certificates with node:tls", () => {
  let authority: IssuedCertificate;
  let alpha: IssuedCertificate;
  let beta: IssuedCertificate;

  beforeAll(async () => {
    authority = await createAuthority({ cluster: "reef" });
    alpha = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 1, name: "alpha" });
    beta = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 2, name: "beta" });
  });

  it("let two nodes prove themselves to each other", async () => {
    expect(await handshake(alpha, beta, authority)).toEqual({ server: "beta", client: "alpha" });
  });

  it("let a client connect, and not serve", async () => {
    const client = await issueClientCertificate(authority, { cluster: "reef", name: "dashboard" });
    expect(await handshake(alpha, client, authority)).toEqual({ server: "dashboard", client: "alpha" });
    expect(await handshake(client, alpha, authority)).toEqual({ server: null, client: null });
  });

  it("are worth nothing under another authority", async () => {
    const other = await createAuthority({ cluster: "reef" });
    const intruder = await issueNodeCertificate(other, { cluster: "reef", nodeId: 3, name: "intruder" });
    expect((await handshake(alpha, intruder, authority)).server).toBeNull();
    expect((await handshake(intruder, alpha, authority)).client).toBeNull();
  });
});
