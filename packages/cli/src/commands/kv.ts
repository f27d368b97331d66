import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { type KeyValueClient, keyValueClient } from "@octopii/core";
import { type Command, type CommandLine, type Io, parseCommandLine, usageError } from "../command.js";
import { clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { CliError } from "../errors.js";
import { askCluster } from "../repeat.js";
import { suggestion } from "../suggest.js";

const help = `Reads and writes the key-value store of a running cluster.

usage: octopii kv put KEY VALUE        store a value; it is safe on a majority of the nodes then
       octopii kv put KEY --file FILE  store a file's bytes; - means standard input
       octopii kv get KEY              print a value's bytes; never an old value
       octopii kv del KEY              remove a value
       octopii kv keys [PREFIX]        print the keys, one per line

  --config FILE    how to reach the cluster; default ${clientConfigDefault}, which octopii dev writes
  --json           print the answer as JSON, a value in base64
  --help           print this

examples:
  octopii kv put colour green
  octopii kv put logo --file logo.png
  octopii kv get logo > copy.png

Exit code: 0 done, 1 there is no such key or no majority, 2 bad input.
`;

interface Call {
  readonly kv: KeyValueClient;
  readonly words: readonly string[];
  readonly file: string | null;
  readonly json: boolean;
  readonly io: Io;
}

interface Action {
  /** How many words it takes after its name, with and without `--file`. */
  readonly words: (hasFile: boolean) => readonly [min: number, max: number];
  readonly run: (call: Call) => Promise<void>;
}

const actions: Readonly<Record<string, Action>> = {
  put: { words: (hasFile) => (hasFile ? [1, 1] : [2, 2]), run: put },
  get: { words: () => [1, 1], run: get },
  del: { words: () => [1, 1], run: del },
  keys: { words: () => [0, 1], run: keys },
};

export const kvCommand: Command = {
  name: "kv",
  summary: "read and write the key-value store of a cluster",
  help,
  async run(args, io) {
    const options = { config: { type: "string" }, file: { type: "string" }, json: { type: "boolean" } } as const;
    const line = parseCommandLine("kv", args, options, true);
    if (line.help) {
      io.stdout.write(help);
      return 0;
    }
    const { action, words, file } = chooseAction(line);
    const config = readClientConfig(typeof line.values.config === "string" ? line.values.config : clientConfigDefault);
    const client = connect(config);
    try {
      await action.run({ kv: keyValueClient(client), words, file, json: line.values.json === true, io });
    } finally {
      await client.close();
    }
    return 0;
  },
};

function chooseAction({ values, positionals }: CommandLine): { action: Action; words: readonly string[]; file: string | null } {
  const [name, ...words] = positionals;
  if (name === undefined) throw usageError("What to do is missing: put, get, del or keys", "kv");
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) throw usageError(`kv cannot "${name}"${suggestion(name, Object.keys(actions))}`, "kv");
  const file = typeof values.file === "string" ? values.file : null;
  if (file !== null && name !== "put") throw usageError("--file goes with put", "kv");
  const [min, max] = action.words(file !== null);
  if (words.length < min || words.length > max) throw usageError(`kv ${name} takes ${min === max ? min : `up to ${max}`} arguments`, "kv");
  return { action, words, file };
}

async function put({ kv, words: [key = "", text = ""], file, json, io }: Call): Promise<void> {
  const value = file === null ? new TextEncoder().encode(text) : await readInput(file, io);
  const existed = await askCluster((timeoutMs) => kv.put(key, value, { timeoutMs }));
  if (json) io.stdout.write(`${JSON.stringify({ key, bytes: value.length, existed })}\n`);
}

async function get({ kv, words: [key = ""], json, io }: Call): Promise<void> {
  const value = await askCluster((timeoutMs) => kv.get(key, { timeoutMs }));
  if (value === null) throw noSuchKey(key);
  if (json) io.stdout.write(`${JSON.stringify({ key, value: Buffer.from(value).toString("base64") })}\n`);
  else io.stdout.write(io.stdout.isTTY === true ? Buffer.concat([value, Buffer.from("\n")]) : value);
}

async function del({ kv, words: [key = ""], json, io }: Call): Promise<void> {
  const existed = await askCluster((timeoutMs) => kv.delete(key, { timeoutMs }));
  if (json) io.stdout.write(`${JSON.stringify({ key, existed })}\n`);
  else if (!existed) throw noSuchKey(key);
}

async function keys({ kv, words: [prefix = ""], json, io }: Call): Promise<void> {
  const found = await askCluster((timeoutMs) => kv.keys(prefix, { timeoutMs }));
  io.stdout.write(json ? `${JSON.stringify({ keys: found })}\n` : found.map((key) => `${key}\n`).join(""));
}

function noSuchKey(key: string): CliError {
  return new CliError("OCTOPII_CLI_NO_SUCH_KEY", `There is no ${JSON.stringify(key)}.`);
}

async function readInput(file: string, { stdin }: Io): Promise<Uint8Array> {
  return file === "-" ? buffer(stdin) : readFileSync(file);
}
