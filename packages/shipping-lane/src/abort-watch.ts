interface Watched {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/**
 * Listens to signals with one listener for each, however many transfers share it: they would otherwise pile up on the signal of a shutdown,
 * and Node.js would take that for a leak.
 */
export class AbortWatch {
  readonly #watched = new Map<AbortSignal, Watched>();

  /** Calls back once when the signal aborts. @returns what ends the watch. */
  watch(signal: AbortSignal | undefined, callback: () => void): () => void {
    if (signal === undefined) return () => undefined;
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      const callbacks = new Set<() => void>();
      const listener = (): void => {
        for (const one of [...callbacks]) one();
      };
      watched = { callbacks, listener };
      this.#watched.set(signal, watched);
      signal.addEventListener("abort", listener, { once: true });
    }
    const { callbacks, listener } = watched;
    callbacks.add(callback);
    return () => {
      callbacks.delete(callback);
      if (callbacks.size > 0 || this.#watched.get(signal)?.callbacks !== callbacks) return;
      this.#watched.delete(signal);
      signal.removeEventListener("abort", listener);
    };
  }
}
