import type { NodeId, TlsCredentials } from "@octopii/interfaces";
import { type RaftNodeOptions, raftCoreDefaults, raftNodeDefaults, resolveRaftCoreOptions, resolveRaftNodeOptions } from "@octopii/raft";
import { resolveShippingLaneOptions, type ShippingLaneConfig, type ShippingLaneOptions } from "@octopii/shipping-lane";
import { isWalrusError, resolveWalrusOptions, walrusDefaults } from "@octopii/walrus";
import { CoreError } from "./errors.js";

/** One member of a cluster, as its founders agree on it. */
export interface Member {
  readonly id: NodeId;
  /** Where the others reach it: `host:port`, an IPv6 host in brackets. */
  readonly address: string;
}

/** What only the tests against another project's scenarios turn off. */
type ConformanceOnly = "stepDownOnRemoval" | "validateChanges" | "eagerCommits";

/** Who a node is, where it lives, and how it behaves. */
export interface NodeOptions extends Omit<RaftNodeOptions, ConformanceOnly> {
  /** This node's number: a safe integer above 0, unique in the cluster for all time. */
  readonly id: NodeId;
  /** The cluster's name: 1 to 63 of `a-z`, `0-9` and `-`. It stands in every certificate and data directory. */
  readonly cluster: string;
  /** Holds everything that the node must not forget. Made if missing; one node per directory. */
  readonly directory: string;
  /**
   * The founding members, this node among them; the same on every node. For a node that joins later: itself, and those that it is to reach
   * before it has learned the rest.
   */
  readonly members: readonly Member[];
  /** This node is none of the founders: it waits until a leader adds it. Default false. */
  readonly join?: boolean;
  /** Where to listen. Default: this node's address in `members`. */
  readonly listenAddress?: string;
  /** What proves who we are, and which authority's certificates we trust. Needed unless a transport is passed in. */
  readonly credentials?: TlsCredentials;
  /**
   * What nodes speak: `quic` over UDP, by `@octopii/transport-quic`, or `tcp`, by `@octopii/transport-tcp`; the same on every node. Whichever it
   * is must be installed. Default `quic`. Without meaning where a transport is passed in.
   */
  readonly transport?: "quic" | "tcp";
  /** The size at which a segment of the log is sealed. Default 64 MiB, Walrus's own. */
  readonly logSegmentBytes?: number;
  /** Limits of bulk transfer, in and out. Default: the package's own, `shippingLaneDefaults`. */
  readonly shippingLane?: ShippingLaneOptions;
  /** The first pause after a failed dial. Default 100. */
  readonly reconnectMinMs?: number;
  /** The longest pause between dials. Default 2,000: a peer that returns is back within an election. */
  readonly reconnectMaxMs?: number;
}

/** {@link NodeOptions} with everything decided. */
export interface NodeConfig {
  readonly id: NodeId;
  readonly cluster: string;
  readonly directory: string;
  readonly members: readonly Member[];
  readonly join: boolean;
  readonly address: string;
  readonly listenAddress: string;
  readonly credentials: TlsCredentials | null;
  readonly transport: "quic" | "tcp";
  readonly requestTimeoutMs: number;
  readonly logSegmentBytes: number;
  readonly shippingLane: ShippingLaneConfig;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly entryBytesMax: number;
  readonly appendBytesMax: number;
  readonly inflightBytesMax: number;
  readonly raft: RaftNodeOptions;
}

const clusterPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const addressPattern = /^(?:\[[0-9a-fA-F:.%a-z]+\]|[^\s:[\]]+):(\d{1,5})$/;

/** Fills in defaults and checks. @throws {CoreError} `CONFIGURATION_INVALID`, listing every problem at once. */
export function resolveNodeOptions(options: NodeOptions, hasTransport: boolean): NodeConfig {
  if (typeof options !== "object" || options === null) throw configurationError(["its options are missing"]);
  const problems = [...identityProblems(options), ...memberProblems(options), ...timingProblems(options)];
  if (!hasTransport && options.credentials === undefined) {
    problems.push("credentials are missing: give the node its certificate, its key and the cluster's authority, or pass a transport");
  }
  if (problems.length > 0) throw configurationError(problems);
  const raft = { ...raftCoreDefaults, ...raftPart(options) };
  const address = options.members.find(({ id }) => id === options.id)?.address ?? "";
  return {
    id: options.id,
    cluster: options.cluster,
    directory: options.directory,
    members: [...options.members].sort((a, b) => a.id - b.id),
    join: options.join ?? false,
    address,
    listenAddress: options.listenAddress ?? address,
    credentials: options.credentials ?? null,
    transport: options.transport ?? "quic",
    requestTimeoutMs: resolveRaftNodeOptions(options).requestTimeoutMs,
    logSegmentBytes: options.logSegmentBytes ?? walrusDefaults.segmentBytes,
    shippingLane: resolveShippingLaneOptions(options.shippingLane),
    reconnectMinMs: options.reconnectMinMs ?? 100,
    reconnectMaxMs: options.reconnectMaxMs ?? 2_000,
    entryBytesMax: raft.entryBytesMax,
    appendBytesMax: raft.appendBytesMax,
    inflightBytesMax: raft.inflightBytesMax,
    raft: raftPart(options),
  };
}

/** One error for any number of problems. */
export function configurationError(problems: readonly string[], cause?: unknown): CoreError {
  const message = `The node cannot start like this: ${problems.join("; ")}.`;
  return new CoreError("OCTOPII_CORE_CONFIGURATION_INVALID", message, { cause, details: { problems } });
}

/** Whether `address` is a host and a port. @param minPort - 0 where "any free port" makes sense. */
export function isAddress(address: unknown, minPort: 0 | 1): boolean {
  if (typeof address !== "string") return false;
  const port = addressPattern.exec(address)?.[1];
  return port !== undefined && Number(port) >= minPort && Number(port) <= 65_535;
}

function identityProblems(options: NodeOptions): string[] {
  const problems: string[] = [];
  if (!isId(options.id)) problems.push(`id must be a whole number above 0, not ${show(options.id)}`);
  if (typeof options.cluster !== "string" || !clusterPattern.test(options.cluster)) {
    problems.push(`cluster must be 1 to 63 of a-z, 0-9 and -, not ${show(options.cluster)}`);
  }
  if (options.join !== undefined && typeof options.join !== "boolean")
    problems.push(`join must be true or false, not ${show(options.join)}`);
  if (typeof options.directory !== "string" || options.directory === "") problems.push("directory must be a path");
  if (options.transport !== undefined && !["quic", "tcp"].includes(options.transport)) {
    problems.push(`transport must be "quic" or "tcp", not ${show(options.transport)}`);
  }
  if (options.listenAddress !== undefined && !isAddress(options.listenAddress, 0)) {
    problems.push(`listenAddress must be host:port, not ${show(options.listenAddress)}`);
  }
  return problems;
}

function memberProblems(options: NodeOptions): string[] {
  if (!Array.isArray(options.members) || options.members.length === 0) return ["members must list at least this node"];
  const problems: string[] = [];
  const members = options.members.map((member: Partial<Member> | null | undefined) => member ?? {});
  members.forEach((member, i) => {
    if (!isId(member.id)) problems.push(`members[${i}].id must be a whole number above 0, not ${show(member.id)}`);
    if (!isAddress(member.address, 1)) problems.push(`members[${i}].address must be host:port, not ${show(member.address)}`);
    if (members.findIndex(({ id }) => id === member.id) !== i) problems.push(`member ${show(member.id)} is listed twice`);
    if (members.findIndex(({ address }) => address === member.address) !== i)
      problems.push(`address ${show(member.address)} is listed twice`);
  });
  if (isId(options.id) && !members.some(({ id }) => id === options.id)) problems.push(`members must include this node, ${options.id}`);
  return problems;
}

function timingProblems(options: NodeOptions): string[] {
  const problems: string[] = [];
  for (const resolve of [resolveRaftCoreOptions, resolveRaftNodeOptions]) {
    try {
      resolve(raftPart(options));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(
        ...error.message
          .replace(/^[^:]*: /, "")
          .replace(/\.$/, "")
          .split("; "),
      );
    }
  }
  problems.push(...logProblems(options), ...laneProblems(options));
  const { reconnectMinMs = 100, reconnectMaxMs = 2_000 } = options;
  if (!(reconnectMinMs > 0) || !(reconnectMaxMs >= reconnectMinMs)) {
    problems.push(`reconnectMinMs (${reconnectMinMs}) must be above 0 and at most reconnectMaxMs (${reconnectMaxMs})`);
  }
  return problems;
}

function logProblems(options: NodeOptions): string[] {
  try {
    resolveWalrusOptions({ directory: "log", segmentBytes: options.logSegmentBytes });
    return [];
  } catch (error) {
    if (!isWalrusError(error)) throw error;
    return [`logSegmentBytes: ${error.message.replace(/^[^:]*: /, "").replace(/\.$/, "")}`];
  }
}

function laneProblems({ shippingLane }: NodeOptions): string[] {
  try {
    resolveShippingLaneOptions(shippingLane);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [`shippingLane: ${error.message.replace(/^[^:]*: /, "").replace(/\.$/, "")}`];
  }
}

const raftNames = [...Object.keys(raftCoreDefaults), ...Object.keys(raftNodeDefaults)];

function raftPart(options: NodeOptions): RaftNodeOptions {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => raftNames.includes(name) && value !== undefined));
}

const isId = (id: unknown): id is NodeId => Number.isSafeInteger(id) && (id as number) > 0;
const show = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value));
