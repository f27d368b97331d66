import type { FaultKind } from "../plan/kinds.js";
import { clockFaults } from "./clock-faults.js";
import { damagingFaults, diskFaults } from "./disk-faults.js";
import type { FaultAction } from "./fault.js";
import { networkFaults } from "./network-faults.js";
import { operatorFaults } from "./operator-faults.js";
import { processFaults } from "./process-faults.js";

/** How each kind of fault is done. */
export const catalogue: Readonly<Record<FaultKind, FaultAction>> = {
  ...processFaults,
  ...networkFaults,
  ...clockFaults,
  ...diskFaults,
  ...damagingFaults,
  ...operatorFaults,
};
