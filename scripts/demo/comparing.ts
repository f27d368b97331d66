import type { KeyValueClient } from "../../packages/core/dist/index.js";
import type { TrackedFile } from "./tracked-files.js";

/** What was found on the nodes. */
export interface Comparison {
  /** Files that were read back from a node and compared. */
  readonly compared: number;
  /** What differs, a line each; empty if nothing does. */
  readonly differences: readonly string[];
}

const concurrency = 16;
const timeoutMs = 30_000;

/**
 * Compares what one node holds with the files: the same keys, and under each the same bytes.
 * @param kv - the store of that node; it is read as it stands there, and no other node is asked.
 */
export async function compareNode(
  files: readonly TrackedFile[],
  kv: Pick<KeyValueClient, "get" | "keys">,
  id: number,
  signal: AbortSignal,
): Promise<Comparison> {
  const options = { consistency: "stale", timeoutMs, signal } as const;
  const differences = compareKeys(files, await kv.keys("", options), id);
  let next = 0;
  let compared = 0;
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const found = await kv.get(file.path, options);
      compared += 1;
      if (found === null) differences.push(`node ${id} has no ${file.path}`);
      else if (Buffer.compare(found, file.bytes) !== 0) differences.push(`node ${id} has other bytes in ${file.path}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { compared, differences };
}

/** Keys that the files do not explain. Missing ones show up when their files are read. */
function compareKeys(files: readonly TrackedFile[], keys: readonly string[], id: number): string[] {
  const expected = new Set(files.map(({ path }) => path));
  return keys.filter((key) => !expected.has(key)).map((key) => `node ${id} has ${key}, which was never stored`);
}
