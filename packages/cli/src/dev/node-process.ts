import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { NodeMessage } from "../commands/node.js";
import { CliError } from "../errors.js";
import { makePrivateDirectory } from "./files.js";
import type { NodePaths } from "./layout.js";

/**
 * What a node's process does. `starting`: it runs and reads its log back. `up`: it takes part. `stopping`: it was asked to close.
 * The others have no process: `down` was not started yet, `stopped` closed on request, `killed` was killed by us, `crashed` ended by
 * itself, `refused` did not start.
 */
export type ProcessState = "down" | "starting" | "up" | "stopping" | "stopped" | "killed" | "crashed" | "refused";

/** A log file that has grown beyond this begins anew at the next start; the old one is kept beside it. */
const logBytesMax = 1024 * 1024;
/** A node closes within a moment; one that does not is stuck. */
const closeTimeoutMs = 10_000;
const lastLineBytesMax = 4 * 1024;

/** One node of a development cluster in a process of its own, which can be killed and started again. */
export class NodeProcess {
  readonly id: number;
  readonly address: string;
  readonly paths: NodePaths;
  /** The last line that the process wrote to its log before it ended; null while it runs. */
  lastWords: string | null = null;
  /** What ended the process: `exit code 1`, or a signal; null while it runs. */
  endedBy: string | null = null;
  /** Called when `state` has changed. */
  onChange: (() => void) | null = null;
  readonly #program: string;
  #state: ProcessState = "down";
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  /** What our signals make of the end of the process. */
  #intent: "stopped" | "killed" | null = null;

  /** @param program - the JavaScript file that understands `node --config`. */
  constructor(id: number, address: string, paths: NodePaths, program: string) {
    this.id = id;
    this.address = address;
    this.paths = paths;
    this.#program = program;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Whether there is a process. */
  get isRunning(): boolean {
    return this.#child !== null;
  }

  /**
   * Starts the process; resolves when the node takes part.
   * @throws {CliError} `NODE_REFUSED` or `NODE_FAILED`, with the node's own words, if it ends before that.
   */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    const log = this.#openLog();
    const { size: logStart } = fstatSync(log);
    const args = [this.#program, "node", "--config", this.paths.config];
    const child = spawn(process.execPath, args, { stdio: ["ignore", log, log, "ipc"], windowsHide: true });
    closeSync(log);
    this.#child = child;
    this.#intent = null;
    this.lastWords = null;
    this.endedBy = null;
    this.#setState("starting");
    const started = new Promise<void>((resolve) => {
      child.on("message", (message: NodeMessage) => {
        if (message.type !== "started" || this.#state !== "starting") return;
        this.#setState("up");
        resolve();
      });
    });
    this.#ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(code === null ? String(signal) : `exit code ${code}`));
    }).then((by) => this.#onEnd(by, logStart));
    await Promise.race([started, this.#ended]);
    // Asked to end meanwhile, it owes nobody an explanation.
    if (this.#state === "refused" || this.#state === "crashed") throw this.#refusal();
  }

  /** Ends the process without a warning. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child === null) return;
    this.#intent = "killed";
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Has the node close cleanly; one that does not in time is killed. Resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    if (this.#intent === null) {
      this.#intent = "stopped";
      this.#setState("stopping");
      child.kill("SIGTERM");
    }
    const stuck = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
    await this.#ended;
    clearTimeout(stuck);
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.onChange?.();
  }

  #openLog(): number {
    const { log } = this.paths;
    makePrivateDirectory(dirname(log));
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > logBytesMax) renameSync(log, `${log}.old`);
    return openSync(log, "a");
  }

  #onEnd(by: string, logStart: number): void {
    this.#child = null;
    this.endedBy = by;
    this.lastWords = lastLine(this.paths.log, logStart);
    // One that did not close in time was killed, whatever it was asked for.
    const intended = this.#intent === "stopped" && by === "SIGKILL" ? "killed" : this.#intent;
    this.#setState(intended ?? (by === "exit code 2" ? "refused" : "crashed"));
  }

  #refusal(): CliError {
    const words = this.lastWords?.replace(/^octopii: /, "") ?? `its process was ended by ${this.endedBy}, see ${this.paths.log}.`;
    const details = { node: this.id, log: this.paths.log };
    const kind = this.#state === "refused" ? "OCTOPII_CLI_NODE_REFUSED" : "OCTOPII_CLI_NODE_FAILED";
    return new CliError(kind, `Node ${this.id} did not start: ${words}`, { details });
  }
}

/** The last line that was written to a log since it had `start` bytes; null if there is none. */
function lastLine(path: string, start: number): string | null {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const from = Math.max(start, size - lastLineBytesMax);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const length = readSync(file, bytes, 0, bytes.length, from);
    return bytes.toString("utf8", 0, length).trimEnd().split("\n").at(-1) || null;
  } finally {
    closeSync(file);
  }
}
