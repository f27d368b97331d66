import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CliError, oneLine } from "../errors.js";
import { suggestion } from "../suggest.js";

/** Far more than any configuration, certificate or key needs; a larger file is something else. */
const fileBytesMax = 1024 * 1024;

/**
 * A configuration in JSON, read field by field. Whatever is wrong is collected, so that the operator hears all of it at once.
 * Paths in it are relative to the file itself.
 */
export class ConfigFile {
  readonly path: string;
  readonly problems: string[] = [];
  readonly #fields: Readonly<Record<string, unknown>>;

  /**
   * @param remedies - as of {@link readObject}.
   * @throws {CliError} `CONFIGURATION_INVALID` if the file cannot be read or is no JSON object.
   */
  constructor(path: string, known: readonly string[], remedies: Remedies = {}) {
    this.path = path;
    this.#fields = readObject(path, remedies);
    for (const name of Object.keys(this.#fields)) {
      if (!known.includes(name)) this.problems.push(`there is no option "${name}"${suggestion(name, known)}`);
    }
  }

  get(name: string): unknown {
    return this.#fields[name];
  }

  /** A path, made absolute; the empty string, and a problem, if it is missing. */
  filePath(name: string): string {
    const value = this.#fields[name];
    if (typeof value === "string" && value !== "") return resolve(dirname(this.path), value);
    this.problems.push(`${name} must be a path, not ${show(value)}`);
    return "";
  }

  /** The text of the file that a field names; the empty string, and a problem, if there is none. */
  fileText(name: string): string {
    const path = this.filePath(name);
    if (path === "") return "";
    try {
      return readSmallFile(path);
    } catch (error) {
      this.problems.push(`${name}: ${reasonOf(error, path)}`);
      return "";
    }
  }

  /** @throws {CliError} `CONFIGURATION_INVALID` that lists all problems, if there are any. */
  check(): void {
    if (this.problems.length > 0) throw invalid(this.path, this.problems);
  }
}

/** One error for any number of problems in a configuration file. @param remedy - what to do, where that is not plain. */
export function invalid(path: string, problems: readonly string[], remedy?: string): CliError {
  const message = `The configuration ${path} cannot be used: ${[...problems.map(oneLine), ...(remedy === undefined ? [] : [remedy])].join("; ")}.`;
  return new CliError("OCTOPII_CLI_CONFIGURATION_INVALID", message, { details: { path, problems } });
}

/** A value as an operator wrote it, for a complaint about it. */
export function show(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}

/** The text of a file that ought to be small. Its size is checked before anything is read. */
function readSmallFile(path: string): string {
  const { size } = statSync(path);
  if (size > fileBytesMax) throw new Error(`${path} has ${size} bytes, more than any such file needs`);
  return readFileSync(path, "utf8");
}

/** What an operator can do about a configuration, as clauses. */
export interface Remedies {
  /** If it cannot be read. Default: its path was given, and may be the wrong one. */
  readonly unreadable?: string;
  /** If it is no JSON object. Default: the complaint says enough. */
  readonly malformed?: string;
}

/** The fields of a file that holds one JSON object. @throws {CliError} `CONFIGURATION_INVALID`. */
export function readObject(
  path: string,
  { unreadable = "give the path of a JSON file", malformed }: Remedies = {},
): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readSmallFile(path);
  } catch (error) {
    const message = `The configuration cannot be read: ${reasonOf(error, path)}; ${unreadable}.`;
    throw new CliError("OCTOPII_CLI_CONFIGURATION_INVALID", message, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, [`it is not JSON${placeOf(error, text)}`], malformed);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, ["it must hold one JSON object"], malformed);
  return value as Readonly<Record<string, unknown>>;
}

/** Where a parser stumbled, as far as its message tells. */
function placeOf(error: unknown, text: string): string {
  const { message } = error as Error;
  const position = / at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return text.trim() === "" ? ", it is empty" : `, it ends too early or holds what JSON does not know`;
  const before = text.slice(0, Number(position)).split("\n");
  return `, see line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read",
  EISDIR: "is a directory",
  ENOTDIR: "does not exist",
};

/** Why a file cannot be read, as a clause without its full stop. */
export function reasonOf(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? message : `${path} ${reason}`;
}
