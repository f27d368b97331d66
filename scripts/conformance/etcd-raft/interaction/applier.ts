import { ApplyWindow } from "./apply-window.js";
import type { CoreDriver } from "./core-driver.js";
import { type Parcel, storageApply } from "./parcel.js";
import type { Entry, Index } from "./raft.js";
import type { StateMachine } from "./state-machine.js";

/** Carries what is committed to the state machine, in the portions and at the moments at which etcd's interface does. */
export class Applier {
  readonly #driver: CoreDriver;
  readonly #machine: StateMachine;
  readonly #isAsync: boolean;
  readonly #window: ApplyWindow;

  constructor(driver: CoreDriver, machine: StateMachine, isAsync: boolean, bytesMax: number) {
    this.#driver = driver;
    this.#machine = machine;
    this.#isAsync = isAsync;
    this.#window = new ApplyWindow(bytesMax);
  }

  /** What may be given to the state machine now. */
  get applicable(): Entry[] {
    const { log, applyingIndex } = this.#driver.view;
    if (this.#window.isPaused || log.snapshot !== null) return [];
    const to = this.#applicableIndex;
    const entries = to > applyingIndex ? log.slice(applyingIndex + 1, to) : [];
    return entries.slice(0, this.#window.count(entries));
  }

  /** With synchronous storage what is committed is stored before it is applied, in the same go. */
  get #applicableIndex(): Index {
    const { commitIndex, log } = this.#driver.view;
    return this.#isAsync ? Math.min(commitIndex, log.offset - 1) : commitIndex;
  }

  /** `entries` are on their way. @returns the work for the apply thread, if any. */
  begin(entries: readonly Entry[]): Parcel[] {
    const last = entries[entries.length - 1];
    if (last === undefined) return [];
    const bytes = this.#window.taken(entries, this.#applicableIndex);
    this.#driver.view.applyingIndex = last.index;
    return [storageApply(this.#driver.view.id, entries, last.index, bytes)];
  }

  /** Changes of the membership take effect in between, at once. @param sequence - the write that holds the entries, if the core waits for it. */
  apply(entries: readonly Entry[], sequence: number): void {
    for (const entry of entries) {
      if (entry.kind === "configuration" || entry.kind === "founding") this.#takeEffect(entry.index, sequence);
      this.#machine.apply(entry, this.#driver.view.configuration);
    }
  }

  #takeEffect(index: Index, sequence: number): void {
    if (this.#driver.status.durableIndex < index) this.#driver.reportDurable(sequence);
    this.#driver.applyThrough(index - 1);
    this.#offerSnapshot();
    this.#driver.applyThrough(index);
  }

  /** The apply thread answers. @param bytes - what it had been given. */
  confirm(index: Index, bytes: number): void {
    const { view } = this.#driver;
    this.#window.applied(bytes);
    view.appliedIndex = Math.max(index, view.appliedIndex);
    this.#driver.applyThrough(index);
    this.#offerSnapshot();
  }

  /** The state machine holds a snapshot from elsewhere. */
  restored(index: Index): void {
    const { view } = this.#driver;
    view.appliedIndex = index;
    view.applyingIndex = index;
    this.#driver.restored(index);
  }

  /** Any state may be sent to followers, as soon as the core knows that it is applied. */
  #offerSnapshot(): void {
    const snapshot = this.#machine.at(this.#driver.status.appliedIndex);
    if (snapshot !== undefined) this.#driver.step({ snapshot });
  }
}
