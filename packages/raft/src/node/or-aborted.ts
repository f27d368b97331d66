/** What `work` comes to, or a rejection with the signal's reason if that is aborted first. Then what becomes of `work` is nobody's business. */
export function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    // Handled in any case: its rejection may come when nobody waits for it any more.
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
    if (signal.aborted) aborted();
    else signal.addEventListener("abort", aborted, { once: true });
  });
}

/** The chunks of `source`. Ends with the signal's reason when that is aborted, even in the midst of a wait. */
export async function* untilAborted(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let isDone = false;
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      isDone = next.done === true;
      if (isDone) return;
      yield next.value as Uint8Array;
    }
  } finally {
    // Not awaited: a source that hangs in `next` would hang here as well.
    if (!isDone) iterator.return?.().catch(() => undefined);
  }
}
