/** The part of EDN that recorded histories use: maps, vectors, strings, numbers, keywords, nil and booleans. */

/** A keyword such as `:invoke`, told apart from a string. */
export interface Keyword {
  readonly keyword: string;
}

export type Edn = null | boolean | number | string | Keyword | readonly Edn[] | ReadonlyMap<string, Edn>;

const TOKEN = /[\s,]*([[\]{}]|"(?:[^"\\]|\\.)*"|[^\s,[\]{}"]+)/y;
const MAX_DEPTH = 16;

/** Every value that stands in `text`, in order. @throws {SyntaxError} saying what is wrong. */
export function parseEdn(text: string): Edn[] {
  const tokens = tokenize(text);
  const values: Edn[] = [];
  let at = 0;
  const take = (): string => {
    const token = tokens[at];
    if (token === undefined) throw new SyntaxError(`ends too early: ${text}`);
    at += 1;
    return token;
  };
  const listUntil = (close: string, depth: number): Edn[] => {
    const items: Edn[] = [];
    while (tokens[at] !== close) items.push(value(depth));
    at += 1;
    return items;
  };
  const value = (depth: number): Edn => {
    if (depth > MAX_DEPTH) throw new SyntaxError(`is nested more than ${MAX_DEPTH} deep`);
    const token = take();
    if (token === "[") return listUntil("]", depth + 1);
    if (token === "{") return toMap(listUntil("}", depth + 1));
    return atom(token);
  };
  while (at < tokens.length) values.push(value(0));
  return values;
}

export function isKeyword(value: Edn | undefined): value is Keyword {
  return typeof value === "object" && value !== null && "keyword" in value;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const body = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(body);
    if (match?.[1] === undefined) throw new SyntaxError(`has no value at column ${from + 1}: ${text}`);
    tokens.push(match[1]);
  }
  return tokens;
}

function toMap(items: readonly Edn[]): ReadonlyMap<string, Edn> {
  const map = new Map<string, Edn>();
  for (let at = 0; at < items.length; at += 2) {
    const key = items[at];
    const value = items[at + 1];
    if (!isKeyword(key) || value === undefined) throw new SyntaxError("holds a map whose keys are not keywords, each with a value");
    map.set(key.keyword, value);
  }
  return map;
}

function atom(token: string): Edn {
  if (token.startsWith('"')) return JSON.parse(token) as string;
  if (token.startsWith(":") && token.length > 1) return { keyword: token.slice(1) };
  if (token === "nil") return null;
  if (token === "true" || token === "false") return token === "true";
  if (/^-?\d+(\.\d+)?$/.test(token)) return Number(token);
  throw new SyntaxError(`holds ${token}, which is not a value`);
}
