import { createInterface } from "node:readline";
import { type Command, type Io, parseCommandLine, usageError, wholeNumber } from "../command.js";
import { type DevCluster, type DevClusterOptions, openDevCluster } from "../dev/cluster.js";
import { Shell } from "../dev/shell.js";
import { colourful, plain, wantsColour } from "../dev/text.js";
import { createLiveView, createPlainView, shortPath, type View } from "../dev/view.js";
import { statusJson } from "../status-json.js";

const help = `Runs a cluster on this machine, each node in a process of its own, with
certificates, durable logs and QUIC between them. The first run makes the
cluster; later runs bring the same one up again, with its data.

usage: octopii dev [OPTIONS]

  --directory DIR      where everything lies; default .octopii/dev
  --nodes N            how many nodes, 1 to 9; default 3
  --base-port PORT     the UDP port of node 1, the others follow; or auto, for
                       free ones; default: the ports of the last run
  --once               wait for a leader, print the status, stop the nodes, and
                       exit
  --json               with --once: print the status as JSON
  --help               print this

In a terminal it shows the nodes live and takes commands: put, get, del, kill,
restart, status, help, quit. Without one it reads commands from its input,
prints a line for each thing that happens, and runs until SIGINT or SIGTERM.

DIR/node-N/config.json may hold more options of a node, such as "electionTicks":
later runs keep them, and say so when they update members or paths in there.

examples:
  octopii dev
  octopii dev --nodes 5 --directory /tmp/five
  printf 'put colour green\\nget colour\\nquit\\n' | octopii dev
  octopii kv get colour --config .octopii/dev/client.json

Exit code: 0 stopped on request; 1 a node failed at the start, or no leader was
elected; 2 refused; stderr says why.
`;

interface DevOptions {
  readonly cluster: DevClusterOptions;
  readonly once: boolean;
  readonly json: boolean;
}

/** An election takes a second or two; this leaves room for a machine under load. */
const leaderTimeoutMs = 30_000;
/** What counts as one wish to stop, however many signals it brings: a terminal, npm and a supervisor may each send one. */
const sameWishMs = 500;

export const devCommand: Command = {
  name: "dev",
  summary: "run a cluster on this machine",
  help,
  async run(args, io) {
    const options = parseDevOptions(args);
    if (options !== null) return runDev(options, io);
    io.stdout.write(help);
    return 0;
  },
};

function parseDevOptions(args: readonly string[]): DevOptions | null {
  const { help: wantsHelp, values } = parseCommandLine("dev", args, {
    directory: { type: "string" },
    nodes: { type: "string" },
    "base-port": { type: "string" },
    once: { type: "boolean" },
    json: { type: "boolean" },
  });
  if (wantsHelp) return null;
  const { directory = ".octopii/dev", nodes, "base-port": basePort, once, json } = values;
  if (directory === "") throw usageError("--directory must be a path", "dev");
  if (json === true && once !== true) throw usageError("--json goes with --once", "dev");
  const count = typeof nodes === "string" ? wholeNumber("dev", "nodes", nodes, 1, 9) : undefined;
  return {
    cluster: {
      directory: String(directory),
      ...(count !== undefined && { nodes: count }),
      ...(typeof basePort === "string" && { basePort: parsePort(basePort, count ?? 9) }),
    },
    once: once === true,
    json: json === true,
  };
}

function parsePort(text: string, nodes: number): number | "auto" {
  return text === "auto" ? text : wholeNumber("dev", "base-port", text, 1, 65_536 - nodes);
}

async function runDev({ cluster: clusterOptions, once, json }: DevOptions, io: Io): Promise<number> {
  let cluster: DevCluster | null = null;
  const stopper = new Stopper(() => cluster?.abandon());
  const paint = wantsColour(io.stdout, io.env) ? colourful : plain;
  const commands = new CommandQueue();
  const interactive = !once && io.stdin.isTTY === true && io.stdout.isTTY === true && io.env.TERM !== "dumb";
  const current = (): DevCluster | null => cluster;
  const input = {
    line: (text: string) => commands.push(text),
    interrupt: () => stopper.ask(),
    complete: (text: string) => commands.complete(text),
  };
  const view: View | null = once
    ? null
    : interactive
      ? createLiveView(current, io.stdin, io.stdout, paint, input)
      : createPlainView(current, io.stdout, paint);
  io.stdout.once("error", stopper.ask);
  try {
    view?.update();
    const onUpdate = (sentence: string): void => {
      if (view === null) io.stderr.write(`octopii: ${sentence}\n`);
      else view.say(` ${sentence}`);
    };
    cluster = await openDevCluster({ ...clusterOptions, onUpdate, onChange: () => view?.update(), signal: stopper.signal });
    if (view === null) await showOnce(cluster, json, stopper.signal, io);
    else await serve(cluster, view, commands, stopper, interactive ? null : io.stdin);
    return 0;
  } catch (error) {
    if (!stopper.signal.aborted) throw error;
    return 0;
  } finally {
    await cluster?.close();
    view?.update();
    view?.close();
    stopper.release();
    io.stdout.off("error", stopper.ask);
    io.stdin.pause();
  }
}

/** @param piped - where to read commands when there is no terminal. */
async function serve(cluster: DevCluster, view: View, commands: CommandQueue, stopper: Stopper, piped: NodeJS.ReadStream | null) {
  view.update();
  const directory = shortPath(cluster.directory);
  view.say(` Data lies in ${directory}, what node N says in ${directory}/node-N/log.txt.`);
  if (piped === null) view.say(" Type help for the commands; Ctrl-C stops everything.");
  await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs, signal: stopper.signal });
  if (piped !== null) {
    await settle(cluster, stopper.signal);
    view.status();
  }
  const shell = new Shell(cluster, view, () => stopper.ask(), stopper.signal);
  commands.attach(shell);
  const lines = piped === null ? null : createInterface({ input: piped, terminal: false });
  lines?.on("line", (text) => commands.push(text));
  await stopper.asked;
  lines?.close();
  commands.detach();
  view.say(" Stopping the nodes…");
}

async function showOnce(cluster: DevCluster, json: boolean, signal: AbortSignal, io: Io): Promise<void> {
  await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs, signal });
  const paint = wantsColour(io.stdout, io.env) ? colourful : plain;
  await settle(cluster, signal);
  if (json) io.stdout.write(`${JSON.stringify(statusJson(cluster.name, cluster.report()))}\n`);
  else createPlainView(() => cluster, io.stdout, paint).status();
}

/** Waits a little for the followers to know their leader and to catch up with it, so that the status shows the cluster at rest. */
async function settle(cluster: DevCluster, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 2_000;
  const isAtRest = (): boolean => {
    const statuses = cluster.report().map(({ status }) => status);
    const leader = statuses.find((status) => status?.role === "leader");
    return statuses.every((status) => status?.leaderId === leader?.id && status?.appliedIndex === leader?.commitIndex);
  };
  while (!isAtRest() && performance.now() < deadline && !signal.aborted) await new Promise((next) => setTimeout(next, 50));
}

/** After so long a command waits for the cluster, and not only for its turn. */
const waitsAfterMs = 300;

/**
 * Lines that were typed, executed one after the other; what comes before there is a cluster waits for it. Only where one waits for the cluster's
 * answer, what tends to the nodes goes first: it may be what brings the answer.
 */
class CommandQueue {
  readonly #lines: string[] = [];
  #shell: Shell | null = null;
  #busy = false;
  #current = "";
  #since = 0;

  push(line: string): void {
    const shell = this.#shell;
    if (shell !== null && Shell.isImmediate(line) && this.#isWaiting) {
      void shell.execute(line);
      return;
    }
    this.#lines.push(line);
    void this.#run();
  }

  get #isWaiting(): boolean {
    const hasWaited = performance.now() - this.#since > waitsAfterMs;
    return this.#busy && hasWaited && this.#lines.length === 0 && !Shell.isImmediate(this.#current);
  }

  attach(shell: Shell): void {
    this.#shell = shell;
    void this.#run();
  }

  detach(): void {
    this.#shell = null;
  }

  complete(text: string): string[] {
    return this.#shell?.complete(text) ?? [];
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#shell !== null) {
      const line = this.#lines.shift();
      if (line === undefined) break;
      this.#current = line;
      this.#since = performance.now();
      await this.#shell.execute(line);
    }
    this.#busy = false;
  }
}

/** The wish to stop, from a signal, a key or a command. A second one means at once. */
class Stopper {
  readonly #controller = new AbortController();
  readonly #atOnce: () => void;
  #askedAt = 0;
  readonly asked: Promise<void>;

  /** @param atOnce - kills what would survive us. */
  constructor(atOnce: () => void) {
    this.#atOnce = atOnce;
    this.asked = new Promise((resolve) => this.signal.addEventListener("abort", () => resolve(), { once: true }));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, this.ask);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly ask = (): void => {
    const now = performance.now();
    if (!this.signal.aborted) {
      this.#askedAt = now;
      this.#controller.abort(new Error("It was asked to stop."));
    } else if (now - this.#askedAt > sameWishMs) {
      this.#atOnce();
      process.exit(130);
    }
  };

  release(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, this.ask);
  }
}
