import type { LaneError } from "../errors.js";
import { localError, systemCode } from "../facts.js";

/** What could not be done with the file for `path`. */
export function storageFailed(path: string, what: string, cause: unknown, outcome: "failed" | "unknown" = "failed"): LaneError {
  const code = systemCode(cause);
  const message = `The file for ${path} ${what} (${code}); check the disk and its free space.`;
  return localError("OCTOPII_LANE_STORAGE_FAILED", message, `the receiver could not store it (${code})`, { cause, outcome });
}
