import { type Client, type CoreError, isCoreError, type NodeStatus } from "@octopii/core";
import { type Command, type Io, parseCommandLine } from "../command.js";
import { type ClientConfig, clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { type NodeRow, renderTable } from "../dev/table.js";
import { colourful, plain, wantsColour } from "../dev/text.js";
import { statusJson } from "../status-json.js";

const help = `Asks each node of a running cluster how it is.

usage: octopii status [OPTIONS]

  --config FILE    how to reach the cluster;
                   default ${clientConfigDefault}, which octopii dev writes
  --json           print it as JSON
  --help           print this

example:
  octopii status --json --config client.json

The lag of a node is what its leader has committed and it has not applied. A
node whose state is "refused" runs, but does not accept the certificate of this
command, or has one that this command does not accept.

Exit code: 0 if a leader was found, 1 if not, 2 if every node that could be
reached refused; then stderr says why.
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
    const answers = await askAll(config);
    const rows = toRows(answers);
    print(config.cluster, rows, values.json === true, io);
    const refusal = answers.find((answer) => answer.refusal !== null)?.refusal ?? null;
    if (refusal !== null && answers.every(({ status }) => status === null)) throw refusal;
    return rows.some(({ status }) => status?.role === "leader") ? 0 : 1;
  },
};

/** What a member says of itself. One that does not answer has no status. */
interface Answer {
  readonly address: string;
  readonly status: NodeStatus | null;
  /** Why one side did not accept the other; null where that was not the matter. */
  readonly refusal: CoreError | null;
}

async function askAll(config: ClientConfig): Promise<Answer[]> {
  const client = connect(config);
  try {
    return await Promise.all(config.addresses.map((address) => ask(client, address)));
  } finally {
    await client.close();
  }
}

async function ask(client: Client, address: string): Promise<Answer> {
  try {
    return { address, status: await client.status(address, { timeoutMs: answerTimeoutMs }), refusal: null };
  } catch (error) {
    return { address, status: null, refusal: isCoreError(error, "OCTOPII_CORE_IDENTITY_REFUSED") ? error : null };
  }
}

function toRows(answers: readonly Answer[]): NodeRow[] {
  const members = answers.find(({ status }) => status !== null)?.status?.members ?? [];
  return answers.map(({ address, status, refusal }) => {
    const id = status?.id ?? members.find((member) => member.address === address)?.id ?? null;
    const state = status !== null ? "up" : refusal !== null ? "refused" : "down";
    return { id, address, pid: null, status, state };
  });
}

function print(cluster: string, rows: readonly NodeRow[], json: boolean, { stdout, env }: Io): void {
  if (json) {
    stdout.write(`${JSON.stringify(statusJson(cluster, rows))}\n`);
    return;
  }
  const paint = wantsColour(stdout, env) ? colourful : plain;
  for (const line of renderTable(rows, (stdout.columns || 81) - 1, paint)) stdout.write(`${line}\n`);
}
