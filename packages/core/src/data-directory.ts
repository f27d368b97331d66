import type { FileSystem, NodeId } from "@octopii/interfaces";
import { CoreError, isCoreError } from "./errors.js";
import { type DirectoryIdentity, foreign, identityFile, ifMissing, readIdentity, writeIdentity } from "./identity-file.js";

/** Who wants a data directory. */
export interface DirectoryUser {
  readonly cluster: string;
  readonly nodeId: NodeId;
  /** Fingerprints of the authorities that its credentials trust, sorted; null if it has no credentials. */
  readonly authorities: readonly string[] | null;
}

/**
 * A node's directory: whose it is, and which log is in it. That the wrong directory is refused, and one that has lost its log, is what
 * keeps a node from forgetting its votes and what it acknowledged.
 */
export class DataDirectory {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #user: DirectoryUser;
  #identity: DirectoryIdentity | null = null;

  constructor(fileSystem: FileSystem, path: string, user: DirectoryUser) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#user = user;
  }

  /** Where the log is kept. */
  get logPath(): string {
    return `${this.#path}/log`;
  }

  /** The id of the log that must be there; null if none was recorded yet. Known after {@link check}. */
  get expectedLogId(): string | null {
    return this.#identity?.log ?? null;
  }

  /**
   * Checks that the directory is this node's, or nobody's yet. Changes nothing.
   * @throws {CoreError} `DIRECTORY_FOREIGN`, naming the owner; `DIRECTORY_UNUSABLE`.
   */
  async check(): Promise<void> {
    this.#identity = await readIdentity(this.#fileSystem, this.#path).catch((error: unknown) => this.#unusable(error));
    if (this.#identity !== null) return this.#checkOwner(this.#identity);
    const names = await this.#fileSystem.readDirectory(this.logPath).catch(ifMissing<string[]>([]));
    if (names.length === 0) return;
    throw foreign(
      `${this.#path} holds a log but no ${identityFile}, so nobody can tell whose it is; restore that file, or choose another directory.`,
    );
  }

  /** Writes this node's name into the directory if it is nobody's, durably. */
  async claim(): Promise<void> {
    if (this.#identity !== null) return;
    await this.#fileSystem.makeDirectory(this.#path).catch((error: unknown) => this.#unusable(error));
    await this.#write({});
  }

  /**
   * Records, durably, which log is in the directory and which authorities the node trusts now. Needs to be done when the log is durable,
   * and before the node takes part: what it promises from then on is lost with this log.
   */
  async record(logId: string): Promise<void> {
    const { authorities = null, log } = this.#identity ?? {};
    const isSame = this.#user.authorities === null || sameItems(this.#user.authorities, authorities ?? []);
    if (log !== logId || !isSame) await this.#write({ log: logId });
  }

  /** The refusal of a log that is not the one recorded. */
  logMissing(cause: unknown): CoreError {
    const { cluster, nodeId } = this.#user;
    const message = `The log of node ${nodeId} of cluster ${cluster} in ${this.logPath} is missing or is another one, and without it the node has forgotten its votes and what it acknowledged; restore the log as it was when the node last ran, or remove the node from the cluster and add it as a new one under another id.`;
    return new CoreError("OCTOPII_CORE_LOG_MISSING", message, { cause });
  }

  /** @throws {CoreError} `DIRECTORY_UNUSABLE` for what the system says. */
  #unusable(error: unknown): never {
    if (isCoreError(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = `The data directory ${this.#path} cannot be used: ${why}; give a directory that this process may make, read and write.`;
    throw new CoreError("OCTOPII_CORE_DIRECTORY_UNUSABLE", message, { cause: error });
  }

  #checkOwner({ cluster, nodeId, authorities }: DirectoryIdentity): void {
    const user = this.#user;
    if (cluster !== user.cluster || nodeId !== user.nodeId) {
      const owner = `node ${nodeId} of cluster ${cluster}`;
      const wanted = `node ${user.nodeId} of cluster ${user.cluster}`;
      throw foreign(`${this.#path} belongs to ${owner}, not to ${wanted}; give each node a directory of its own.`);
    }
    if (authorities === undefined || user.authorities === null || authorities.some((one) => user.authorities?.includes(one))) return;
    throw foreign(
      `${this.#path} belongs to node ${nodeId} of another cluster ${cluster}: it trusted none of the authorities given; give each node a directory of its own, or, if the authority was replaced, start once with both in authorities.`,
    );
  }

  async #write(changes: Pick<DirectoryIdentity, "log">): Promise<void> {
    const { cluster, nodeId } = this.#user;
    const authorities = this.#user.authorities ?? this.#identity?.authorities;
    const identity = { cluster, nodeId, ...(authorities !== undefined && { authorities }), ...changes };
    await writeIdentity(this.#fileSystem, this.#path, identity);
    this.#identity = identity;
  }
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
