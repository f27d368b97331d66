/**
 * Runs `callback` in a fresh turn of the real event loop, with every promise job done before and after it. The one place where a
 * simulated world touches real time.
 */
export function inMacrotask(callback: () => void): void {
  setImmediate(callback);
}
