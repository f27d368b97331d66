import assert from "node:assert/strict";
import { pattern } from "./bytes.js";
import type { CaseTable } from "./case-table.js";
import type { Lab, Pair } from "./lab.js";
import { StreamProbe } from "./stream-probe.js";

/** Moments after the start of something, in milliseconds: within its first turns, in its middle, near its end. */
const moments = [0, 0.2, 0.5, 1, 2, 3, 5, 8, 13, 21];

async function abortAtAnyTime(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  for (const moment of moments) {
    const controller = new AbortController();
    const dial = lab.fixture.client.connect(listener.address, { signal: controller.signal });
    const outcome = dial.then(
      (connection) => ({ connection, error: null }),
      (error: unknown) => ({ connection: null, error }),
    );
    await lab.pause(moment);
    controller.abort(new Error(`no longer wanted after ${moment} ms`));
    const { connection, error } = await lab.within(outcome, "the end of the dial");
    if (connection === null) assert.equal(error, controller.signal.reason);
    else connection.close(0, "");
  }
  // Whatever the server saw of them goes again.
  const pair = await lab.pairAt(listener.address).catch(() => null);
  assert.ok(pair !== null, "after many dials that were given up, the next one fails");
  for (let left = lab.accepted.size; left > 0; left -= 1) {
    const accepted = await lab.within(lab.accepted.next(), "an accepted connection");
    accepted.close(0, "");
    await lab.within(accepted.closed, "the end of a connection whose dial was given up");
  }
}

/** A little of everything at once, both ways. */
function bustle(pair: Pair): StreamProbe[] {
  const streams: StreamProbe[] = [];
  for (const connection of [pair.client, pair.server]) {
    const bulk = new StreamProbe(connection.openStream("bulk"));
    bulk.send(pattern(300_000)).catch(() => undefined);
    const brief = new StreamProbe(connection.openStream("brief", { unidirectional: true }));
    brief.say("x");
    brief.stream.end();
    const cut = new StreamProbe(connection.openStream("cut"));
    cut.stream.reset(1);
    const stopped = new StreamProbe(connection.openStream("stopped"));
    stopped.stream.stop(2);
    streams.push(bulk, brief, cut, stopped);
  }
  return streams;
}

async function closeAtAnyTime(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  for (const [i, moment] of moments.entries()) {
    const pair = await lab.pairAt(listener.address);
    const streams = bustle(pair);
    await lab.pause(moment);
    const [closer, other] = i % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
    closer.close(9, "now");
    assert.equal((await lab.within(other.closed, "closed at the peer")).code, 9);
    await lab.within(Promise.all(streams.map((probe) => probe.closed)), "the close of every stream");
    await lab.pause(0);
    for (const probe of streams) assert.deepEqual([probe.closes, probe.late], [1, 0], "onClose comes once, and last");
    assert.throws(() => closer.openStream("late"));
  }
}

/** Cases about ends that come at no convenient moment. */
export const anytimeCases: CaseTable = {
  "a dial can be given up at any time": abortAtAnyTime,
  "a connection can close at any time": closeAtAnyTime,
};
