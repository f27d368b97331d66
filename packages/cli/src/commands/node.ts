import { createNode, keyValueStore, type Node } from "@octopii/core";
import { type Command, type Io, parseCommandLine, usageError } from "../command.js";
import { CredentialsWatch } from "../config/credentials-watch.js";
import { readNodeConfig } from "../config/node-config.js";
import { describeError } from "../errors.js";
import { logInbox, openInbox } from "../lane/inbox.js";
import { type LogLevel, logLevels, textLogger } from "../log.js";

const help = `Runs one node of a replicated key-value store in this process, until SIGTERM or
Ctrl-C.

usage: octopii node --config FILE [OPTIONS]

  --config FILE        the node's configuration, a JSON object
  --inbox DIR          where files go that others send to this node; without it,
                       they are refused
  --log-level LEVEL    ${logLevels.join(", ")}; default info
  --help               print this

The configuration holds "cluster", "id", "directory", "members", a list of
{ "id", "address" }, and the paths "certificate", "privateKey" and
"authorities", relative to the file. It may hold "listenAddress", "transport",
which is "quic" or "tcp", and every other option of a node. When the files of
its certificate change, the node shows the new one without a restart.

examples:
  octopii node --config /etc/octopii/node-1.json
  octopii node --config node-1.json --inbox /var/lib/octopii/inbox

Exit code: 0 closed on request; 1 stopped by itself; 2 refused to start: then
stderr says why, and nothing on disk has changed.
`;

/** What a node tells the process that started it, if that gave it a channel. */
export interface NodeMessage {
  readonly type: "started";
}

/** Why the node's life ended. */
type Ending = { readonly by: "request" } | { readonly by: "itself"; readonly error: unknown };

export const nodeCommand: Command = {
  name: "node",
  summary: "run one node in this process",
  help,
  async run(args, io) {
    const text = { type: "string" } as const;
    const { help: wantsHelp, values } = parseCommandLine("node", args, { config: text, inbox: text, "log-level": text });
    if (wantsHelp) {
      io.stdout.write(help);
      return 0;
    }
    const { config, "log-level": level = "info" } = values;
    if (typeof config !== "string") throw usageError("--config FILE is missing", "node");
    if (!logLevels.includes(level as LogLevel)) throw usageError(`--log-level must be one of ${logLevels.join(", ")}`, "node");
    return runNode({ config, inbox: typeof values.inbox === "string" ? values.inbox : null, level: level as LogLevel }, io);
  },
};

interface NodeRun {
  readonly config: string;
  readonly inbox: string | null;
  readonly level: LogLevel;
}

async function runNode({ config: configPath, inbox, level }: NodeRun, io: Io): Promise<number> {
  const options = readNodeConfig(configPath);
  const logger = textLogger((line) => io.stderr.write(line), level);
  const onOffer = inbox === null ? null : await openInbox(inbox, { replace: false, maxBytes: null }, (news) => logInbox(logger, news));
  const life = new Life();
  const node = createNode(options, {
    stateMachine: keyValueStore(),
    logger,
    ...(onOffer !== null && { onOffer }),
    onEvent: (event) => {
      if (event.type === "stopped") life.end({ by: "itself", error: event.error });
    },
  });
  let watch: CredentialsWatch | null = null;
  try {
    await startUnlessEnded(node, life);
    if (!life.isOver && options.credentials !== undefined) watch = new CredentialsWatch(configPath, options.credentials, node, logger);
    if (!life.isOver) {
      const { address } = node.status();
      logger.info({ node: options.id, cluster: options.cluster, address, directory: options.directory }, "The node takes part.");
      process.send?.({ type: "started" } satisfies NodeMessage);
    }
    const ending = await life.over;
    if (ending.by === "itself") io.stderr.write(`octopii: Node ${options.id} has stopped: ${describeError(ending.error)}\n`);
    await node.close();
    if (ending.by === "request") logger.info({ node: options.id }, "The node closed.");
    return ending.by === "request" ? 0 : 1;
  } finally {
    watch?.close();
    life.release();
  }
}

/** Who asked for the end during a start does not care whether the start came to a good one. */
async function startUnlessEnded(node: Node, life: Life): Promise<void> {
  try {
    await node.start();
  } catch (error) {
    if (!life.isOver) throw error;
  }
}

/** Listens for what ends a node: a signal, the loss of the process that supervises it, or the node's own stop. */
class Life {
  readonly over: Promise<Ending>;
  #resolve: (ending: Ending) => void = () => undefined;
  #isOver = false;
  #signals = 0;
  /** Whoever gave us a channel sends SIGTERM when it wants us to end; what a terminal sends goes to us both, and is its business. */
  readonly #supervised: boolean = process.connected ?? false;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    process.on("SIGTERM", this.#onSignal);
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGHUP", this.#onInterrupt);
    process.on("disconnect", this.#onDisconnect);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(ending: Ending): void {
    this.#isOver = true;
    this.#resolve(ending);
  }

  release(): void {
    process.off("SIGTERM", this.#onSignal);
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGHUP", this.#onInterrupt);
    process.off("disconnect", this.#onDisconnect);
    if (process.connected) process.disconnect();
  }

  readonly #onSignal = (): void => {
    this.#signals += 1;
    // Whoever asks twice does not want to wait. The log can take it.
    if (this.#signals > 1) process.exit(1);
    this.end({ by: "request" });
  };

  readonly #onInterrupt = (): void => {
    if (!this.#supervised) this.#onSignal();
  };

  readonly #onDisconnect = (): void => this.end({ by: "request" });
}
