/** How much a line matters; `NONE` silences everything but errors. */
export const levels = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"] as const;

export type Level = (typeof levels)[number];

/** Something that a replica says of itself. */
export interface LogLine {
  readonly level: Exclude<Level, "NONE">;
  readonly text: string;
}

/** Collects what a directive prints. */
export class Printer {
  #text = "";
  #level: Level = "DEBUG";

  get level(): Level {
    return this.#level;
  }

  get isQuiet(): boolean {
    return this.#level === "NONE";
  }

  /** @param name - in any case. */
  setLevel(name: string): void {
    const level = levels.find((one) => one === name.toUpperCase());
    if (level === undefined) throw new Error(`log levels must be either of [${levels.join(" ")}]`);
    this.#level = level;
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  log({ level, text }: LogLine): void {
    if (levels.indexOf(this.#level) <= levels.indexOf(level)) this.line(`${level} ${text}`);
  }

  /** What `run` prints is set off by two spaces. */
  indented(run: () => void): void {
    const before = this.#text;
    this.#text = "";
    try {
      run();
    } finally {
      const lines = this.#text.replace(/\n$/, "").split("\n");
      const isEmpty = this.#text === "";
      this.#text = isEmpty ? before : `${before}${lines.map((line) => `  ${line}\n`).join("")}`;
    }
  }

  /** What was printed since the last time. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}
