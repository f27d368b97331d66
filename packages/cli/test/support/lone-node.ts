import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, type IssuedCertificate, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";
import { keyValueClient } from "@octopii/core";
import { connect } from "../../src/config/client-config.js";
import { findFreePorts } from "../../src/dev/ports.js";
import { start } from "./program.js";

/** A cluster of one node, as files: the smallest thing that can be configured wrongly. */
export interface LoneNode {
  readonly directory: string;
  readonly port: number;
  readonly data: string;
  readonly authority: IssuedCertificate;
  readonly client: IssuedCertificate;
  /** The configuration that works. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Writes a configuration with changes, and gives its path. */
  configure(name: string, changes: Readonly<Record<string, unknown>>): string;
}

export async function createLoneNode(directory: string): Promise<LoneNode> {
  const [port = 0] = await findFreePorts(1);
  const authority = await createAuthority({ cluster: "lone" });
  const own = await issueNodeCertificate(authority, { cluster: "lone", nodeId: 1, name: "node-1" });
  const client = await issueClientCertificate(authority, { cluster: "lone", name: "test" });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "authority.pem"), authority.certificate);
  writeFileSync(join(directory, "node.pem"), own.certificate);
  writeFileSync(join(directory, "node.key"), own.privateKey);
  const config = {
    cluster: "lone",
    id: 1,
    directory: "data",
    members: [{ id: 1, address: `127.0.0.1:${port}` }],
    certificate: "node.pem",
    privateKey: "node.key",
    authorities: "authority.pem",
    // A quick election, and small segments, so that there soon are several.
    tickMs: 10,
    logSegmentBytes: 8 * 1024,
  };
  const configure = (name: string, changes: Readonly<Record<string, unknown>>): string => {
    const path = join(directory, `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...config, ...changes }));
    return path;
  };
  return { directory, port, data: join(directory, "data"), authority, client, config, configure };
}

/** Has the node run for a while and take `values` of 2 KiB each, then closes it cleanly. */
export async function fill(node: LoneNode, values: number): Promise<void> {
  const run = start(["node", "--config", node.configure("good", {})]);
  await run.seen(/takes part/);
  const credentials = { ...node.client, authorities: node.authority.certificate };
  const client = connect({ cluster: "lone", addresses: [`127.0.0.1:${node.port}`], credentials });
  try {
    for (let i = 0; i < values; i++) await keyValueClient(client).put(`key-${i}`, new Uint8Array(2 * 1024).fill(i));
  } finally {
    await client.close();
  }
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  if (code !== 0) throw new Error(`The node did not close: ${code} ${stderr}`);
}
