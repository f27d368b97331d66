import { createInterface, type Interface } from "node:readline";
import { type Paint, widthOf } from "./text.js";

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
/** Terminals that know it show everything in between at once; the others ignore it. */
const beginFrame = "\x1b[?2026h";
const endFrame = "\x1b[?2026l";
const clearToEndOfLine = "\x1b[K";
const clearBelow = "\x1b[J";

/** What a {@link Screen} tells its owner. */
export interface ScreenHandlers {
  /** A line that was entered. */
  readonly line: (text: string) => void;
  /** Ctrl-C, or Ctrl-D on an empty line. */
  readonly interrupt: () => void;
  /** Words that may complete `text`. */
  readonly complete: (text: string) => string[];
}

/**
 * The lower end of a terminal: a block of lines that is redrawn in place, and below it a prompt with line editing. What is printed goes
 * above, into the terminal's own history. Each change is one write, so nothing flickers.
 */
export class Screen {
  readonly #output: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #prompt: string;
  readonly #readline: Interface;
  #block: readonly string[] = [];
  /** The block as it stands on the terminal; null while it does not. */
  #drawn: readonly string[] | null = null;
  #closed = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, paint: Paint, handlers: ScreenHandlers) {
    this.#output = output;
    this.#paint = paint;
    this.#prompt = "octopii> ";
    this.#readline = createInterface({
      input,
      output,
      terminal: true,
      prompt: this.#prompt,
      historySize: 200,
      removeHistoryDuplicates: true,
      completer: (text: string): [string[], string] => [handlers.complete(text), text.split(" ").at(-1) ?? ""],
    });
    this.#readline.on("line", (text) => {
      this.#entered(text);
      handlers.line(text);
    });
    this.#readline.on("SIGINT", () => handlers.interrupt());
    this.#readline.on("close", () => {
      if (!this.#closed) handlers.interrupt();
    });
    output.on("resize", this.#onResize);
  }

  get columns(): number {
    return Math.max(20, this.#output.columns || 80);
  }

  /** Replaces the block. Lines are cut where the terminal is too low for them; they must not be wider than it. */
  show(block: readonly string[]): void {
    if (this.#drawn !== null && sameLines(block, this.#block)) return;
    this.#block = block;
    this.#draw([]);
  }

  /** Prints lines above the block, for good. */
  print(lines: readonly string[]): void {
    this.#draw(lines);
  }

  /** Leaves the block where it is, gives the prompt's line back, and the terminal to whoever comes next. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#output.off("resize", this.#onResize);
    this.#output.write(`\r${clearBelow}${showCursor}`);
    this.#readline.close();
  }

  /** After Enter the prompt's line has become history, and the cursor stands below it: the old block goes, and comes back below. */
  #entered(text: string): void {
    const rows = Math.floor(widthOf(this.#prompt + text) / this.columns) + 1;
    const echo = this.#paint("quiet", this.#prompt) + text;
    this.#draw(text.trim() === "" ? [] : [echo], rows);
  }

  /** @param rowsBelow - how far below the block's end the cursor stands. Default: where the prompt has it. */
  #draw(history: readonly string[], rowsBelow: number = this.#readline.getCursorPos().rows): void {
    if (this.#closed) return;
    const up = this.#drawnRows() + rowsBelow;
    const lines = [...history, ...this.#fitting()].map((line) => `${line}${clearToEndOfLine}\n`).join("");
    this.#drawn = this.#fitting();
    this.#output.cork();
    this.#output.write(`${beginFrame}${hideCursor}\r${up > 0 ? `\x1b[${up}A` : ""}${lines}${clearBelow}`);
    // Readline begins by going up to the row where it believes the prompt to be; we are there.
    (this.#readline as { prevRows?: number }).prevRows = 0;
    this.#readline.prompt(true);
    this.#output.write(`${showCursor}${endFrame}`);
    this.#output.uncork();
  }

  #fitting(): readonly string[] {
    const room = Math.max(1, (this.#output.rows || 24) - 2);
    return this.#block.length <= room ? this.#block : this.#block.slice(-room);
  }

  /** How many rows the block takes now. A terminal that was made narrower has wrapped its lines. */
  #drawnRows(): number {
    return (this.#drawn ?? []).reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / this.columns)), 0);
  }

  readonly #onResize = (): void => this.#draw([]);
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
