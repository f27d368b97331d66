import type { Bug } from "./bug.js";
import { coreBugs } from "./bugs/core.js";
import { raftBugs } from "./bugs/raft.js";
import { rpcBugs } from "./bugs/rpc.js";
import { walrusBugs } from "./bugs/walrus.js";

/** Every planted bug. */
export const bugs: readonly Bug[] = [...raftBugs, ...walrusBugs, ...coreBugs, ...rpcBugs];
