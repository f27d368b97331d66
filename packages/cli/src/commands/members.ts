import type { Client, NodeStatus } from "@octopii/core";
import { change } from "../ask.js";
import { type Command, type Io, parseCommandLine, usageError } from "../command.js";
import { askLeader } from "../config/ask-leader.js";
import { type ClientConfig, clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { nodeAddress, nodeId, patienceOf } from "../operator-arguments.js";
import { suggestion } from "../suggest.js";

const help = `Shows and changes who belongs to a running cluster.

usage: octopii members                      list them, as the leader sees them
       octopii members add ID ADDRESS       add a node without a vote: it
                                            receives the log
       octopii members promote ID           give it a vote once it has caught up
       octopii members replace OLD ID ADDRESS
                                            put a new node in the place of one
       octopii members remove ID            take a node out
       octopii members move ID ADDRESS      reach a node at another address

  --config FILE    how to reach the cluster;
                   default ${clientConfigDefault}, which octopii dev writes
  --timeout S      how many seconds to wait for it; default 10
  --json           print the answer as JSON
  --help           print this

examples:
  octopii members add 4 10.0.0.4:7000      then start it, with "join": true
  octopii members promote 4
  octopii members remove 2

One change is made at a time, and one that would leave no quorum is refused.
A node that is removed should be stopped then; its id is never used again.

Exit code: 0 done; 1 refused, no majority of the nodes, or the outcome is
unknown; 2 bad input.
`;

interface Call {
  readonly client: Client;
  readonly config: ClientConfig;
  readonly words: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly json: boolean;
  readonly io: Io;
}

/** A change: what it takes, how it is made, and what to say of it. */
interface Change {
  readonly usage: string;
  readonly words: number;
  readonly make: (client: Client, words: readonly string[], timeoutMs: number) => Promise<void>;
  /** To follow "It is unknown whether". */
  readonly done: (words: readonly string[]) => string;
}

const command = "members";
const id = (text: string | undefined): number => nodeId(command, text);

const changes: Readonly<Record<string, Change>> = {
  add: {
    usage: "ID ADDRESS",
    words: 2,
    make: (client, [node, address = ""], timeoutMs) => client.addLearner(id(node), address, { timeoutMs }),
    done: ([node, address]) => `node ${node} was added at ${address}`,
  },
  promote: {
    usage: "ID",
    words: 1,
    make: (client, [node], timeoutMs) => client.promote(id(node), { timeoutMs }),
    done: ([node]) => `node ${node} was given a vote`,
  },
  replace: {
    usage: "OLD ID ADDRESS",
    words: 3,
    make: (client, [old, node, address = ""], timeoutMs) => client.replaceMember(id(old), id(node), address, { timeoutMs }),
    done: ([old, node]) => `node ${node} took the place of node ${old}`,
  },
  remove: {
    usage: "ID",
    words: 1,
    make: (client, [node], timeoutMs) => client.remove(id(node), { timeoutMs }),
    done: ([node]) => `node ${node} was removed`,
  },
  move: {
    usage: "ID ADDRESS",
    words: 2,
    make: (client, [node, address = ""], timeoutMs) => client.updateAddress(id(node), address, { timeoutMs }),
    done: ([node, address]) => `node ${node} is reached at ${address}`,
  },
};

export const membersCommand: Command = {
  name: command,
  summary: "show and change who belongs to a cluster",
  help,
  async run(args, io) {
    const options = { config: { type: "string" }, timeout: { type: "string" }, json: { type: "boolean" } } as const;
    const line = parseCommandLine(command, args, options, true);
    if (line.help) {
      io.stdout.write(help);
      return 0;
    }
    const [name = "list", ...words] = line.positionals;
    const chosen = choose(name, words);
    const timeoutMs = patienceOf(command, line);
    const config = readClientConfig(typeof line.values.config === "string" ? line.values.config : clientConfigDefault);
    const client = connect(config);
    try {
      const call = { client, config, words, timeoutMs, json: line.values.json === true, io };
      await (chosen === null ? list(call) : make(chosen, call));
    } finally {
      await client.close();
    }
    return 0;
  },
};

/** @returns null for the list. */
function choose(name: string, words: readonly string[]): Change | null {
  const known = ["list", ...Object.keys(changes)];
  if (!known.includes(name)) throw usageError(`members cannot "${name}"${suggestion(name, known)}`, command);
  const chosen = changes[name] ?? null;
  if (words.length !== (chosen?.words ?? 0)) throw usageError(`members ${name} takes ${chosen?.usage ?? "nothing more"}`, command);
  // What is no id, or no address, is told before anything is asked of the cluster.
  chosen?.usage.split(" ").forEach((what, i) => void (what === "ADDRESS" ? nodeAddress : nodeId)(command, words[i]));
  return chosen;
}

async function make({ make: carryOut, done }: Change, { client, words, timeoutMs, json, io }: Call): Promise<void> {
  const what = done(words);
  await change((limit) => carryOut(client, words, limit), { what, check: "octopii members", effect: "once", timeoutMs });
  io.stdout.write(json ? `${JSON.stringify({ done: what })}\n` : `${what[0]?.toUpperCase()}${what.slice(1)}.\n`);
}

async function list({ client, config, json, io }: Call): Promise<void> {
  const status = await askLeader(client, config);
  io.stdout.write(json ? `${JSON.stringify(asJson(status))}\n` : asTable(status));
}

function asJson({ cluster, leaderId, lastIndex, members }: NodeStatus) {
  const withLag = members.map((member) => ({ ...member, lag: lagOf(member.matchIndex, lastIndex) }));
  return { cluster, leader: leaderId === 0 ? null : leaderId, members: withLag };
}

function asTable({ leaderId, lastIndex, members }: NodeStatus): string {
  const rows = members.map(({ id: node, membership, address, matchIndex }) => [
    String(node),
    node === leaderId ? "leader" : membership,
    String(lagOf(matchIndex, lastIndex) ?? "-"),
    address ?? "-",
  ]);
  const all = [["node", "part", "lag", "address"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(([node = "", part = "", lag = "", address = ""]) =>
      [node.padStart(widths[0] ?? 0), part.padEnd(widths[1] ?? 0), lag.padStart(widths[2] ?? 0), address].join("  "),
    )
    .map((row) => `${row}\n`)
    .join("");
}

/** How many entries a member does not hold yet; null where nobody told. */
const lagOf = (matchIndex: number | null, lastIndex: number): number | null => (matchIndex === null ? null : lastIndex - matchIndex);
