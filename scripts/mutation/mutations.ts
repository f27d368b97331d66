import { driverMutations } from "./driver-mutations.js";
import { electionMutations } from "./election-mutations.js";
import { logMutations } from "./log-mutations.js";
import { membershipMutations } from "./membership-mutations.js";
import { readMutations } from "./read-mutations.js";
import type { Mutation } from "./workbench.js";

/** Every mistake that is tried. */
export const mutations: readonly Mutation[] = [
  ...electionMutations,
  ...logMutations,
  ...membershipMutations,
  ...readMutations,
  ...driverMutations,
];
