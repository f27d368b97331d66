import { CoreError } from "../errors.js";
import type { ApplyResult } from "../state-machine/replicated.js";
import { Rejection } from "../state-machine/state-machine.js";
import { resultBytesMax, resultsMax, type SessionRefusal } from "./session-table.js";

/** A command's result for its caller. @throws {Rejection} {@link CoreError} */
export function resultOf(outcome: ApplyResult): Uint8Array {
  if ("result" in outcome) return outcome.result;
  if ("rejection" in outcome) throw new Rejection(outcome.rejection);
  throw refusalError(outcome.refused);
}

function refusalError(refusal: SessionRefusal): CoreError {
  switch (refusal) {
    case "expired":
      return new CoreError("OCTOPII_CORE_SESSION_EXPIRED", "The cluster does not know this session, or has forgotten it; open another.");
    case "answered":
      // Whoever asks has said before that nobody waits for this answer.
      return new CoreError("OCTOPII_CORE_UNAVAILABLE", "The command is an old one of its session; its result is kept no more.", {
        outcome: "unknown",
      });
    case "crowded": {
      const limits = `${resultsMax} results or ${resultBytesMax} bytes of them`;
      return new CoreError("OCTOPII_CORE_BUSY", `The session waits for more than ${limits}; send less at once.`);
    }
  }
}
