import { isClusterName, isName, isNodeId } from "./names.js";

/** What {@link createAuthority} makes. */
export interface AuthorityOptions {
  /** The cluster's name: 1 to 63 of `a-z`, `0-9` and `-`, with a letter or digit at both ends. */
  readonly cluster: string;
  /** How long the authority can sign, in days from now. Default {@link certificateDefaults}. */
  readonly validityDays?: number;
}

/** What {@link issueNodeCertificate} makes. */
export interface NodeCertificateOptions {
  /** Must be the authority's cluster. */
  readonly cluster: string;
  /** The node's id: a safe integer above 0. */
  readonly nodeId: number;
  /** The node's name for logs and errors: 1 to 63 letters, digits, `.`, `_` and `-`, with a letter or digit at both ends. */
  readonly name: string;
  /** How long it is valid, in days from now, and never longer than its authority. Default {@link certificateDefaults}. */
  readonly validityDays?: number;
}

/** What {@link issueClientCertificate} makes. */
export interface ClientCertificateOptions {
  /** Must be the authority's cluster. */
  readonly cluster: string;
  /** The client's name, unique in the cluster; the same characters as a node's. */
  readonly name: string;
  /** How long it is valid, in days from now, and never longer than its authority. Default {@link certificateDefaults}. */
  readonly validityDays?: number;
}

/** The default values of the options. */
export const certificateDefaults: {
  readonly authorityValidityDays: number;
  readonly nodeValidityDays: number;
  readonly clientValidityDays: number;
  readonly warnBeforeDays: number;
} = {
  /** Ten years: to replace an authority, every node must first be taught to trust the new one. */
  authorityValidityDays: 3_650,
  /** One year: rotation is one command, and a lost key stops being useful within it. */
  nodeValidityDays: 365,
  clientValidityDays: 365,
  /** A month: long enough for a weekly look to catch it. */
  warnBeforeDays: 30,
};

const longestValidityDays = 36_500;

interface Checked {
  readonly cluster: string;
  readonly name?: string;
  readonly nodeId?: number;
  readonly validityDays: number;
}

/** @throws RangeError that lists every problem at once. */
export function checkOptions(what: string, options: Checked): void {
  const problems: string[] = [];
  const nameRule = "must be 1 to 63 letters, digits, '.', '_' or '-', with a letter or digit at both ends";
  if (!isClusterName(options.cluster)) problems.push("cluster must be 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends");
  if ("name" in options && !isName(options.name)) problems.push(`name ${nameRule}`);
  if ("nodeId" in options && !isNodeId(options.nodeId)) problems.push(`nodeId must be a whole number above 0, not ${options.nodeId}`);
  const days = options.validityDays;
  if (!(Number.isFinite(days) && days > 0 && days <= longestValidityDays)) {
    problems.push(`validityDays must be above 0 and at most ${longestValidityDays}, not ${days}`);
  }
  if (problems.length > 0) throw new RangeError(`${what}: ${problems.join("; ")}.`);
}
