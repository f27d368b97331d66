/** Work for a worker thread: it keeps a core busy, so it has no business on the thread that serves. */
export function countPrimes({ from, to }: { from: number; to: number }): number {
  let count = 0;
  for (let n = Math.max(2, from); n < to; n++) if (isPrime(n)) count++;
  return count;
}

/** Never ends; only the end of its thread stops it. */
export function spin(): never {
  for (;;) Math.sqrt(2);
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
