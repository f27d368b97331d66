import { repeatUntilDone } from "../../packages/cli/dist/index.js";
import { type Client, keyValueClient } from "../../packages/core/dist/index.js";
import type { TrackedFile } from "./tracked-files.js";

/** Writes in flight: enough for the nodes to gather several into one flush. */
const concurrency = 16;
/** How long one file may take: several elections. */
const timeoutMs = 60_000;
/** What one attempt gets at first: far more than a write takes, and little to lose when its leader has died. */
const attemptTimeoutMs = 500;

/**
 * Stores all files, several at a time. A put whose outcome is unknown is repeated: doing it twice does no harm.
 * @param onStored - called for each file that is safe, with the time when the attempt that succeeded began.
 * @returns how many attempts there were beyond one per file.
 */
export async function storeAll(
  files: readonly TrackedFile[],
  client: Client,
  onStored: (begunAt: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const kv = keyValueClient(client);
  let next = 0;
  let attempts = 0;
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const { path, bytes } = file;
      let begunAt = 0;
      const put = (limitMs: number): Promise<boolean> => {
        attempts += 1;
        begunAt = performance.now();
        return kv.put(path, bytes, { timeoutMs: limitMs, signal });
      };
      await repeatUntilDone(put, { timeoutMs, attemptTimeoutMs, signal });
      onStored(begunAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return attempts - files.length;
}
