import { stripVTControlCharacters } from "node:util";

/** What stands out, and how. */
export type Tone = "good" | "bad" | "warning" | "quiet" | "strong";

/** Puts text into a tone, or leaves it as it is where colours are not wanted. */
export type Paint = (tone: Tone, text: string) => string;

/** Select Graphic Rendition (ECMA-48 section 8.3.117): how to begin each tone, and how to end it. */
const codes: Readonly<Record<Tone, readonly [begin: number, end: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warning: [33, 39],
  quiet: [2, 22],
  strong: [1, 22],
};

export const colourful: Paint = (tone, text) => (text === "" ? "" : `\x1b[${codes[tone][0]}m${text}\x1b[${codes[tone][1]}m`);
export const plain: Paint = (_, text) => text;

/** Whether a stream's reader wants colours: a terminal, unless NO_COLOR is set (no-color.org) or it cannot show them. */
export function wantsColour(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const unseen = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** How many columns of a terminal `text` takes; colours take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (!unseen.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** `text` cut to `columns`, with an ellipsis where something is missing. Without colours only. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  for (const character of text) {
    if (widthOf(kept) + widthOf(character) > columns - 1) break;
    kept += character;
  }
  return columns > 0 ? `${kept}…` : "";
}

/**
 * `text` in lines of at most `columns`, broken between words where that can be. Without colours only.
 * @param indent - how many blanks later lines begin with. Default: as many as the first. Where they would leave no room, it is two.
 */
export function wrap(text: string, columns: number, indent?: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, columns, indent ?? line.length - line.trimStart().length));
}

function wrapLine(line: string, columns: number, indent: number): string[] {
  const blanks = " ".repeat(indent <= columns / 2 ? indent : 2);
  const lines: string[] = [];
  let rest = line;
  while (widthOf(rest) > columns) {
    const begin = lines.length === 0 ? rest.length - rest.trimStart().length : blanks.length;
    const edge = fitting(rest, columns, begin);
    const space = rest.lastIndexOf(" ", edge);
    const end = space > begin ? space : edge;
    lines.push(rest.slice(0, end).trimEnd());
    rest = blanks + rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** How much of `text` fits into `columns`, as an index: at least a character beyond `begin`, whatever its width, so that there is an end. */
function fitting(text: string, columns: number, begin: number): number {
  let width = 0;
  let index = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns && index > begin) break;
    index += character.length;
  }
  return index;
}

/** Bytes for a terminal: as text where they are that, with what would move the cursor or ring the bell made visible. */
export function showBytes(bytes: Uint8Array, columns: number): string {
  const text = decode(bytes);
  if (text === null) return `${formatBytes(bytes.length)} that are not text`;
  const shown = text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return cut(shown, columns);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Sizes as people read them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Times as people read them. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** The time of day, for a line that tells what happened. */
export function clockTime(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
