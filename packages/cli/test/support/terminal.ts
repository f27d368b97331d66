import { PassThrough, Writable } from "node:stream";

const controlStart = "\x1b";
/** A control sequence (ECMA-48 section 5.4), or one character. */
const tokens = new RegExp(`(${controlStart}\\[\\??[\\d;]*[a-zA-Z])|([\\s\\S])`, "gu");

/**
 * A terminal as far as the screen needs one: it keeps rows of text, follows the cursor, and knows the sequences that are used, and no
 * others. Text that passes its right edge wraps; what scrolls off the top goes to `history`.
 */
export class Terminal extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly history: string[] = [];
  /** How many times something was written: what is written at once cannot flicker. */
  writes = 0;
  #lines: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** What is to be seen, without blanks at the ends of lines and empty lines at the end. */
  get text(): string {
    return [...this.history, ...this.#lines]
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd();
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.history.length + this.#row, column: this.#column };
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes += 1;
    this.#show(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: string | Buffer }[], done: () => void): void {
    this.writes += 1;
    this.#show(chunks.map(({ chunk }) => chunk.toString()).join(""));
    done();
  }

  #show(text: string): void {
    for (const [, sequence, other] of text.matchAll(tokens)) {
      if (sequence !== undefined) this.#obey(sequence);
      else if (other === "\r") this.#column = 0;
      else if (other === "\n") this.#down();
      else this.#put(other ?? "");
    }
  }

  #obey(sequence: string): void {
    const kind = sequence.at(-1);
    const number = Number.parseInt(sequence.slice(2), 10);
    const count = Number.isNaN(number) ? 1 : number;
    if (kind === "A") this.#row = Math.max(0, this.#row - count);
    else if (kind === "B") this.#row = Math.min(this.#lines.length - 1, this.#row + count);
    else if (kind === "C") this.#column = Math.min(this.columns - 1, this.#column + count);
    else if (kind === "D") this.#column = Math.max(0, this.#column - count);
    else if (kind === "G") this.#column = count - 1;
    else if (kind === "K") this.#setLine(this.#line().slice(0, this.#column));
    else if (kind === "J") {
      this.#setLine(this.#line().slice(0, this.#column));
      this.#lines.length = this.#row + 1;
    } else if (kind !== "m" && kind !== "h" && kind !== "l") throw new Error(`The terminal does not know ${JSON.stringify(sequence)}`);
  }

  #line(): string {
    return this.#lines[this.#row] ?? "";
  }

  #setLine(text: string): void {
    this.#lines[this.#row] = text;
  }

  #down(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push("");
    if (this.#lines.length <= this.rows) return;
    this.history.push(this.#lines.shift() ?? "");
    this.#row -= 1;
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#down();
    const line = this.#line().padEnd(this.#column);
    this.#setLine(line.slice(0, this.#column) + character + line.slice(this.#column + 1));
    this.#column += 1;
  }
}

/** Keys that a person presses. */
export class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }

  press(keys: string): void {
    this.write(keys);
  }
}
