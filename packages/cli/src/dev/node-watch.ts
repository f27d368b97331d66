import type { Client, NodeStatus } from "@octopii/core";
import { type ClientConfig, connect } from "../config/client-config.js";
import type { NodeProcess, ProcessState } from "./node-process.js";

/** How a node is, as seen from outside. */
export interface NodeReport {
  readonly id: number;
  readonly address: string;
  readonly state: ProcessState;
  /** Null when it has no process. */
  readonly pid: number | null;
  /** What it said of itself last; null when it does not answer, or has no process. */
  readonly status: NodeStatus | null;
  /** The last line of its log, once its process has ended. */
  readonly lastWords: string | null;
  /** What ended its process: an exit code or a signal, in words. */
  readonly endedBy: string | null;
  /** Where its log lies. */
  readonly log: string;
}

/** A few times per second: as often as a person can follow. */
const intervalMs = 200;
/** A node of this machine answers within milliseconds; one that does not for so long is shown as silent. */
const answerTimeoutMs = 1_000;

/** Asks a node for its status, again and again, for as long as it has a process. */
export class NodeWatch {
  readonly process: NodeProcess;
  readonly #clientConfig: ClientConfig;
  readonly #onChange: () => void;
  #status: NodeStatus | null = null;
  /** Connected to this life of the process. A new one gets a new client: its connection would wait for the old one in vain. */
  #client: Client | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(process: NodeProcess, clientConfig: ClientConfig, onChange: () => void) {
    this.process = process;
    this.#clientConfig = clientConfig;
    this.#onChange = onChange;
    process.onChange = () => this.#processChanged();
  }

  report(): NodeReport {
    const { id, address, state, pid, lastWords, endedBy, paths } = this.process;
    return { id, address, state, pid, status: this.#status, lastWords, endedBy, log: paths.log };
  }

  /** Asks the node now; resolves when it has answered, or had its time to. */
  async refresh(): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    const status = await client.status(this.process.address, { timeoutMs: answerTimeoutMs }).catch(() => null);
    if (this.#client !== client) return;
    this.#status = status;
    this.#onChange();
  }

  /** Stops the process and the questions. */
  async close(): Promise<void> {
    await this.process.stop();
    await this.#disconnect();
  }

  #processChanged(): void {
    const { state, isRunning } = this.process;
    if (state === "up" && this.#client === null) this.#connect();
    if (!isRunning) this.#disconnect().catch(() => undefined);
    this.#onChange();
  }

  #connect(): void {
    const client = connect({ ...this.#clientConfig, addresses: [this.process.address] });
    this.#client = client;
    const askAgain = async (): Promise<void> => {
      await this.refresh();
      if (this.#client === client) this.#timer = setTimeout(() => void askAgain(), intervalMs);
    };
    void askAgain();
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.#status = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await client?.close();
  }
}
