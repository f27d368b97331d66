import { createReadStream } from "node:fs";
import { isCoreError, type KeyValueClient, keyValueClient } from "@octopii/core";
import { change, read } from "../ask.js";
import { type Command, type CommandLine, type Io, parseCommandLine, usageError } from "../command.js";
import { clientConfigDefault, connect, readClientConfig } from "../config/client-config.js";
import { reasonOf } from "../config/config-file.js";
import { CliError } from "../errors.js";
import { suggestion } from "../suggest.js";

const help = `Reads and writes the key-value store of a running cluster.

usage: octopii kv put KEY VALUE        store a value; it is safe on a majority
                                       of the nodes then
       octopii kv put KEY --file FILE  store a file's bytes; - means standard
                                       input
       octopii kv get KEY              print a value's bytes; never an old value
       octopii kv del KEY              remove a value
       octopii kv keys [PREFIX]        print the keys, one per line

  --config FILE    how to reach the cluster;
                   default ${clientConfigDefault}, which octopii dev writes
  --json           print the answer as JSON, a value in base64
  --help           print this

examples:
  octopii kv put colour green
  octopii kv put logo --file logo.png
  octopii kv get logo > copy.png

A put or del whose answer is lost may have happened. It is not sent again, as
that could undo what somebody else has written meanwhile: stderr says that its
outcome is unknown, and with --json stdout has "outcome": "unknown".

Exit code: 0 done; 1 there is no such key, no majority of the nodes, or the
outcome is unknown; 2 bad input.
`;

/** What nodes and clients take unless they are told otherwise, so what a client that takes no other limit can store. */
const valueBytesMax = 16 * 1024 * 1024;

interface Call {
  readonly kv: KeyValueClient;
  readonly words: readonly string[];
  readonly file: string | null;
  readonly json: boolean;
  readonly io: Io;
}

interface Action {
  /** What it takes after its name, for people. */
  readonly usage: string;
  /** How many words that is, with and without `--file`. */
  readonly words: (hasFile: boolean) => readonly [min: number, max: number];
  readonly run: (call: Call) => Promise<void>;
}

const actions: Readonly<Record<string, Action>> = {
  put: { usage: "KEY VALUE, or KEY --file FILE", words: (hasFile) => (hasFile ? [1, 1] : [2, 2]), run: put },
  get: { usage: "KEY", words: () => [1, 1], run: get },
  del: { usage: "KEY", words: () => [1, 1], run: del },
  keys: { usage: "[PREFIX]", words: () => [0, 1], run: keys },
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
  if (words.length < min || words.length > max) throw usageError(`kv ${name} takes ${action.usage}`, "kv");
  return { action, words, file };
}

async function put(call: Call): Promise<void> {
  const { kv, file, json, io } = call;
  const [key = "", text = ""] = call.words;
  const value = file === null ? new TextEncoder().encode(text) : await readInput(file, io);
  const existed = await changeOnce(call, "stored", (timeoutMs) => kv.put(key, value, { timeoutMs }));
  if (json) io.stdout.write(`${JSON.stringify({ key, bytes: value.length, existed })}\n`);
}

async function get({ kv, words: [key = ""], json, io }: Call): Promise<void> {
  const value = await read((timeoutMs) => kv.get(key, { timeoutMs }));
  if (value === null) throw noSuchKey(key);
  if (json) io.stdout.write(`${JSON.stringify({ key, value: Buffer.from(value).toString("base64") })}\n`);
  else io.stdout.write(io.stdout.isTTY === true ? Buffer.concat([value, Buffer.from("\n")]) : value);
}

async function del(call: Call): Promise<void> {
  const { kv, json, io } = call;
  const [key = ""] = call.words;
  const existed = await changeOnce(call, "removed", (timeoutMs) => kv.delete(key, { timeoutMs }));
  if (json) io.stdout.write(`${JSON.stringify({ key, existed })}\n`);
  if (!existed) throw noSuchKey(key);
}

async function keys({ kv, words: [prefix = ""], json, io }: Call): Promise<void> {
  const found = await read((timeoutMs) => kv.keys(prefix, { timeoutMs }));
  io.stdout.write(json ? `${JSON.stringify({ keys: found })}\n` : found.map((key) => `${key}\n`).join(""));
}

/** A change is not repeated on a chance: between a put that happened and its repetition, somebody else may have written the same key. */
async function changeOnce(
  { words: [key = ""], json, io }: Call,
  done: string,
  call: (timeoutMs: number) => Promise<boolean>,
): Promise<boolean> {
  // A key that a shell would not take as it is must not be pasted into one.
  const check = `octopii kv get ${/^[\w./:@][\w./:@-]*$/.test(key) ? key : "KEY"}`;
  try {
    return (await change(call, { what: `${JSON.stringify(key)} was ${done}`, check, effect: "once" })).value;
  } catch (error) {
    if (json && isCoreError(error) && error.outcome === "unknown") io.stdout.write(`${JSON.stringify({ key, outcome: "unknown" })}\n`);
    throw error;
  }
}

function noSuchKey(key: string): CliError {
  return new CliError("OCTOPII_CLI_NO_SUCH_KEY", `There is no ${JSON.stringify(key)}.`);
}

/** @throws {CliError} `USAGE` for what cannot be read, or is larger than any node takes; no more than that is read. */
async function readInput(file: string, { stdin }: Io): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of file === "-" ? stdin : createReadStream(file)) {
      chunks.push(chunk as Uint8Array);
      size += (chunk as Uint8Array).length;
      if (size > valueBytesMax) break;
    }
  } catch (error) {
    const sentence = `${reasonOf(error, file)}; give --file the path of a file.`;
    throw new CliError("OCTOPII_CLI_USAGE", sentence, { cause: error });
  }
  if (size <= valueBytesMax) return Buffer.concat(chunks);
  throw new CliError("OCTOPII_CLI_USAGE", `The value has more than ${valueBytesMax} bytes, the most that a node takes; store it in parts.`);
}
