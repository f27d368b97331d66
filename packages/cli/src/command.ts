import { type ParseArgsConfig, parseArgs } from "node:util";
import { CliError } from "./errors.js";
import { suggestion } from "./suggest.js";

/** The process as a command sees it. Tests give their own. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One thing that `octopii` can do. */
export interface Command {
  readonly name: string;
  /** A few words for the list of commands. */
  readonly summary: string;
  /** What `--help` prints: usage, options and examples. */
  readonly help: string;
  /** @returns the exit code. @throws what {@link describeError} can put into words. */
  run(args: readonly string[], io: Io): Promise<number>;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values = Readonly<Record<string, string | boolean | undefined>>;

/** What a command line said. `help` means that nothing else matters. */
export interface CommandLine {
  readonly help: boolean;
  readonly values: Values;
  readonly positionals: readonly string[];
}

/**
 * Reads a command's arguments; every command also takes `--help`.
 * @throws {CliError} `USAGE`, in one sentence.
 */
export function parseCommandLine(command: string, args: readonly string[], options: Options, allowPositionals = false): CommandLine {
  const all: Options = { ...options, help: { type: "boolean", short: "h" } };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: all, allowPositionals });
    return { help: values.help === true, values: values as Values, positionals };
  } catch (error) {
    throw usageError(explain(error, Object.keys(all)), command);
  }
}

/** A complaint about the command line that says where to read on. @param complaint - a sentence without its full stop. */
export function usageError(complaint: string, command: string): CliError {
  return new CliError("OCTOPII_CLI_USAGE", `${complaint}; see "${["octopii", command].filter(Boolean).join(" ")} --help".`);
}

/** Node's own messages run to several sentences. */
function explain(error: unknown, names: readonly string[]): string {
  if (!(error instanceof Error)) return String(error);
  const [, option] = /'-*([^'\s=<]+)/.exec(error.message) ?? [];
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" && option !== undefined) {
    return `There is no option --${option}${suggestion(option, names, "--")}`;
  }
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" && option !== undefined) {
    return `--${option} ${/does not take/.test(error.message) ? "takes no value" : "needs a value"}`;
  }
  if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL" && option !== undefined) return `Unexpected argument "${option}"`;
  return error.message.replace(/\.$/, "");
}

/** A whole number given to an option. @throws {CliError} `USAGE`. */
export function wholeNumber(command: string, option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(`--${option} must be a whole number from ${min} to ${max}, not "${text}"`, command);
}
