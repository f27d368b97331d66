import { keyValueClient } from "@octopii/core";
import { type Changed, change, read } from "../ask.js";
import { describeError, isCliError } from "../errors.js";
import { suggestion } from "../suggest.js";
import type { DevCluster } from "./cluster.js";
import { formatBytes, formatDuration, type Paint, showBytes, type Tone, widthOf, wrap } from "./text.js";

/** Where the shell's answers go. */
export interface ShellOutput {
  readonly paint: Paint;
  /** How wide a line may be. Values are cut to it, sentences wrapped. */
  readonly columns: () => number;
  readonly print: (lines: readonly string[]) => void;
  /** Prints the table of the nodes. */
  readonly status: () => void;
}

interface ShellCommand {
  readonly usage: string;
  readonly what: string;
  readonly run: (rest: string) => Promise<void> | void;
}

const sentAgain = " (sent again: the outcome of the first try was unknown)";

/** The commands of `octopii dev`, one line each. */
export class Shell {
  readonly #cluster: DevCluster;
  readonly #output: ShellOutput;
  readonly #quit: () => void;
  readonly #signal: AbortSignal;
  readonly #commands: ReadonlyMap<string, ShellCommand>;

  /** @param signal - ends what waits for the cluster's answer. */
  constructor(cluster: DevCluster, output: ShellOutput, quit: () => void, signal: AbortSignal = new AbortController().signal) {
    this.#cluster = cluster;
    this.#output = output;
    this.#quit = quit;
    this.#signal = signal;
    this.#commands = new Map<string, ShellCommand>([
      [
        "put",
        { usage: "put KEY VALUE", what: "store a value; it is safe on a majority of the nodes then", run: (rest) => this.#put(rest) },
      ],
      ["get", { usage: "get KEY", what: "read a value; never an old one", run: (rest) => this.#get(rest) }],
      ["del", { usage: "del KEY", what: "remove a value", run: (rest) => this.#delete(rest) }],
      ["kill", { usage: "kill N", what: "end the process of node N by SIGKILL", run: (rest) => this.#kill(rest) }],
      ["restart", { usage: "restart N", what: "start node N again; close it before if it runs", run: (rest) => this.#restart(rest) }],
      ["status", { usage: "status", what: "show the nodes", run: () => this.#status() }],
      ["help", { usage: "help", what: "show this", run: () => this.#help() }],
      ["quit", { usage: "quit", what: "stop all nodes and leave; so does Ctrl-C", run: () => this.#quit() }],
    ]);
  }

  /** Executes a line; resolves when it is done. Whatever goes wrong is printed. */
  async execute(line: string): Promise<void> {
    const [, name = "", rest = ""] = /^\s*(\S*)\s*(.*?)\s*$/su.exec(line) ?? [];
    if (name === "") return;
    const command = this.#commands.get(name === "exit" ? "quit" : name);
    if (command === undefined) {
      const hint = suggestion(name, [...this.#commands.keys()]) || "; help lists them";
      return this.#complain(`There is no command "${showBytes(new TextEncoder().encode(name), 20)}"${hint}`);
    }
    try {
      await command.run(rest);
    } catch (error) {
      if (this.#signal.aborted) this.#complain(`"${name}" was given up before its answer came; it may have happened`);
      else this.#complain(describeError(error));
    }
  }

  /** Whether a line can be executed while another one waits for the cluster: it may be what that one waits for. */
  static isImmediate(line: string): boolean {
    return /^\s*(kill|restart|status|help|quit|exit)\b/u.test(line);
  }

  /** Words that may stand where `text` ends. */
  complete(text: string): string[] {
    const words = text.trimStart().split(/\s+/);
    const last = words.at(-1) ?? "";
    const ids = this.#cluster.members.map(({ id }) => String(id));
    const candidates = words.length === 1 ? [...this.#commands.keys()] : words.length === 2 && takesNode(words[0]) ? ids : [];
    return candidates.filter((word) => word.startsWith(last)).map((word) => (words.length === 1 ? `${word} ` : word));
  }

  async #put(rest: string): Promise<void> {
    const [key, value] = splitKey(rest);
    if (key === "" || value === null) return this.#complain("Usage: put KEY VALUE");
    const bytes = new TextEncoder().encode(value);
    const started = performance.now();
    const signal = this.#signal;
    const put = (timeoutMs: number): Promise<boolean> => keyValueClient(this.#cluster.client).put(key, bytes, { timeoutMs, signal });
    const { value: existed, wasInDoubt } = await this.#change(put, key, "stored");
    // What a repetition replaced may be what the first try stored.
    const done = existed && !wasInDoubt ? "replaced" : "stored";
    this.#answer(`${done} ${formatBytes(bytes.length)} under "${this.#show(key)}"${wasInDoubt ? sentAgain : ""}`, started);
  }

  async #get(rest: string): Promise<void> {
    const [key, extra] = splitKey(rest);
    if (key === "" || extra !== null) return this.#complain("Usage: get KEY");
    const started = performance.now();
    const signal = this.#signal;
    const value = await read((timeoutMs) => keyValueClient(this.#cluster.client).get(key, { timeoutMs, signal }), signal);
    if (value === null) this.#answer(`there is no "${this.#show(key)}"`, started, "warning");
    else this.#answer(showBytes(value, this.#output.columns() - 14), started);
  }

  async #delete(rest: string): Promise<void> {
    const [key, extra] = splitKey(rest);
    if (key === "" || extra !== null) return this.#complain("Usage: del KEY");
    const started = performance.now();
    const signal = this.#signal;
    const remove = (timeoutMs: number): Promise<boolean> => keyValueClient(this.#cluster.client).delete(key, { timeoutMs, signal });
    const { value: existed, wasInDoubt } = await this.#change(remove, key, "removed");
    const shown = `"${this.#show(key)}"`;
    if (wasInDoubt) this.#answer(`removed ${shown}${existed ? "" : ", or it was not there"}${sentAgain}`, started);
    else this.#answer(existed ? `removed ${shown}` : `there is no ${shown}`, started);
  }

  /**
   * Killing leaders in the middle of a write is what this prompt is for, so it sends a write again whose outcome is unknown, as the person
   * who typed it would, and says so. `octopii kv` does not: its caller may not be the only one who writes.
   */
  #change(call: (timeoutMs: number) => Promise<boolean>, key: string, done: string): Promise<Changed<boolean>> {
    const shown = this.#show(key);
    return change(call, {
      what: `"${shown}" was ${done}`,
      check: `get ${/\s/.test(shown) ? `"${shown}"` : shown}`,
      effect: "idempotent",
      signal: this.#signal,
    });
  }

  async #kill(rest: string): Promise<void> {
    const id = this.#nodeId("kill", rest);
    if (id === null) return;
    if (this.#stateOf(id).pid === null) return this.#complain(`Node ${id} does not run; restart ${id} starts it`);
    await this.#cluster.kill(id);
  }

  async #restart(rest: string): Promise<void> {
    const id = this.#nodeId("restart", rest);
    if (id === null) return;
    await this.#cluster.stop(id);
    try {
      await this.#cluster.start(id);
    } catch (error) {
      // Whoever watches the nodes tells that this one did not come up, and why; twice would look like two failures.
      if (!isCliError(error, "OCTOPII_CLI_NODE_REFUSED") && !isCliError(error, "OCTOPII_CLI_NODE_FAILED")) throw error;
    }
  }

  /** Asks the nodes first: right after a write, what they last said is old. */
  async #status(): Promise<void> {
    await this.#cluster.refresh();
    this.#output.status();
  }

  #help(): void {
    const width = Math.max(...[...this.#commands.values()].map(({ usage }) => usage.length));
    const { paint, columns, print } = this.#output;
    const lines = [...this.#commands.values()].flatMap(({ usage, what }) => {
      const [first = "", ...more] = wrap(`  ${usage.padEnd(width)}  ${what}`, columns(), width + 4);
      return [`  ${paint("strong", first.slice(2, 2 + width))}${first.slice(2 + width)}`, ...more];
    });
    print(lines);
  }

  #nodeId(command: string, rest: string): number | null {
    const ids = this.#cluster.members.map(({ id }) => id);
    const id = /^\d+$/.test(rest) ? Number(rest) : Number.NaN;
    if (ids.includes(id)) return id;
    this.#complain(rest === "" ? `Usage: ${command} N` : `There is no node "${this.#show(rest)}"; there are ${ids.join(", ")}`);
    return null;
  }

  #stateOf(id: number): { readonly pid: number | null } {
    return this.#cluster.report().find((report) => report.id === id) ?? { pid: null };
  }

  #show(text: string): string {
    return showBytes(new TextEncoder().encode(text), 30);
  }

  #answer(text: string, started: number, tone?: Tone): void {
    const { paint, columns, print } = this.#output;
    const took = formatDuration(performance.now() - started);
    const lines = wrap(`  ${text}`, columns());
    const hasRoom = widthOf(lines.at(-1) ?? "") + 2 + took.length <= columns();
    const painted = tone === undefined ? lines : lines.map((line) => paint(tone, line));
    const time = paint("quiet", `  ${took}`);
    print(hasRoom ? [...painted.slice(0, -1), `${painted.at(-1)}${time}`] : [...painted, time]);
  }

  #complain(text: string): void {
    const { paint, columns, print } = this.#output;
    print(wrap(`  ${/[.?)]$/.test(text) ? text : `${text}.`}`, columns()).map((line) => paint("warning", line)));
  }
}

function takesNode(command: string | undefined): boolean {
  return command === "kill" || command === "restart";
}

/**
 * The first word, or all between quotation marks, and what follows it as it was typed, without quotation marks around it; null if nothing does.
 * An empty key where there is none, or its quotation mark is not closed.
 */
function splitKey(rest: string): [key: string, value: string | null] {
  const [, quote, quotedKey, word, value] = /^(?:(["'])(.+?)\1|([^\s"']\S*))(?:\s+(.+))?$/su.exec(rest) ?? [];
  const key = (quote === undefined ? word : quotedKey) ?? "";
  if (value === undefined) return [key, null];
  const quoted = /^(["'])(.*)\1$/su.exec(value)?.[2];
  return [key, quoted ?? value];
}
