import { readFileSync } from "node:fs";
import type { Command, Io } from "./command.js";
import { usageError } from "./command.js";
import { certsCommand } from "./commands/certs.js";
import { devCommand } from "./commands/dev.js";
import { kvCommand } from "./commands/kv.js";
import { membersCommand } from "./commands/members.js";
import { nodeCommand } from "./commands/node.js";
import { receiveCommand } from "./commands/receive.js";
import { sendCommand } from "./commands/send.js";
import { snapshotCommand } from "./commands/snapshot.js";
import { statusCommand } from "./commands/status.js";
import { transferCommand } from "./commands/transfer.js";
import { walCommand } from "./commands/wal.js";
import { describeError, exitCodeOf } from "./errors.js";
import { suggestion } from "./suggest.js";

const commands: readonly Command[] = [
  devCommand,
  nodeCommand,
  statusCommand,
  membersCommand,
  transferCommand,
  snapshotCommand,
  kvCommand,
  sendCommand,
  receiveCommand,
  certsCommand,
  walCommand,
];

const help = `Runs and asks Octopii clusters.

usage: octopii COMMAND [OPTIONS]

${commands.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join("\n")}

  --help       print this, or the help of a command
  --version    print the version

examples:
  octopii dev                    a three-node cluster on this machine
  octopii kv put colour green    store a value in it, from another terminal
  octopii status                 how its nodes are

Data goes to stdout, logs to stderr. NO_COLOR is respected.

Exit code: 0 done, 1 it failed, 2 bad input.
`;

/**
 * Runs the program. It never rejects: errors are told on stderr in one sentence, without a stack trace if they are expected ones.
 * @returns the exit code: 0 done, 1 failed, 2 bad input.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  // A reader that goes away, such as `head`, or a terminal that is closed, is no reason for a stack trace.
  for (const stream of [io.stdout, io.stderr]) stream.on("error", () => undefined);
  try {
    return await dispatch(args, io);
  } catch (error) {
    io.stderr.write(`octopii: ${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === "--version" || name === "-v") {
    io.stdout.write(`${version()}\n`);
    return 0;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    io.stdout.write(help);
    return 0;
  }
  if (name === undefined) throw usageError("A command is missing", "");
  const wanted = name === "help" ? rest[0] : name;
  const command = commands.find((one) => one.name === wanted);
  const names = commands.map((one) => one.name);
  if (command === undefined) throw usageError(`There is no command "${wanted}"${suggestion(String(wanted), names)}`, "");
  return command.run(name === "help" ? ["--help"] : rest, io);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
