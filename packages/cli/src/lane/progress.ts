import type { TransferProgress } from "@octopii/shipping-lane";
import type { Io } from "../command.js";

/** How often a line on a terminal changes, and how often a new one is printed elsewhere. */
const terminalPauseMs = 100;
const linePauseMs = 5_000;

/** Says on stderr how far transfers have come: on a terminal in one line that changes, elsewhere now and then in a new one. */
export class ProgressLine {
  readonly #stderr: Io["stderr"];
  readonly #startedAt: number = performance.now();
  #toldAt: number = performance.now();
  #isOnLine = false;

  constructor({ stderr }: Io) {
    this.#stderr = stderr;
  }

  tell(name: string, { transferredBytes, totalBytes }: TransferProgress): void {
    const now = performance.now();
    const isTerminal = this.#stderr.isTTY === true;
    if (now - this.#toldAt < (isTerminal ? terminalPauseMs : linePauseMs)) return;
    this.#toldAt = now;
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * transferredBytes) / totalBytes);
    const line = `${name}  ${percent} %  ${size(transferredBytes)} of ${size(totalBytes)}, ${((now - this.#startedAt) / 1_000).toFixed(1)} s`;
    this.#stderr.write(isTerminal ? `\r\x1b[K${line.slice(0, (this.#stderr.columns ?? 80) - 1)}` : `${line}\n`);
    this.#isOnLine = isTerminal;
  }

  /** Prints a line for good. */
  say(line: string): void {
    this.#stderr.write(`${this.#isOnLine ? "\r\x1b[K" : ""}${line}\n`);
    this.#isOnLine = false;
  }
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes for people. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}
