/** Tells on stderr how the demonstration goes: lines that stay, and in a terminal a bar below them. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  readonly #started: number = performance.now();
  #barShown = false;
  #barAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true && process.env.TERM !== "dumb";
  }

  /** A line that stays. */
  line(text: string): void {
    const time = ((performance.now() - this.#started) / 1000).toFixed(1).padStart(5);
    this.#clearBar();
    this.#stream.write(`${time} s  ${text}\n`);
  }

  /** A bar that the next line takes away. */
  bar(label: string, done: number, all: number): void {
    const now = performance.now();
    if (!this.#isTerminal || (done < all && now - this.#barAt < 50)) return;
    this.#barAt = now;
    this.#barShown = true;
    const width = Math.max(10, Math.min(40, (this.#stream.columns || 80) - label.length - 26));
    const filled = all === 0 ? width : Math.floor((done / all) * width);
    this.#stream.write(`\r         ${label} ${"█".repeat(filled)}${"░".repeat(width - filled)} ${done}/${all}\x1b[K`);
  }

  end(): void {
    this.#clearBar();
  }

  #clearBar(): void {
    if (this.#barShown) this.#stream.write("\r\x1b[K");
    this.#barShown = false;
  }
}

/** A number with commas, as its digits are hard to count. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
