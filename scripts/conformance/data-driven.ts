/**
 * The text format of cockroachdb/datadriven: `#` comments, one directive `command key key=value key=(a, b)`, lines of input,
 * a line `----`, and the expected output up to an empty line.
 */

/** One argument of a directive; `key` alone has no values, `key=(a, b)` several. */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

/** One directive with its input and what it must print. */
export interface Directive {
  /** The line of the command, from 1. */
  readonly line: number;
  readonly command: string;
  readonly args: readonly Argument[];
  readonly input: readonly string[];
  /** The line after the separator, from 1. */
  readonly outputLine: number;
  /** Without the last line's end. */
  readonly expected: string;
}

const separator = "----";

/** Reads a whole file. Throws with the line's number where the text is not of this format. */
export function parseDirectives(text: string): Directive[] {
  const lines = text.split(/\r?\n/);
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const head = (lines[at] ?? "").trim();
    if (head === "" || head.startsWith("#")) {
      at++;
      continue;
    }
    const separatorAt = lines.indexOf(separator, at + 1);
    if (separatorAt === -1) throw new Error(`line ${at + 1}: no ${separator} follows this directive`);
    if (lines[separatorAt + 1] === separator) throw new Error(`line ${separatorAt + 2}: output with empty lines is not supported`);
    let end = separatorAt + 1;
    while (end < lines.length && lines[end]?.trim() !== "") end++;
    const input = lines.slice(at + 1, separatorAt);
    const expected = lines.slice(separatorAt + 1, end).join("\n");
    directives.push({ line: at + 1, ...parseHead(head, at + 1), input, outputLine: separatorAt + 2, expected });
    at = end;
  }
  return directives;
}

function parseHead(head: string, line: number): Pick<Directive, "command" | "args"> {
  const words = head.match(/[^\s=(),]+(?:=(?:\([^)]*\)|[^\s()]*))?/g) ?? [];
  // Nothing may be lost between the words: an argument that is not understood must not pass silently.
  if (words.join("") !== head.replace(/\s+(?![^(]*\))/g, "")) throw new Error(`line ${line}: cannot read ${JSON.stringify(head)}`);
  const [command, ...rest] = words;
  if (command === undefined || command.includes("=")) throw new Error(`line ${line}: a directive begins with a command`);
  return { command, args: rest.map(parseArgument) };
}

function parseArgument(word: string): Argument {
  const equals = word.indexOf("=");
  if (equals === -1) return { key: word, values: [] };
  const value = word.slice(equals + 1);
  const inner = value.startsWith("(") ? value.slice(1, -1) : value;
  const values = inner.split(",").map((item) => item.trim());
  return { key: word.slice(0, equals), values: values.length === 1 && values[0] === "" ? [] : values };
}
