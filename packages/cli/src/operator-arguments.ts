import { type CommandLine, usageError, wholeNumber } from "./command.js";

/** A node's id on the command line. @throws {CliError} `USAGE`. */
export function nodeId(command: string, text: string | undefined): number {
  const id = /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;
  if (id > 0) return id;
  throw usageError(`A node's id is a whole number above 0, not "${text ?? ""}"`, command);
}

/** A node's address on the command line. @throws {CliError} `USAGE`. */
export function nodeAddress(command: string, text: string | undefined): string {
  if (text !== undefined && /^(\[[^\s[\]]+\]|[^\s:[\]]+):\d{1,5}$/.test(text)) return text;
  throw usageError(`A node's address is host:port, not "${text ?? ""}"`, command);
}

/** How long an operator waits, by `--timeout`, in milliseconds; undefined if they did not say. @throws {CliError} `USAGE`. */
export function patienceOf(command: string, { values }: CommandLine): number | undefined {
  return typeof values.timeout === "string" ? 1_000 * wholeNumber(command, "timeout", values.timeout, 1, 86_400) : undefined;
}
