import type { NodeStatus } from "@octopii/core";
import { type Command, type Io, parseCommandLine } from "../command.js";
import { type ClientConfig, clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { type NodeRow, renderTable } from "../dev/table.js";
import { colourful, plain, wantsColour } from "../dev/text.js";
import { statusJson } from "../status-json.js";

const help = `Asks each node of a running cluster how it is.

usage: octopii status [OPTIONS]

  --config FILE    how to reach the cluster; default ${clientConfigDefault}, which octopii dev writes
  --json           print it as JSON
  --help           print this

example:
  octopii status --json --config client.json

The lag of a node is what its leader has committed and it has not applied. Exit code: 0 if a leader was found, 1 if not.
`;

const answerTimeoutMs = 2_000;

export const statusCommand: Command = {
  name: "status",
  summary: "ask the nodes of a cluster how they are",
  help,
  async run(args, io) {
    const { help: wantsHelp, values } = parseCommandLine("status", args, { config: { type: "string" }, json: { type: "boolean" } });
    if (wantsHelp) {
      io.stdout.write(help);
      return 0;
    }
    const config = readClientConfig(typeof values.config === "string" ? values.config : clientConfigDefault);
    const rows = await askAll(config);
    print(config.cluster, rows, values.json === true, io);
    return rows.some(({ status }) => status?.role === "leader") ? 0 : 1;
  },
};

/** What every member says of itself. A member that does not answer has no status. */
async function askAll(config: ClientConfig): Promise<NodeRow[]> {
  const client = connect(config);
  try {
    const answers = await Promise.all(
      config.addresses.map(async (address) => ({
        address,
        status: await client.status(address, { timeoutMs: answerTimeoutMs }).catch(() => null),
      })),
    );
    const members = answers.find(({ status }) => status !== null)?.status?.members ?? [];
    return answers.map(({ address, status }) => toRow(address, status, members));
  } finally {
    await client.close();
  }
}

function toRow(address: string, status: NodeStatus | null, members: NodeStatus["members"]): NodeRow {
  const id = status?.id ?? members.find((member) => member.address === address)?.id ?? null;
  return { id, address, pid: null, status, state: status === null ? "down" : "up" };
}

function print(cluster: string, rows: readonly NodeRow[], json: boolean, { stdout, env }: Io): void {
  if (json) {
    stdout.write(`${JSON.stringify(statusJson(cluster, rows))}\n`);
    return;
  }
  const paint = wantsColour(stdout, env) ? colourful : plain;
  for (const line of renderTable(rows, (stdout.columns || 100) - 1, paint)) stdout.write(`${line}\n`);
}
