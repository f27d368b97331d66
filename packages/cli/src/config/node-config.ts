import { createNode, isCoreError, keyValueStore, type Member, type NodeOptions } from "@octopii/core";
import type { TlsCredentials } from "@octopii/interfaces";
import { ConfigFile, invalid, show } from "./config-file.js";

/** The options of a node that a configuration file gives as they are. A new option of the core that is missing here fails to compile. */
const plainOptions: Record<Exclude<keyof NodeOptions, "credentials" | "directory" | "members">, true> = {
  id: true,
  cluster: true,
  join: true,
  listenAddress: true,
  transport: true,
  logSegmentBytes: true,
  shippingLane: true,
  reconnectMinMs: true,
  reconnectMaxMs: true,
  tickMs: true,
  requestTimeoutMs: true,
  queuedProposalsMax: true,
  inboxMessagesMax: true,
  forwardProposals: true,
  snapshotEntries: true,
  snapshotBytes: true,
  tailEntries: true,
  snapshotBytesPerSecond: true,
  snapshotStallMs: true,
  catchUpRounds: true,
  electionTicks: true,
  heartbeatTicks: true,
  preVote: true,
  checkQuorum: true,
  electionDelayTicks: true,
  leaseReads: true,
  clockDriftMax: true,
  appendBytesMax: true,
  inflightCountMax: true,
  eagerAppendsMax: true,
  inflightBytesMax: true,
  uncommittedBytesMax: true,
  entryBytesMax: true,
  cacheBytesMax: true,
  applyBytesMax: true,
  pendingReadsMax: true,
};

const paths = ["directory", "certificate", "privateKey", "authorities"];
/** Every field that the configuration of a node may have. */
export const nodeConfigFields: readonly string[] = [...Object.keys(plainOptions), ...paths, "members"];

/**
 * Reads the configuration of `octopii node`. Nothing on disk is changed.
 * @throws {CliError} `CONFIGURATION_INVALID`, listing every problem at once.
 */
export function readNodeConfig(path: string): NodeOptions {
  const file = new ConfigFile(path, nodeConfigFields);
  const plain = Object.fromEntries(Object.keys(plainOptions).map((name) => [name, withoutNull(file, name)]));
  const options = {
    ...plain,
    directory: file.filePath("directory"),
    members: readMembers(file),
    credentials: credentialsIn(file),
  } as unknown as NodeOptions;
  const problems = [...file.problems, ...coreProblems(options).filter((problem) => !isReported(problem, file.problems))];
  if (problems.length > 0) throw invalid(path, problems);
  return options;
}

/**
 * The credentials that a configuration names now; a running node looks for new ones.
 * @throws {CliError} `CONFIGURATION_INVALID`.
 */
export function readNodeCredentials(path: string): TlsCredentials {
  const file = new ConfigFile(path, nodeConfigFields);
  const credentials = credentialsIn(file);
  file.check();
  return credentials;
}

function credentialsIn(file: ConfigFile): TlsCredentials {
  return {
    certificate: file.fileText("certificate"),
    privateKey: file.fileText("privateKey"),
    authorities: file.fileText("authorities"),
  };
}

/** The core takes `undefined` for "the default", and JSON has only null; but null there is a mistake. */
function withoutNull(file: ConfigFile, name: string): unknown {
  const value = file.get(name);
  if (value !== null) return value;
  file.problems.push(`${name} must have a value; leave it out for the default`);
  return undefined;
}

function readMembers(file: ConfigFile): readonly Member[] {
  const value = file.get("members");
  const isMember = (member: unknown): boolean => typeof member === "object" && member !== null && !Array.isArray(member);
  if (Array.isArray(value) && value.every(isMember)) return value as Member[];
  file.problems.push(`members must be a list such as [{ "id": 1, "address": "10.0.0.1:7001" }], not ${show(value).slice(0, 80)}`);
  return [];
}

/** What the core has to say of the options. It makes a node of them, which does nothing until it is started. */
function coreProblems(options: NodeOptions): readonly string[] {
  try {
    createNode(options, { stateMachine: keyValueStore() });
    return [];
  } catch (error) {
    if (!isCoreError(error, "OCTOPII_CORE_CONFIGURATION_INVALID")) throw error;
    return error.details.problems as readonly string[];
  }
}

/** Whether a complaint of the core is about a field that we have complained of ourselves. */
function isReported(problem: string, ours: readonly string[]): boolean {
  const [field] = /^\w+/.exec(problem) ?? [];
  return ours.some((own) => own.startsWith(`${field} must `));
}
