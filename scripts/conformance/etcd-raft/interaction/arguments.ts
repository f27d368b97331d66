import type { Argument, Directive } from "../../data-driven.js";

/** A directive's arguments: ids and words first, then options, of which no unknown one may be there. */
export class Arguments {
  readonly words: readonly string[];
  readonly #options: ReadonlyMap<string, readonly string[]>;

  constructor({ command, args }: Pick<Directive, "command" | "args">, known: readonly string[]) {
    const isOption = ({ values }: Argument): boolean => values.length > 0;
    this.words = args.filter((one) => !isOption(one)).map(({ key }) => key);
    this.#options = new Map(args.filter(isOption).map(({ key, values }) => [key, values]));
    for (const key of this.#options.keys()) if (!known.includes(key)) throw new Error(`${command} has no option ${key}`);
  }

  /** All words, as ids. */
  get ids(): number[] {
    return this.words.map(natural);
  }

  word(at: number): string {
    const word = this.words[at];
    if (word === undefined) throw new Error(`argument ${at + 1} is missing`);
    return word;
  }

  id(at: number): number {
    return natural(this.word(at));
  }

  has(key: string): boolean {
    return this.#options.has(key);
  }

  list(key: string): number[] {
    return (this.#options.get(key) ?? []).map(natural);
  }

  text(key: string, fallback: string): string {
    return this.#options.get(key)?.join() ?? fallback;
  }

  number(key: string, fallback: number): number {
    const [value] = this.#options.get(key) ?? [];
    return value === undefined ? fallback : natural(value);
  }

  required(key: string): number {
    const [value] = this.#options.get(key) ?? [];
    if (value === undefined) throw new Error(`the option ${key}= is missing`);
    return natural(value);
  }

  flag(key: string): boolean {
    const value = this.text(key, "false");
    if (value !== "true" && value !== "false") throw new Error(`${key} is true or false, not ${value}`);
    return value === "true";
  }
}

/** @throws if the word is no whole number. */
export function natural(word: string): number {
  if (!/^\d+$/.test(word)) throw new Error(`${word} is no number`);
  return Number(word);
}
