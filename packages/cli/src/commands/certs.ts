import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type CertificateInfo,
  checkValidity,
  createAuthority,
  type IssuedCertificate,
  issueClientCertificate,
  issueNodeCertificate,
  readCertificate,
} from "@octopii/certificates";
import { type Command, type Io, parseCommandLine, usageError, wholeNumber } from "../command.js";
import { ConfigFile } from "../config/config-file.js";
import { nodeConfigFields } from "../config/node-config.js";
import { writePair } from "../dev/certificates.js";
import { readIfThere } from "../dev/files.js";
import { CliError } from "../errors.js";

const help = `Makes and shows the certificates by which nodes and clients know each other.

usage: octopii certs init   --cluster NAME [--authority DIR] [--days N]
       octopii certs issue  (--node ID | --client NAME) [--authority DIR]
                            [--out DIR] [--days N]
       octopii certs rotate --config FILE [--authority DIR] [--days N]
       octopii certs show   FILE...

  init      makes the authority of a cluster: DIR/authority.pem and
            DIR/authority.key
  issue     makes a certificate and its key: OUT/node-ID.pem and .key, or
            OUT/NAME.pem and .key
  rotate    makes a new certificate for the node, or client, of a
            configuration, in the place of the old one; a running node shows
            it within seconds, and needs no restart
  show      says what certificates hold, and until when they are valid

  --authority DIR   where the authority is kept; default ./authority
  --out DIR         where to put what is issued; default the working directory
  --days N          how long it is valid; default 3650 for an authority, 365
                    for all others
  --json            show: print it as JSON
  --help            print this

examples:
  octopii certs init --cluster shop
  octopii certs issue --node 1 --out node-1

Whoever has authority.key can join the cluster: keep it off the nodes. No file
is overwritten but by rotate.

Exit code: 0 done; show: 1 if one is expired, not yet valid, or expires within
30 days; 2 bad input.
`;

type Values = ReturnType<typeof parseCommandLine>["values"];

export const certsCommand: Command = {
  name: "certs",
  summary: "make and show certificates",
  help,
  async run(args, io) {
    const text = { type: "string" } as const;
    const options = {
      cluster: text,
      authority: text,
      out: text,
      node: text,
      client: text,
      config: text,
      days: text,
      json: { type: "boolean" },
    } as const;
    const { help: wantsHelp, values, positionals } = parseCommandLine("certs", args, options, true);
    if (wantsHelp) {
      io.stdout.write(help);
      return 0;
    }
    const [action, ...files] = positionals;
    if (action === "show") return show(files, values.json === true, io);
    if (files.length > 0) throw usageError(`Unexpected argument "${files[0]}"`, "certs");
    if (action === "init") return init(values, io);
    if (action === "issue") return issue(values, io);
    if (action === "rotate") return rotate(values, io);
    throw usageError(action === undefined ? "Say what to do: init, issue, rotate or show" : `There is no "certs ${action}"`, "certs");
  },
};

async function init(values: Values, io: Io): Promise<number> {
  const { cluster } = values;
  if (typeof cluster !== "string") throw usageError("--cluster NAME is missing", "certs");
  const paths = authorityPaths(values);
  refuseExisting(Object.values(paths));
  writePair(paths, await checked(() => createAuthority({ cluster, ...validity(values) })));
  io.stdout.write(`${paths.certificate}\n${paths.privateKey}\n`);
  return 0;
}

async function issue(values: Values, io: Io): Promise<number> {
  const { node, client } = values;
  if ((typeof node === "string") === (typeof client === "string")) throw usageError("Give either --node ID or --client NAME", "certs");
  const authority = readAuthority(values);
  const cluster = clusterOf(authority);
  const name = typeof client === "string" ? client : `node-${String(node)}`;
  const make = (): Promise<IssuedCertificate> =>
    typeof client === "string"
      ? issueClientCertificate(authority, { cluster, name, ...validity(values) })
      : issueNodeCertificate(authority, { cluster, name, nodeId: nodeIdOf(String(node)), ...validity(values) });
  const issued = await checked(make);
  const out = typeof values.out === "string" ? values.out : ".";
  const paths = { certificate: join(out, `${name}.pem`), privateKey: join(out, `${name}.key`) };
  refuseExisting(Object.values(paths));
  writePair(paths, issued);
  io.stdout.write(`${paths.certificate}\n${paths.privateKey}\n`);
  return 0;
}

async function rotate(values: Values, io: Io): Promise<number> {
  if (typeof values.config !== "string") throw usageError("--config FILE is missing", "certs");
  const file = new ConfigFile(values.config, [...nodeConfigFields, "addresses", "connectTimeoutMs"]);
  const paths = { certificate: file.filePath("certificate"), privateKey: file.filePath("privateKey") };
  file.check();
  const old = read(paths.certificate);
  const authority = readAuthority(values);
  const { cluster, name, nodeId } = old;
  if (cluster === null || name === null) {
    throw new CliError("OCTOPII_CLI_CONFIGURATION_INVALID", `${paths.certificate} is the certificate of neither a node nor a client.`);
  }
  const issued = await checked(() =>
    nodeId === null
      ? issueClientCertificate(authority, { cluster, name, ...validity(values) })
      : issueNodeCertificate(authority, { cluster, name, nodeId, ...validity(values) }),
  );
  writePair(paths, issued);
  io.stdout.write(`${describe(paths.certificate, read(paths.certificate))}\n`);
  return 0;
}

function show(files: readonly string[], json: boolean, io: Io): number {
  if (files.length === 0) throw usageError("Name the files to show", "certs");
  const found = files.map((file) => ({ file, info: read(file) }));
  const states = found.map(({ info }) => checkValidity(info).state);
  if (json) io.stdout.write(`${JSON.stringify(found.map(({ file, info }, i) => ({ file, state: states[i], ...info })))}\n`);
  else for (const { file, info } of found) io.stdout.write(`${describe(file, info)}\n`);
  return states.every((state) => state === "valid") ? 0 : 1;
}

function describe(file: string, info: CertificateInfo): string {
  const { kind, cluster, nodeId, name, fingerprint } = info;
  const who = kind === "node" ? `node ${String(nodeId)} (${String(name)})` : kind === "client" ? `client ${String(name)}` : kind;
  const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const until = `${date(info.notBeforeMs)} to ${date(info.notAfterMs)}`;
  return `${file}: ${who} of cluster ${String(cluster)}, ${until}. ${checkValidity(info).message}\n  SHA-256 ${fingerprint}`;
}

function read(path: string): CertificateInfo {
  const text = readIfThere(path);
  if (text === null) throw new CliError("OCTOPII_CLI_CONFIGURATION_INVALID", `${path} does not exist; give the path of a certificate.`);
  return readCertificate(text);
}

function authorityPaths({ authority }: Values): { readonly certificate: string; readonly privateKey: string } {
  const directory = typeof authority === "string" ? authority : "authority";
  return { certificate: join(directory, "authority.pem"), privateKey: join(directory, "authority.key") };
}

function readAuthority(values: Values): IssuedCertificate {
  const paths = authorityPaths(values);
  for (const path of Object.values(paths)) {
    if (existsSync(path)) continue;
    const message = `There is no authority in ${dirname(path)}: ${path} is missing; make one with octopii certs init, or give --authority DIR.`;
    throw new CliError("OCTOPII_CLI_CONFIGURATION_INVALID", message);
  }
  return { certificate: readFileSync(paths.certificate, "utf8"), privateKey: readFileSync(paths.privateKey, "utf8") };
}

function clusterOf({ certificate }: IssuedCertificate): string {
  return readCertificate(certificate).cluster ?? "";
}

function nodeIdOf(text: string): number {
  return wholeNumber("certs", "node", text, 1, Number.MAX_SAFE_INTEGER);
}

function validity({ days }: Values): { readonly validityDays?: number } {
  return typeof days === "string" ? { validityDays: wholeNumber("certs", "days", days, 1, 36_500) } : {};
}

function refuseExisting(paths: readonly string[]): void {
  const existing = paths.find((path) => existsSync(path));
  if (existing === undefined) return;
  throw new CliError(
    "OCTOPII_CLI_DIRECTORY_UNUSABLE",
    `${existing} is there already, and nothing is overwritten; remove it first, or choose another place.`,
  );
}

/** A wrong name is the operator's, not ours. */
async function checked<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof RangeError) throw usageError(error.message.replace(/\.$/, ""), "certs");
    throw error;
  }
}
