import { keyValueClient } from "@octopii/core";
import { describeError } from "../errors.js";
import { askCluster } from "../repeat.js";
import { suggestion } from "../suggest.js";
import type { DevCluster } from "./cluster.js";
import { cut, formatBytes, formatDuration, type Paint, showBytes } from "./text.js";

/** Where the shell's answers go. */
export interface ShellOutput {
  readonly paint: Paint;
  /** How wide an answer may be before it is cut. */
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

/** The commands of `octopii dev`, one line each. */
export class Shell {
  readonly #cluster: DevCluster;
  readonly #output: ShellOutput;
  readonly #quit: () => void;
  readonly #commands: ReadonlyMap<string, ShellCommand>;

  constructor(cluster: DevCluster, output: ShellOutput, quit: () => void) {
    this.#cluster = cluster;
    this.#output = output;
    this.#quit = quit;
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
      this.#complain(describeError(error));
    }
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
    const existed = await askCluster((timeoutMs) => keyValueClient(this.#cluster.client).put(key, bytes, { timeoutMs }));
    this.#answer(`${existed ? "replaced" : "stored"} ${formatBytes(bytes.length)} under "${this.#show(key)}"`, started);
  }

  async #get(rest: string): Promise<void> {
    const [key, extra] = splitKey(rest);
    if (key === "" || extra !== null) return this.#complain("Usage: get KEY");
    const started = performance.now();
    const value = await askCluster((timeoutMs) => keyValueClient(this.#cluster.client).get(key, { timeoutMs }));
    if (value === null) this.#answer(this.#output.paint("warning", `there is no "${this.#show(key)}"`), started);
    else this.#answer(showBytes(value, this.#output.columns() - 15), started);
  }

  async #delete(rest: string): Promise<void> {
    const [key, extra] = splitKey(rest);
    if (key === "" || extra !== null) return this.#complain("Usage: del KEY");
    const started = performance.now();
    const existed = await askCluster((timeoutMs) => keyValueClient(this.#cluster.client).delete(key, { timeoutMs }));
    this.#answer(existed ? `removed "${this.#show(key)}"` : `there is no "${this.#show(key)}"`, started);
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
    await this.#cluster.start(id);
  }

  /** Asks the nodes first: right after a write, what they last said is old. */
  async #status(): Promise<void> {
    await this.#cluster.refresh();
    this.#output.status();
  }

  #help(): void {
    const width = Math.max(...[...this.#commands.values()].map(({ usage }) => usage.length));
    const { paint, columns, print } = this.#output;
    const lines = [...this.#commands.values()].map(({ usage, what }) => {
      return `  ${paint("strong", usage.padEnd(width))}  ${cut(what, columns() - width - 5)}`;
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

  #answer(text: string, started: number): void {
    const { paint, print } = this.#output;
    print([`  ${text}  ${paint("quiet", formatDuration(performance.now() - started))}`]);
  }

  #complain(text: string): void {
    const { paint, print } = this.#output;
    print([`  ${paint("warning", /[.?)]$/.test(text) ? text : `${text}.`)}`]);
  }
}

function takesNode(command: string | undefined): boolean {
  return command === "kill" || command === "restart";
}

/** The first word, and all that follows it as it was typed, without quotation marks around it; null if nothing does. */
function splitKey(rest: string): [key: string, value: string | null] {
  const [, key = "", value] = /^(\S+)(?:\s+(.+))?$/su.exec(rest) ?? [];
  if (value === undefined) return [key, null];
  const quoted = /^(["'])(.*)\1$/su.exec(value)?.[2];
  return [key, quoted ?? value];
}
