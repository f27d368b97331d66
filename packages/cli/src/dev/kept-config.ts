import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { readObject } from "../config/config-file.js";
import { writeWhole } from "./files.js";

type Fields = Readonly<Record<string, unknown>>;

/** A configuration that a development cluster writes and an operator may edit: neither may lose what is the other's. */
export class KeptConfig {
  readonly #path: string;
  readonly #found: Fields | null;

  /** @throws {CliError} `CONFIGURATION_INVALID` if there is a file that cannot be read. It may hold an operator's work. */
  constructor(path: string) {
    this.#path = path;
    const remedy = "mend it, or remove it to have it written anew";
    this.#found = existsSync(path) ? readObject(path, { unreadable: remedy, malformed: remedy }) : null;
  }

  /**
   * Brings the file to what it must say. A file that says so already is not touched.
   * @param decided - fields that are not the operator's to choose.
   * @param initial - what else a new file begins with.
   * @returns the names of the fields that a file which was there had otherwise.
   */
  update(decided: Fields, initial: Fields = {}): readonly string[] {
    const found = this.#found;
    const differing = Object.keys(decided).filter((name) => !isDeepStrictEqual(found?.[name], decided[name]));
    if (found !== null && differing.length === 0) return [];
    writeWhole(this.#path, `${JSON.stringify({ ...(found ?? initial), ...decided }, null, 2)}\n`, 0o644);
    return found === null ? [] : differing;
  }
}

/**
 * What was updated, in a sentence that fits a line; null if nothing was.
 * @param nodes - the fields for each node, from node 1 on.
 */
export function describeUpdates(nodes: readonly (readonly string[])[], client: readonly string[]): string | null {
  const list = new Intl.ListFormat("en");
  const idsByFields = new Map<string, number[]>();
  for (const [i, fields] of nodes.entries()) {
    if (fields.length === 0) continue;
    const names = list.format([...fields].sort());
    idsByFields.set(names, [...(idsByFields.get(names) ?? []), i + 1]);
  }
  // As a shell would take it.
  const parts = [...idsByFields].map(([names, ids]) => `${names} in node-${ids.length === 1 ? ids[0] : `{${ids.join(",")}}`}/config.json`);
  if (client.length > 0) parts.push(`${list.format([...client].sort())} in client.json`);
  return parts.length === 0 ? null : `Updated ${parts.join("; ")}.`;
}
