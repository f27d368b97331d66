import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client, Member } from "@octopii/core";
import type { FileLock } from "@octopii/interfaces";
import { nodeFileSystem } from "@octopii/system";
import { type ClientConfig, connect, readClientConfig } from "../config/client-config.js";
import { CliError, oneLine } from "../errors.js";
import { makePrivateDirectory } from "./files.js";
import { layoutOf } from "./layout.js";
import { NodeProcess } from "./node-process.js";
import { type NodeReport, NodeWatch } from "./node-watch.js";
import { prepareCluster } from "./prepare.js";

/** Options of {@link openDevCluster}. */
export interface DevClusterOptions {
  /** Where certificates, configurations, logs and data lie. Made if missing; the same cluster comes up again from it. */
  readonly directory: string;
  /** How many nodes: 1 to 9. Default: as many as the directory has, or 3. */
  readonly nodes?: number;
  /** The UDP port of the first node, the others follow; `auto` finds free ones. Default: the directory's, or free ones. */
  readonly basePort?: number | "auto";
  /** The cluster's name. Default `dev`. */
  readonly cluster?: string;
  /** The JavaScript file that understands `node --config`. Default: this package's own program. */
  readonly program?: string;
  /** Told when anything about a node has changed; must not throw. */
  readonly onChange?: () => void;
  /** Told in one sentence, before the nodes start, what had to be updated in configurations that were there; must not throw. */
  readonly onUpdate?: (sentence: string) => void;
  /** Ends the start; the nodes that were started are stopped. */
  readonly signal?: AbortSignal;
}

/** A cluster on this machine, each node a process of its own, over QUIC with mutual TLS. */
export interface DevCluster {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly members: readonly Member[];
  /** A client of the whole cluster; it is closed with the cluster. */
  readonly client: Client;
  /** What a client of its own would need. */
  readonly clientConfig: ClientConfig;
  /** How the nodes are now, by id. */
  report(): readonly NodeReport[];
  /** Asks all nodes how they are now, rather than with the next of the regular questions. */
  refresh(): Promise<void>;
  /** The id of the node that leads, as far as is known. */
  leader(): number | null;
  /** @throws {CliError} `NO_LEADER` when none was elected in time. */
  waitForLeader(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number>;
  /** Ends a node's process by SIGKILL; resolves when it is gone. */
  kill(id: number): Promise<void>;
  /** Has a node close cleanly. */
  stop(id: number): Promise<void>;
  /** Starts a node that is not running. @throws {CliError} `NODE_REFUSED`, `NODE_FAILED`. */
  start(id: number): Promise<void>;
  /** Kills what still runs, at once, for when nobody wants to wait. */
  abandon(): void;
  /** Stops all nodes cleanly and waits for the ends of their processes. Repeating the call gives the same promise. */
  close(): Promise<void>;
}

const pollMs = 50;

/**
 * Brings up a cluster on this machine and waits until all its nodes take part; a leader comes a little later.
 * @throws {CliError} `DIRECTORY_UNUSABLE`, `ADDRESS_IN_USE`, `NODE_REFUSED`, `NODE_FAILED`. Nothing keeps running then.
 */
export async function openDevCluster(options: DevClusterOptions): Promise<DevCluster> {
  const { nodes, basePort, cluster = "dev", program = ownProgram(), onChange = () => undefined, signal } = options;
  const layout = layoutOf(resolve(options.directory));
  const lock = await takeDirectory(layout.directory);
  try {
    const request = { cluster, ...(nodes !== undefined && { nodes }), ...(basePort !== undefined && { basePort }) };
    const { members, updates } = await prepareCluster(layout, request);
    if (updates !== null) options.onUpdate?.(updates);
    signal?.throwIfAborted();
    const clientConfig = readClientConfig(layout.client.config);
    const watches = members.map(({ id, address }) => {
      return new NodeWatch(new NodeProcess(id, address, layout.node(id), program), clientConfig, onChange);
    });
    const dev = new ProcessCluster(cluster, layout.directory, members, clientConfig, watches, lock);
    await dev.open(signal);
    return dev;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function ownProgram(): string {
  return fileURLToPath(new URL("./main.js", import.meta.url));
}

/** One supervisor per directory. */
async function takeDirectory(directory: string): Promise<FileLock> {
  try {
    makePrivateDirectory(directory);
    const lock = await nodeFileSystem.lock(directory);
    await lock.confirm();
    return lock;
  } catch (error) {
    const isLocked = (error as NodeJS.ErrnoException).code === "ELOCKED";
    const message = isLocked
      ? `A cluster is running from ${directory} already; stop it first, or choose another --directory.`
      : `The directory ${directory} cannot be used: ${oneLine((error as Error).message)}; choose another --directory.`;
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message, { cause: error });
  }
}

class ProcessCluster implements DevCluster {
  readonly name: string;
  readonly directory: string;
  readonly members: readonly Member[];
  readonly client: Client;
  readonly clientConfig: ClientConfig;
  readonly #watches: readonly NodeWatch[];
  readonly #lock: FileLock;
  #closing: Promise<void> | null = null;

  constructor(
    name: string,
    directory: string,
    members: readonly Member[],
    clientConfig: ClientConfig,
    watches: readonly NodeWatch[],
    lock: FileLock,
  ) {
    this.name = name;
    this.directory = directory;
    this.members = members;
    this.clientConfig = clientConfig;
    this.client = connect(clientConfig);
    this.#watches = watches;
    this.#lock = lock;
  }

  /** Starts all nodes at the same time. The first one that refuses ends it all. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => {
      this.close().catch(() => undefined);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.all(this.#watches.map((watch) => watch.process.start()));
      signal?.throwIfAborted();
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  report(): readonly NodeReport[] {
    return this.#watches.map((watch) => watch.report());
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.refresh()));
  }

  leader(): number | null {
    const leaders = this.report().filter(({ status }) => status?.role === "leader");
    const [newest] = leaders.sort((a, b) => (b.status?.term ?? 0) - (a.status?.term ?? 0));
    return newest?.id ?? null;
  }

  async waitForLeader({ timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      const leader = this.leader();
      if (leader !== null) return leader;
      if (performance.now() >= deadline) {
        const message = `No leader was elected within ${timeoutMs} ms; see the logs in ${this.directory}/node-*/log.txt.`;
        throw new CliError("OCTOPII_CLI_NO_LEADER", message);
      }
      await new Promise((next) => setTimeout(next, pollMs));
    }
  }

  kill(id: number): Promise<void> {
    return this.#watch(id).process.kill();
  }

  stop(id: number): Promise<void> {
    return this.#watch(id).process.stop();
  }

  start(id: number): Promise<void> {
    return this.#watch(id).process.start();
  }

  abandon(): void {
    for (const { process } of this.#watches) process.kill().catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
    await this.client.close();
    await this.#lock.release();
  }

  #watch(id: number): NodeWatch {
    const watch = this.#watches.find(({ process }) => process.id === id);
    if (watch === undefined) throw new RangeError(`There is no node ${id}.`);
    return watch;
  }
}
