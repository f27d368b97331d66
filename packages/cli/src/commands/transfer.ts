import { change } from "../ask.js";
import { type Command, parseCommandLine, usageError } from "../command.js";
import { clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { nodeId, patienceOf } from "../operator-arguments.js";

const command = "transfer";

const help = `Hands the leadership of a running cluster to another node.

usage: octopii transfer ID [OPTIONS]

  --config FILE    how to reach the cluster;
                   default ${clientConfigDefault}, which octopii dev writes
  --timeout S      how many seconds to wait for it; default 10
  --json           print the answer as JSON
  --help           print this

example:
  octopii transfer 2      before the machine of the leader is shut down

The node must have a vote. It is brought up to date first, so the cluster is
without a leader for a moment only, and nothing is lost.

Exit code: 0 it leads; 1 leadership stayed, or went to another, or nobody
knows; 2 bad input.
`;

export const transferCommand: Command = {
  name: command,
  summary: "hand leadership to another node",
  help,
  async run(args, io) {
    const options = { config: { type: "string" }, timeout: { type: "string" }, json: { type: "boolean" } } as const;
    const line = parseCommandLine(command, args, options, true);
    if (line.help) {
      io.stdout.write(help);
      return 0;
    }
    if (line.positionals.length !== 1) throw usageError("transfer takes the ID of a node", command);
    const id = nodeId(command, line.positionals[0]);
    const timeoutMs = patienceOf(command, line);
    const client = connect(readClientConfig(typeof line.values.config === "string" ? line.values.config : clientConfigDefault));
    try {
      const what = `node ${id} leads`;
      await change((limit) => client.transferLeadership(id, { timeoutMs: limit }), {
        what,
        check: "octopii status",
        effect: "once",
        timeoutMs,
      });
    } finally {
      await client.close();
    }
    io.stdout.write(line.values.json === true ? `${JSON.stringify({ leader: id })}\n` : `Node ${id} leads.\n`);
    return 0;
  },
};
