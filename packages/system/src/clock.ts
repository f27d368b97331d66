import type { Clock } from "@octopii/interfaces";

/** The system's clocks. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
};
