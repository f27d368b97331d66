import { Applier } from "./applier.js";
import { CoreDriver } from "./core-driver.js";
import type { MemoryStorage } from "./memory-storage.js";
import { type AppendRequest, type Parcel, type Party, type Proposal, peerNotFound } from "./parcel.js";
import type { LogLine } from "./printer.js";
import { propose } from "./proposing.js";
import type { Entry, Index, RaftCoreOptions, RaftInput, RaftOutput, RaftStatus } from "./raft.js";
import type { Ready } from "./ready.js";
import { ReplicaView } from "./replica-view.js";
import type { ScriptedRandom } from "./scripted-random.js";
import type { StateMachine } from "./state-machine.js";
import { StateNews } from "./state-news.js";
import { StorageThreads } from "./storage-threads.js";

/** How a node of a scenario is set up. */
export interface NodeSettings {
  readonly id: number;
  readonly isAsync: boolean;
  readonly applyBytesMax: number;
  /** See {@link CoreDriver}. */
  readonly isLikeEtcd: boolean;
  readonly options: RaftCoreOptions;
}

/** What survives a crash, and what a node needs of its surroundings. */
export interface NodeParts {
  readonly storage: MemoryStorage;
  readonly machine: StateMachine;
  readonly random: ScriptedRandom;
  readonly log: (line: LogLine) => void;
}

/** One node of a scenario: a core, its storage and its state machine, driven the way etcd's interface is. */
export class ScenarioNode {
  readonly settings: NodeSettings;
  readonly parts: NodeParts;
  readonly #driver: CoreDriver;
  readonly #applier: Applier;
  readonly #threads: StorageThreads;
  readonly #news: StateNews;

  /** Begins with what storage and state machine hold. */
  constructor(settings: NodeSettings, parts: NodeParts) {
    this.settings = settings;
    this.parts = parts;
    const { id, options, isAsync, applyBytesMax, isLikeEtcd } = settings;
    const { storage, machine, random, log } = parts;
    const { hardState, base, entries, terms, lastIndex } = storage;
    const { configuration } = machine.latest;
    const snapshot = base.index === 0 ? null : machine.latest;
    const view = new ReplicaView({ id, hardState, configuration, base, entries, snapshot });
    // The commit index may not have reached storage when what it covers was compacted.
    const commitIndex = Math.max(hardState.commitIndex, base.index);
    const indexes = { compactedIndex: base.index, lastIndex, commitIndex, appliedIndex: base.index };
    const start = { id, group: 0, hardState, configuration, snapshot, log: { ...indexes, terms } };
    const read = (from: Index, to: Index): Entry[] => storage.read(from, to);
    const driver = new CoreDriver(start, options, random, view, { isLikeEtcd, log, read });
    this.#driver = driver;
    this.#applier = new Applier(driver, machine, isAsync, applyBytesMax);
    this.#threads = new StorageThreads({ driver, applier: this.#applier, storage, machine, log });
    this.#news = new StateNews(this.status, hardState);
  }

  get id(): number {
    return this.settings.id;
  }

  get status(): RaftStatus {
    return this.#driver.status;
  }

  get hasReady(): boolean {
    return this.#news.isNews(this.status) || this.#driver.hasOutput || this.#applier.applicable.length > 0;
  }

  get hasAppendWork(): boolean {
    return this.#threads.hasAppendWork;
  }

  get hasApplyWork(): boolean {
    return this.#threads.hasApplyWork;
  }

  /** What was handed to storage and is not done. */
  get unsynced(): readonly AppendRequest[] {
    return this.#threads.unsynced;
  }

  /** The same node, started again from what its storage holds. The state machine begins with the last snapshot there. */
  restarted(): ScenarioNode {
    this.parts.machine.returnTo(this.parts.storage.base.index);
    return new ScenarioNode(this.settings, this.parts);
  }

  /** One thing that happens to the node. */
  step(input: RaftInput): RaftOutput {
    return this.#driver.step(input);
  }

  tick(): void {
    this.#driver.now++;
    this.step({ ticks: 1 });
  }

  /** Forgets the log up to `index`. */
  compact(index: Index): void {
    this.parts.storage.compact(index);
    this.step({ compactTo: index });
  }

  /** @returns etcd's complaint, or null. */
  propose(proposal: Proposal, from: Party = this.id): string | null {
    return propose(this.#driver, proposal, from);
  }

  /** @returns etcd's complaint, or null. */
  receive(parcel: Parcel): string | null {
    const { payload } = parcel;
    switch (payload.kind) {
      case "message":
        return this.#driver.receive(payload.message) ? null : peerNotFound;
      case "proposal":
        return this.propose(payload.proposal, parcel.from);
      case "durable":
        return this.#threads.onDurable(payload.sequence, parcel, this.settings.isAsync);
      case "stored":
        this.#threads.onStored(payload.sequence, parcel);
        return null;
      case "applied":
        this.#applier.confirm(payload.index, payload.bytes);
        return null;
      case "work":
        throw new Error(`${parcel.type} is not for a node`);
    }
  }

  /** Does what the node wants done; with asynchronous storage only hands it on. @returns the messages that go out. */
  processReady(show: (ready: Ready) => void): readonly Parcel[] {
    const committed = this.#applier.applicable;
    const outbox = this.#driver.take();
    const { free, afterAppend, write, reads } = outbox;
    const news = this.#news.take(this.status, write.hardState, write.entries.length);
    const ready = { ...news, reads, entries: write.entries, snapshot: write.snapshot, committed };
    if (this.settings.isAsync) {
      show({ ...ready, messages: [...free, ...this.#threads.handOn(outbox, news.hardState, committed)] });
      return free;
    }
    const messages = [...free, ...afterAppend.filter(({ to }) => to !== this.id)];
    show({ ...ready, messages });
    this.#threads.carryOut(outbox, committed, (answer) => this.receive(answer));
    return messages;
  }

  /** Lets the append thread do its next work. @param show - is given it first. @returns whether there was any. */
  processAppend(show: (work: Parcel) => void): boolean {
    return this.#threads.processAppend(show);
  }

  /** Lets the apply thread do its next work, like {@link processAppend}. */
  processApply(show: (work: Parcel) => void): boolean {
    return this.#threads.processApply(show);
  }
}
