/** One connection between two ends in this process, and three things to do with it. */
export interface Wire {
  /** Sends so many bytes one way in pieces of 64 KiB; resolves when the last one was read. */
  bulk(bytes: number): Promise<void>;
  /** Sends 64 bytes there and back on one stream, one at a time; gives the time that each took, in milliseconds. */
  echo(count: number): Promise<number[]>;
  /** Makes calls of 64 bytes there and 64 back, on a stream of its own each where the wire has streams, so many at a time. */
  calls(count: number, inFlight: number): Promise<void>;
  close(): Promise<void>;
}

export const pieceBytes: number = 64 * 1024;
export const messageBytes = 64;

/** Runs `count` calls, `inFlight` at a time; `call` starts one and tells when it is over. */
export function inParallel(count: number, inFlight: number, call: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let started = 0;
    let ended = 0;
    const next = (): void => {
      if (started >= count) return;
      started += 1;
      call(() => {
        ended += 1;
        if (ended === count) resolve();
        else next();
      });
    };
    for (let i = 0; i < inFlight; i += 1) next();
  });
}

/** Times `count` round trips, one after the other. @param send - starts one; its answer is told by calling what `begin` gave. */
export function oneByOne(count: number, begin: (answered: () => void) => () => void): Promise<number[]> {
  return new Promise((resolve) => {
    const times: number[] = [];
    let startedAt = 0;
    const send = begin(() => {
      times.push(performance.now() - startedAt);
      if (times.length === count) return resolve(times);
      startedAt = performance.now();
      send();
    });
    startedAt = performance.now();
    send();
  });
}
