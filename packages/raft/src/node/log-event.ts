import type { Logger } from "@octopii/interfaces";
import { describeConfiguration } from "../configuration/index.js";
import type { TraceEvent } from "../trace.js";

/** Renders what an operator wants to know of a replica; what happens all the time is left out. */
export function logEvent(logger: Logger, event: TraceEvent): void {
  switch (event.type) {
    case "role":
      return logger.info({ role: event.role, term: event.term, leaderId: event.leaderId }, "The role changed.");
    case "leader":
      return logger.info(
        { term: event.term, leaderId: event.leaderId },
        event.leaderId === 0 ? "The leader was forgotten." : "A leader was heard of.",
      );
    case "quorumLost":
      return logger.warn({ term: event.term }, "The leader has not heard from a quorum for an election timeout, and steps down.");
    case "transfer":
      return logger.info({ phase: event.phase, target: event.target, term: event.term }, "Leadership is being handed over.");
    case "configuration":
      return logger.info({ index: event.index }, `The membership is now: ${describeConfiguration(event.configuration)}.`);
    case "changeVoid":
      return logger.warn({ index: event.index, reason: event.reason }, "A committed change of the membership has no effect.");
    case "snapshot":
      return logger.info({ phase: event.phase, index: event.snapshot.index, term: event.snapshot.term }, "A snapshot.");
    case "compact":
      return logger.info({ index: event.index }, "The log was compacted.");
    case "drop":
      return logger.debug({ message: event.message.type, from: event.message.from, reason: event.reason }, "A message was dropped.");
    default:
      return;
  }
}
