import type { Arguments } from "./arguments.js";
import type { Environment } from "./environment.js";
import { MemoryStorage } from "./memory-storage.js";
import type { LogLine } from "./printer.js";
import { emptyConfiguration, type RaftCoreOptions } from "./raft.js";
import { type NodeParts, type NodeSettings, ScenarioNode } from "./scenario-node.js";
import { StateMachine } from "./state-machine.js";

/** The options that etcd's `add-nodes` knows. */
export const addNodesOptions: readonly string[] = [
  "voters",
  "learners",
  "inflight",
  "index",
  "content",
  "async-storage-writes",
  "prevote",
  "checkquorum",
  "max-committed-size-per-ready",
  "disable-conf-change-validation",
  "read-only",
  "step-down-on-removal",
];

/** What ours knows besides: founders that begin with an empty log, and limits in bytes. */
export const ownAddNodesOptions: readonly string[] = [
  ...addNodesOptions,
  "founders",
  "append-bytes",
  "inflight-bytes",
  "uncommitted-bytes",
  "entry-bytes",
  "cache-bytes",
  "eager-appends",
];

/** The shortest election timeout. */
export const electionTicks = 3;
const unlimited = Number.MAX_SAFE_INTEGER;

/** What etcd's scenarios start from: short timeouts, and no limit that they do not set. */
function coreOptions(args: Arguments): RaftCoreOptions {
  const readOnly = args.text("read-only", "safe");
  if (readOnly !== "safe" && readOnly !== "lease-based") throw new Error(`invalid read-only option "${readOnly}"`);
  return {
    electionTicks,
    heartbeatTicks: 1,
    preVote: args.flag("prevote"),
    checkQuorum: args.flag("checkquorum"),
    leaseReads: readOnly === "lease-based",
    stepDownOnRemoval: args.flag("step-down-on-removal"),
    validateChanges: !args.flag("disable-conf-change-validation"),
    eagerCommits: true,
    inflightCountMax: args.number("inflight", unlimited),
    eagerAppendsMax: args.number("eager-appends", unlimited),
    appendBytesMax: args.number("append-bytes", unlimited),
    inflightBytesMax: args.number("inflight-bytes", unlimited),
    uncommittedBytesMax: args.number("uncommitted-bytes", unlimited),
    entryBytesMax: args.number("entry-bytes", args.number("uncommitted-bytes", unlimited)),
    cacheBytesMax: args.number("cache-bytes", unlimited),
    applyBytesMax: unlimited,
  };
}

/**
 * Creates nodes that all begin with the same snapshot, or with nothing.
 * @param isLikeEtcd - see {@link NodeSettings}; besides, no shield holds them back that they may have given in an earlier life.
 */
export function addNodes(environment: Environment, args: Arguments, isLikeEtcd: boolean): void {
  const options = coreOptions(args);
  const index = args.number("index", 0);
  const voters = [...args.list("voters"), ...args.list("founders")];
  const configuration = { ...emptyConfiguration, voters, learners: args.list("learners") };
  const isBootstrapped = args.has("voters") || args.has("learners") || args.has("index") || args.has("content");
  if (isBootstrapped && index <= 1) throw new Error("index must be specified as > 1 due to bootstrap");
  for (let count = args.id(0); count > 0; count--) {
    const base = { index, term: isBootstrapped ? 1 : 0 };
    const storage = new MemoryStorage(base, { currentTerm: 0, votedFor: 0, commitIndex: index });
    const machine = new StateMachine({ ...base, configuration }, args.text("content", ""));
    const settings: NodeSettings = {
      id: environment.size + 1,
      isAsync: args.flag("async-storage-writes"),
      applyBytesMax: args.number("max-committed-size-per-ready", unlimited),
      isLikeEtcd,
      options,
    };
    const log = (line: LogLine): void => environment.printer.log(line);
    const parts = { storage, machine, random: environment.randomOf(settings.id), log };
    environment.put(isLikeEtcd && options.leaseReads === true ? startUnshielded(settings, parts) : new ScenarioNode(settings, parts));
  }
}

/** A node that lets the time pass for which its shield would last. Its timer is set so that it does not run out meanwhile. */
function startUnshielded(settings: NodeSettings, parts: NodeParts): ScenarioNode {
  const { random } = parts;
  const { extraTicks } = random;
  random.extraTicks = electionTicks - 1;
  const node = new ScenarioNode(settings, parts);
  for (let ticks = electionTicks; ticks > 0; ticks--) node.tick();
  random.extraTicks = extraTicks;
  return node;
}
