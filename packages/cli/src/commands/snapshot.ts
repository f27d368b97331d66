import type { Client, NodeStatus } from "@octopii/core";
import { type Command, parseCommandLine, usageError } from "../command.js";
import { askLeader } from "../config/ask-leader.js";
import { clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { describeError } from "../errors.js";
import { nodeId, patienceOf } from "../operator-arguments.js";

const command = "snapshot";

const help = `Has nodes of a running cluster take a snapshot now, and compact their logs.

usage: octopii snapshot [ID...] [OPTIONS]

  ID               which nodes; default all
  --config FILE    how to reach the cluster;
                   default ${clientConfigDefault}, which octopii dev writes
  --timeout S      how many seconds to wait for it; default 60
  --json           print the answers as JSON
  --help           print this

examples:
  octopii snapshot
  octopii snapshot 2 --json

Nodes take snapshots by themselves as their logs grow; this is for before a
backup, or an upgrade. Reads and writes go on meanwhile.

Exit code: 0 all took one; 1 some did not; 2 bad input.
`;

/** The state may be large, and is written while the node goes on with its work. */
const patienceMs = 60_000;

/** What became of one node's snapshot. */
interface Taken {
  readonly id: number;
  readonly address: string;
  /** What the snapshot holds; null if none was taken. */
  readonly index: number | null;
  readonly error: string | null;
}

export const snapshotCommand: Command = {
  name: command,
  summary: "have nodes take a snapshot now",
  help,
  async run(args, io) {
    const options = { config: { type: "string" }, timeout: { type: "string" }, json: { type: "boolean" } } as const;
    const line = parseCommandLine(command, args, options, true);
    if (line.help) {
      io.stdout.write(help);
      return 0;
    }
    const ids = line.positionals.map((text) => nodeId(command, text));
    const timeoutMs = patienceOf(command, line) ?? patienceMs;
    const config = readClientConfig(typeof line.values.config === "string" ? line.values.config : clientConfigDefault);
    const client = connect(config);
    try {
      const chosen = choose(await askLeader(client, config), ids);
      const taken = await Promise.all(chosen.map(({ id, address }) => take(client, id, address, timeoutMs)));
      if (line.values.json === true) io.stdout.write(`${JSON.stringify({ snapshots: taken })}\n`);
      else for (const one of taken) (one.error === null ? io.stdout : io.stderr).write(`${sentence(one)}\n`);
      return taken.every(({ error }) => error === null) ? 0 : 1;
    } finally {
      await client.close();
    }
  },
};

function choose({ members }: NodeStatus, ids: readonly number[]): readonly { readonly id: number; readonly address: string }[] {
  for (const id of ids) {
    if (!members.some((member) => member.id === id)) throw usageError(`Node ${id} is no member of this cluster`, command);
  }
  const chosen = ids.length === 0 ? members : members.filter(({ id }) => ids.includes(id));
  return chosen.flatMap(({ id, address }) => (address === null ? [] : [{ id, address }]));
}

async function take(client: Client, id: number, address: string, timeoutMs: number): Promise<Taken> {
  try {
    return { id, address, index: await client.snapshotAt(address, { timeoutMs }), error: null };
  } catch (error) {
    return { id, address, index: null, error: describeError(error) };
  }
}

function sentence({ id, address, index, error }: Taken): string {
  if (error === null) return `Node ${id} at ${address} has a snapshot up to entry ${index}.`;
  return `octopii: Node ${id} at ${address} took no snapshot: ${error}`;
}
