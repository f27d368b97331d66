/** Something that an abort ends. */
export interface Abortable {
  /** The signal aborted. Called once, and not after it was forgotten. */
  onAbort(): void;
}

/**
 * Listens to the signals of many calls with one listener per signal: calls that share a signal, as those of one request or of one
 * shutdown do, would otherwise pile listeners up on it.
 */
export class AbortWatch {
  readonly #watched = new Map<AbortSignal, Watched>();

  add(signal: AbortSignal, target: Abortable): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      watched = { targets: new Set(), listener: () => this.#onAbort(signal) };
      this.#watched.set(signal, watched);
      signal.addEventListener("abort", watched.listener, { once: true });
    }
    watched.targets.add(target);
  }

  /** Forgets a target; does nothing if it is not watched. */
  remove(signal: AbortSignal, target: Abortable): void {
    const watched = this.#watched.get(signal);
    if (!watched?.targets.delete(target) || watched.targets.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener("abort", watched.listener);
  }

  #onAbort(signal: AbortSignal): void {
    const targets = this.#watched.get(signal)?.targets ?? [];
    for (const target of [...targets]) target.onAbort();
  }
}

interface Watched {
  readonly targets: Set<Abortable>;
  readonly listener: () => void;
}
