import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DevCluster, openDevCluster, repeatUntilDone } from "../../packages/cli/dist/index.js";
import { type Client, type KeyValueClient, keyValueClient } from "../../packages/core/dist/index.js";
import { type Comparison, compareNode } from "./comparing.js";
import { grouped, Progress } from "./progress.js";
import { type Repetitions, storeAll } from "./storing.js";
import { type TrackedFile, trackedFiles } from "./tracked-files.js";

/** What the demonstration came to. */
export interface DemoOutcome {
  readonly verdict: string;
  readonly exitCode: number;
  readonly json: object;
}

/** What is known of the leader's death. */
interface Failover {
  readonly killed: number;
  readonly withoutLeaderMs: number;
}

const nodes = 3;
/** Everything together, on a machine that is much slower than any we know. */
const timeLimitMs = 5 * 60_000;
const stepTimeoutMs = 60_000;
const pollMs = 20;

/** Runs it all. It never rejects; nothing is left behind, whether it succeeds, fails, or is interrupted. */
export async function runDemo(root: string): Promise<DemoOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "octopii-demo-"));
  const guard = new Guard(directory);
  const progress = new Progress(process.stderr);
  let cluster: DevCluster | null = null;
  try {
    const files = trackedFiles(root);
    cluster = await openDevCluster({ directory, nodes, basePort: "auto", cluster: "demo", signal: guard.signal });
    guard.cluster = cluster;
    return await new Demo(files, cluster, progress, guard.signal).run();
  } catch (error) {
    const reason = guard.signal.aborted ? guard.signal.reason : error;
    const why = reason instanceof Error ? reason.message : String(reason);
    return { verdict: `failed: ${why}`, exitCode: guard.exitCode, json: { failed: why } };
  } finally {
    progress.end();
    await cluster?.close();
    guard.release();
  }
}

class Demo {
  readonly #files: readonly TrackedFile[];
  readonly #cluster: DevCluster;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  readonly #bytes: number;

  constructor(files: readonly TrackedFile[], cluster: DevCluster, progress: Progress, signal: AbortSignal) {
    this.#files = files;
    this.#cluster = cluster;
    this.#progress = progress;
    this.#signal = signal;
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  async run(): Promise<DemoOutcome> {
    const began = performance.now();
    await this.#settle();
    const { failover, repetitions } = await this.#storeThroughFailover();
    const catchUpMs = await this.#restart(failover.killed);
    const comparison = await this.#compare();
    return this.#judge(failover, comparison, { ...repetitions, catchUpMs, elapsedMs: performance.now() - began });
  }

  async #settle(): Promise<void> {
    const pids = this.#cluster.report().map(({ id, pid }) => `node ${id} is process ${pid}`);
    this.#progress.line(`${pids.join(", ")}; their data lie in ${this.#cluster.directory}`);
    const leader = await this.#cluster.waitForLeader({ timeoutMs: stepTimeoutMs, signal: this.#signal });
    this.#progress.line(`node ${leader} leads in term ${this.#termOf(leader)}`);
  }

  async #storeThroughFailover(): Promise<{ failover: Failover; repetitions: Repetitions }> {
    const count = this.#files.length;
    this.#progress.line(`storing ${grouped(count)} files, ${grouped(this.#bytes)} bytes, several at a time`);
    const kill = new Kill(this.#cluster, this.#progress, this.#signal);
    let stored = 0;
    const onStored = (begunAt: number): void => {
      stored += 1;
      this.#progress.bar("storing", stored, count);
      kill.written(begunAt);
      if (stored >= count / 2) kill.begin(stored);
    };
    const repetitions: Repetitions = { repeated: 0, unknown: 0 };
    await storeAll(this.#files, this.#cluster.client, onStored, repetitions, this.#signal);
    const { repeated, unknown } = repetitions;
    const doubts = unknown === 0 ? "" : ` (${grouped(unknown)} of them after an unknown outcome)`;
    this.#progress.line(`all ${grouped(count)} files are acknowledged; ${grouped(repeated)} attempts had to be repeated${doubts}`);
    // With very few files, all of them may have been on their way before the leader was gone.
    const again = this.#files.slice(0, 1);
    while (!kill.isOver) await storeAll(again, this.#cluster.client, (at) => kill.written(at), repetitions, this.#signal);
    return { failover: await kill.over, repetitions };
  }

  async #restart(id: number): Promise<number> {
    this.#progress.line(`node ${id} is started again`);
    const began = performance.now();
    await this.#cluster.start(id);
    // A linearizable read: from here on, the leader's commit index covers every write that was acknowledged.
    const kv = keyValueClient(this.#cluster.client);
    const read = (timeoutMs: number) => kv.get(this.#files[0]?.path ?? "", { timeoutMs, signal: this.#signal });
    await repeatUntilDone(read, { timeoutMs: stepTimeoutMs, attemptTimeoutMs: 1_000, effect: "none", signal: this.#signal });
    const deadline = began + stepTimeoutMs;
    while (!(await this.#isCaughtUp())) {
      if (performance.now() > deadline) throw new Error(`the nodes did not catch up with their leader within ${stepTimeoutMs} ms`);
      await new Promise((next) => setTimeout(next, pollMs));
    }
    const elapsedMs = performance.now() - began;
    this.#progress.line(`all nodes have applied what the leader has committed, ${grouped(elapsedMs)} ms later`);
    return elapsedMs;
  }

  /** Asks the nodes anew: an index from before the read would prove nothing. */
  async #isCaughtUp(): Promise<boolean> {
    this.#signal.throwIfAborted();
    const { members, client } = this.#cluster;
    const statuses = await Promise.all(members.map(({ address }) => client.status(address, { timeoutMs: 2_000 }).catch(() => null)));
    const leader = statuses.find((status) => status?.role === "leader");
    if (leader === undefined || leader === null) return false;
    return statuses.every((status) => status !== null && status.appliedIndex >= leader.commitIndex);
  }

  async #compare(): Promise<Comparison> {
    this.#progress.line("every file is read back from each node, and compared byte for byte");
    const { members, client } = this.#cluster;
    const results: Comparison[] = [];
    for (const member of members) {
      results.push(await compareNode(this.#files, storeAt(client, member.address), member.id, this.#signal));
      this.#progress.bar("comparing", results.length, members.length);
    }
    return {
      compared: results.reduce((sum, { compared }) => sum + compared, 0),
      differences: results.flatMap(({ differences }) => differences),
    };
  }

  #judge(failover: Failover, { compared, differences }: Comparison, more: Readonly<Record<string, number>>): DemoOutcome {
    for (const difference of differences.slice(0, 20)) this.#progress.line(difference);
    const files = this.#files.length;
    const withoutLeaderMs = Math.round(failover.withoutLeaderMs);
    const counts = `stored ${grouped(files)} files, ${grouped(this.#bytes)} bytes`;
    const verdict = `${counts}; ${grouped(withoutLeaderMs)} ms without a leader; ${grouped(compared)} compared on ${nodes} nodes; ${differences.length} lost`;
    const rounded = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, Math.round(value)]));
    const json = { files, bytes: this.#bytes, nodes, withoutLeaderMs, compared, lost: differences.length, differences, ...rounded };
    return { verdict, exitCode: differences.length === 0 ? 0 : 1, json };
  }

  #termOf(id: number): number {
    return this.#cluster.report().find((report) => report.id === id)?.status?.term ?? 0;
  }
}

/** The store of one node alone, for reading. */
function storeAt(client: Client, address: string): KeyValueClient {
  return keyValueClient({
    propose: () => Promise.reject(new Error("Comparing changes nothing.")),
    query: (request, options) => client.queryAt(address, request, options),
  });
}

/** The death of the leader, and what came after it. */
class Kill {
  readonly over: Promise<Failover>;
  readonly #cluster: DevCluster;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  #resolve: (failover: Failover) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #killed = 0;
  #killedAt = 0;
  #goneAt = Number.POSITIVE_INFINITY;
  isOver = false;

  constructor(cluster: DevCluster, progress: Progress, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#progress = progress;
    this.#signal = signal;
    this.over = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.over.catch(() => undefined);
    signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
  }

  /** Kills the leader, once. */
  begin(stored: number): void {
    if (this.#killed !== 0 || this.isOver) return;
    const leader = this.#cluster.leader();
    if (leader === null) return this.#fail(new Error("the leader was lost before it was killed; this machine is too busy"));
    const pid = this.#cluster.report().find(({ id }) => id === leader)?.pid;
    this.#progress.line(`${grouped(stored)} are acknowledged; node ${leader}, the leader, is killed by SIGKILL (process ${pid})`);
    this.#killed = leader;
    this.#killedAt = performance.now();
    this.#end(leader).catch((error: unknown) => this.#fail(error));
  }

  async #end(leader: number): Promise<void> {
    await this.#cluster.kill(leader);
    this.#goneAt = performance.now();
    const next = await this.#cluster.waitForLeader({ timeoutMs: stepTimeoutMs, signal: this.#signal });
    this.#progress.line(`node ${next} leads, seen ${grouped(performance.now() - this.#killedAt)} ms after the kill`);
  }

  /** A write was acknowledged. It counts if it began when the old leader's process was gone for certain. */
  written(begunAt: number): void {
    if (this.isOver || begunAt < this.#goneAt) return;
    const withoutLeaderMs = performance.now() - this.#killedAt;
    this.#progress.line(`the first write after that is acknowledged, ${grouped(withoutLeaderMs)} ms after the kill`);
    this.isOver = true;
    this.#resolve({ killed: this.#killed, withoutLeaderMs });
  }

  #fail(reason: unknown): void {
    this.isOver = true;
    this.#reject(reason);
  }
}

/** Ends the demonstration on a signal or when it takes too long, and sees to it that the directory goes in every case. */
class Guard {
  readonly #controller = new AbortController();
  readonly #directory: string;
  readonly #limit: NodeJS.Timeout;
  cluster: DevCluster | null = null;
  exitCode = 1;

  constructor(directory: string) {
    this.#directory = directory;
    // As many calls listen to it as are in flight.
    setMaxListeners(0, this.#controller.signal);
    this.#limit = setTimeout(() => this.#controller.abort(new Error(`it took longer than ${timeLimitMs} ms`)), timeLimitMs);
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
    process.on("exit", this.#removeDirectory);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    clearTimeout(this.#limit);
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
    this.#removeDirectory();
  }

  readonly #onInterrupt = (): void => this.#stop("SIGINT", 130);
  readonly #onTerminate = (): void => this.#stop("SIGTERM", 143);
  readonly #removeDirectory = (): void => rmSync(this.#directory, { recursive: true, force: true });

  #stop(signal: string, exitCode: number): void {
    this.exitCode = exitCode;
    this.#controller.abort(new Error(`it was interrupted by ${signal}`));
  }
}
