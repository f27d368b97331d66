import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What a command line said: the options' values by name, and the words that are not options. */
export interface CommandLine {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/**
 * Reads this process's command line. `--help` prints `help` and ends with 0; what is not understood is named in one sentence
 * on stderr and ends with 2.
 */
export function commandLine(help: string, options: Options, allowPositionals = false): CommandLine {
  try {
    const { values, positionals } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } }, allowPositionals });
    if (values.help !== true) return { values: values as CommandLine["values"], positionals };
    process.stdout.write(`${help.trim()}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
    process.exit(2);
  }
}
