import type { clockFaults as kinds } from "../plan/kinds.js";
import type { FaultAction } from "./fault.js";

/** The most that a wall clock is stepped, either way, in milliseconds. */
const wallStepMs = 300_000;

/** Clocks that run wrong, and clocks that are set. */
export const clockFaults: Readonly<Record<(typeof kinds)[number], FaultAction>> = {
  skew: ({ plan }, { member, random }) => {
    member.skew(random, plan.clockSkewMax);
    return plan.clockSkewMax > 0;
  },
  wallStep: (_context, { member, random }) => {
    member.process.stepWallClock(random.between(-wallStepMs, wallStepMs));
    return true;
  },
};
