import type { Lab } from "./lab.js";

/** Cases by name. */
export type CaseTable = Readonly<Record<string, (lab: Lab) => Promise<void>>>;
