import type { Applier } from "./applier.js";
import type { CoreDriver, Outbox } from "./core-driver.js";
import { hexadecimal } from "./describe.js";
import type { MemoryStorage } from "./memory-storage.js";
import { type AppendRequest, type LastEntry, type Parcel, peerNotFound, storageAppend, storageAppendResponse } from "./parcel.js";
import type { LogLine } from "./printer.js";
import type { Entry, HardState, Term } from "./raft.js";
import type { StateMachine } from "./state-machine.js";

/** Work for the append thread. */
interface AppendWork {
  readonly parcel: Parcel;
  readonly write: AppendRequest;
  readonly sequence: number;
}

/** What a node's storage threads work on. */
export interface ThreadParts {
  readonly driver: CoreDriver;
  readonly applier: Applier;
  readonly storage: MemoryStorage;
  readonly machine: StateMachine;
  readonly log: (line: LogLine) => void;
}

/** The two threads of a node, one that writes and one that applies: each takes work in order, and answers when it is done. */
export class StorageThreads {
  readonly #parts: ThreadParts;
  #appendWork: AppendWork[] = [];
  #applyWork: Parcel[] = [];
  /** The node's answers to itself that are on their way. */
  #awaitedAnswers = 0;

  constructor(parts: ThreadParts) {
    this.#parts = parts;
  }

  get hasAppendWork(): boolean {
    return this.#appendWork.length > 0;
  }

  get hasApplyWork(): boolean {
    return this.#applyWork.length > 0;
  }

  /** What was handed to the append thread and is not done. */
  get unsynced(): readonly AppendRequest[] {
    return this.#appendWork.map(({ write }) => write);
  }

  /** Gives them what the node wants done. @returns the work, as it is shown. */
  handOn(outbox: Outbox, hardState: HardState | null, committed: readonly Entry[]): Parcel[] {
    const { afterAppend, write, sequence } = outbox;
    const { driver, applier } = this.#parts;
    const works: Parcel[] = [];
    if (hardState !== null || write.entries.length > 0 || write.snapshot !== null || afterAppend.length > 0) {
      const parcel = storageAppend(driver.view.id, { ...write, hardState }, [...afterAppend, ...this.#storedAnswer(outbox)]);
      this.#appendWork.push({ parcel, write, sequence });
      works.push(parcel);
    }
    driver.view.log.handOver();
    const applies = applier.begin(committed);
    this.#applyWork.push(...applies);
    return [...works, ...applies];
  }

  /** Does without them: writes and applies at once, and gives the node all the answers. */
  carryOut(outbox: Outbox, committed: readonly Entry[], receive: (answer: Parcel) => void): void {
    const { afterAppend, write, sequence } = outbox;
    const { driver, applier } = this.#parts;
    const answers = [...afterAppend.filter(({ to }) => to === driver.view.id), ...this.#storedAnswer(outbox)];
    driver.view.log.handOver();
    const applies = applier.begin(committed);
    this.#store(write);
    applier.apply(committed, sequence);
    this.#awaitedAnswers += answers.length;
    for (const answer of answers) receive(answer);
    driver.reportDurable(sequence);
    for (const { responses } of applies) for (const response of responses) receive(response);
  }

  /** The append thread's answer, if the snapshot, or something unstable, asks for one. */
  #storedAnswer({ write, sequence }: Outbox): Parcel[] {
    const { id, log, term } = this.#parts.driver.view;
    if (log.unstableCount === 0 && write.snapshot === null) return [];
    const last: LastEntry = log.unstableCount > 0 ? log.last : { index: 0, term: 0 };
    return [storageAppendResponse(id, term, last, write.snapshot, sequence)];
  }

  /** Does the next write. @param show - is given the work first. @returns whether there was any; the answers are still in it. */
  processAppend(show: (work: Parcel) => void): boolean {
    const work = this.#appendWork.shift();
    if (work === undefined) return false;
    const { driver } = this.#parts;
    show(work.parcel);
    this.#store(work.write);
    this.#awaitedAnswers += work.parcel.responses.filter(({ to }) => to === driver.view.id).length;
    // Nobody tells the core of a write without an answer to itself; once no other answer is awaited, it may know.
    if (this.#awaitedAnswers === 0) driver.reportDurable(work.sequence);
    return true;
  }

  /** Applies the next entries, like {@link processAppend}. */
  processApply(show: (work: Parcel) => void): boolean {
    const work = this.#applyWork.shift();
    if (work === undefined) return false;
    show(work);
    this.#parts.applier.apply(work.entries, 0);
    return true;
  }

  #store(write: AppendRequest): void {
    this.#parts.storage.write(write);
    if (write.snapshot !== null) this.#parts.machine.restore(write.snapshot);
  }

  /** The node hears its own answer. @param isAsync - by a message, as from anybody. @returns etcd's complaint, or null. */
  onDurable(sequence: number, { type, term }: Parcel, isAsync: boolean): string | null {
    this.#awaitedAnswers--;
    const { driver, log } = this.#parts;
    const id = hexadecimal(driver.view.id);
    // Votes are the core's own, and it says so itself.
    const isAppend = type === "MsgAppResp";
    const isStale = isAppend && this.#tellIfStale(term, `ignored a ${type} message with lower term from ${id}`);
    const { role, progress } = driver.status;
    // etcd's leader counts itself by a message, which comes from nobody when it was removed.
    const isGone = isAppend && !isStale && role === "leader" && !progress.some((member) => member.id === driver.view.id);
    driver.reportDurable(sequence);
    if (isGone && isAsync) return peerNotFound;
    if (isGone) log({ level: "DEBUG", text: `${id} no progress available for ${id}` });
    return null;
  }

  /** The append thread answers. */
  onStored(sequence: number, { term, index, logTerm, snapshot }: Parcel): void {
    this.#awaitedAnswers--;
    const { driver, applier } = this.#parts;
    const { log } = driver.view;
    driver.reportDurable(sequence);
    const isStale = index !== 0 && this.#tellIfStale(term, "ignored entry appends from a MsgStorageAppendResp message with lower term");
    const complaint = index === 0 || isStale ? null : log.confirm({ index, term: logTerm });
    if (complaint !== null) this.#parts.log({ level: "INFO", text: complaint });
    if (snapshot === null) return;
    log.confirmSnapshot(snapshot.index);
    applier.restored(snapshot.index);
  }

  /** Says so if an answer is of an earlier term. */
  #tellIfStale(term: Term, text: string): boolean {
    const { id, term: own } = this.#parts.driver.view;
    if (term >= own) return false;
    this.#parts.log({ level: "INFO", text: `${hexadecimal(id)} [term: ${own}] ${text} [term: ${term}]` });
    return true;
  }
}
