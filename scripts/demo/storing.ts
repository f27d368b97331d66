import { repeatUntilDone } from "../../packages/cli/dist/index.js";
import { type Client, keyValueClient } from "../../packages/core/dist/index.js";
import type { TrackedFile } from "./tracked-files.js";

/** Writes in flight: enough for the nodes to gather several into one flush. */
const concurrency = 16;
/** How long one file may take: several elections. */
const timeoutMs = 60_000;
/** What one attempt gets at first: far more than a write takes, and little to lose when its leader has died. */
const attemptTimeoutMs = 500;

/** How often puts were sent again; it is counted up. */
export interface Repetitions {
  /** Attempts beyond the first of each put. */
  repeated: number;
  /** How many of them came after one of which nobody knows whether it happened. */
  unknown: number;
}

/**
 * Stores all files, several at a time. A put whose outcome is unknown is sent again: only one worker writes a file's key, so the second
 * put can undo nothing but the first, and leaves the same bytes.
 * @param onStored - called for each file that is safe, with the time when the attempt that succeeded began.
 */
export async function storeAll(
  files: readonly TrackedFile[],
  client: Client,
  onStored: (begunAt: number) => void,
  repetitions: Repetitions,
  signal: AbortSignal,
): Promise<void> {
  const kv = keyValueClient(client);
  let next = 0;
  const onUnknown = (): void => {
    repetitions.unknown += 1;
  };
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const { path, bytes } = file;
      let begunAt = 0;
      let attempts = 0;
      const put = (limitMs: number): Promise<boolean> => {
        attempts += 1;
        begunAt = performance.now();
        return kv.put(path, bytes, { timeoutMs: limitMs, signal });
      };
      await repeatUntilDone(put, { timeoutMs, attemptTimeoutMs, effect: "idempotent", signal, onUnknown });
      repetitions.repeated += attempts - 1;
      onStored(begunAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
