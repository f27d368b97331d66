import assert from "node:assert/strict";
import type { Stream } from "@octopii/interfaces";
import type { CaseTable } from "./case-table.js";
import type { Lab } from "./lab.js";
import type { StreamProbe } from "./stream-probe.js";

/** Notices callbacks that come from inside an owner's call or from inside another callback. */
class Reentrancy {
  readonly offences: string[] = [];
  #calls: string[] = [];
  #callbacks: string[] = [];

  /** An owner's call. */
  call<T>(name: string, run: () => T): T {
    this.#calls.push(name);
    try {
      return run();
    } finally {
      this.#calls.pop();
    }
  }

  /** The transport's callback. */
  callback<A extends unknown[]>(name: string, run: (...values: A) => void): (...values: A) => void {
    return (...values) => {
      const around = this.#calls.at(-1) ?? this.#callbacks.at(-1);
      if (around !== undefined) this.offences.push(`${name} was called from inside ${around}`);
      const outer = this.#calls;
      this.#calls = [];
      this.#callbacks.push(name);
      try {
        run(...values);
      } finally {
        this.#callbacks.pop();
        this.#calls = outer;
      }
    };
  }
}

/** Puts the guard around everything that can happen on one end of a stream; reads, answers and ends from inside the callbacks. */
function guardStream(guard: Reentrancy, stream: Stream, answers: boolean, onClosed: () => void): void {
  stream.onReadable = guard.callback("onReadable", () => {
    for (let chunk = guard.call("read", () => stream.read()); chunk !== null; chunk = guard.call("read", () => stream.read())) {
      const piece = chunk;
      if (answers) guard.call("write", () => stream.write(piece));
    }
    if (stream.ended && answers) guard.call("end", () => stream.end());
  });
  stream.onDrain = guard.callback("onDrain", () => undefined);
  stream.onClose = guard.callback("onClose", onClosed);
}

/** Resolves `done` when something has happened often enough. */
class Countdown {
  readonly done: Promise<void>;
  #left: number;
  #resolve: () => void = () => undefined;

  constructor(count: number) {
    this.#left = count;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  note(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#resolve();
  }
}

async function neverReentrant(lab: Lab): Promise<void> {
  const guard = new Reentrancy();
  const { client, server } = await lab.pair();
  // Each of the six opened ends closes, and each echo's other end; whether the other streams are ever seen there is the transport's affair.
  const closes = new Countdown(8);
  const echoes = new Countdown(2);
  const onStream = guard.callback("onStream", (stream: Stream) => {
    const isEcho = stream.protocol === "echo";
    guardStream(guard, stream, isEcho, () => closes.note());
    if (isEcho) echoes.note();
  });
  for (const connection of [client, server]) connection.onStream = onStream;
  for (const connection of [client, server]) {
    const echo = guard.call("openStream", () => connection.openStream("echo"));
    guardStream(guard, echo, false, () => closes.note());
    guard.call("write", () => echo.write(new Uint8Array(100_000)));
    guard.call("end", () => echo.end());
    const dropped = guard.call("openStream", () => connection.openStream("dropped"));
    guardStream(guard, dropped, false, () => closes.note());
    guard.call("reset", () => dropped.reset(1));
    guard.call("stop", () => dropped.stop(1));
    const lost = guard.call("openStream", () => connection.openStream("lost"));
    guardStream(guard, lost, false, () => closes.note());
    guard.call("write", () => lost.write(new Uint8Array(10)));
  }
  await lab.within(echoes.done, "both echoes at their other ends");
  await lab.pause();
  guard.call("close", () => client.close(1, "done"));
  await lab.within(closes.done, "the close of every stream");
  await lab.pause();
  assert.deepEqual(guard.offences, []);
}

async function closeFromCallback(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const { opener, acceptor } = await lab.open(pair);
  let depth = 0;
  let nested = 0;
  acceptor.stream.onReadable = () => {
    depth += 1;
    pair.server.close(8, "from a callback");
    depth -= 1;
  };
  const onClose = acceptor.stream.onClose;
  acceptor.stream.onClose = (close) => {
    nested = Math.max(nested, depth);
    onClose?.(close);
  };
  opener.say("close, please");
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the closer"), { error: { by: "connection", code: 8 } });
  assert.deepEqual(await lab.within(opener.closed, "onClose at the peer"), { error: { by: "connection", code: 8 } });
  assert.equal(nested, 0, "onClose was called from inside close");
}

async function closeOnceAndLast(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const endings = ["end", "reset", "connection"] as const;
  const probes: StreamProbe[] = [];
  for (const ending of endings) {
    const { opener, acceptor } = await lab.open(pair);
    probes.push(opener, acceptor);
    opener.say("x");
    if (ending === "end") for (const probe of [opener, acceptor]) probe.stream.end();
    if (ending === "reset") for (const probe of [opener, acceptor]) probe.stream.reset(2);
  }
  await lab.pause();
  pair.client.close(0, "");
  await lab.within(Promise.all(probes.map((probe) => probe.closed)), "onClose of every stream");
  await lab.pause();
  for (const probe of probes) assert.deepEqual([probe.closes, probe.late], [1, 0], "onClose comes once, and last");
}

/** Peers that vanish, attempts that fail: nothing of it may surface as a rejection that nobody could handle. The lab checks. */
async function noStrayRejections(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const pair = await lab.pairAt(listener.address);
  const abandoned = pair.client.openStream("abandoned");
  abandoned.write(new Uint8Array(1_000_000));
  const controller = new AbortController();
  const attempts = [
    lab.fixture.client.connect(lab.fixture.unreachableAddress, { signal: controller.signal }),
    lab.fixture.client.connect(lab.fixture.unreachableAddress, { timeoutMs: 20 }),
  ];
  const outcomes = Promise.allSettled(attempts);
  await lab.pause(5);
  controller.abort(new Error("no longer wanted"));
  await lab.within(lab.fixture.server.close(), "close of the server");
  const settled = await lab.within(outcomes, "both attempts");
  assert.deepEqual(
    settled.map((outcome) => outcome.status),
    ["rejected", "rejected"],
  );
  await lab.within(pair.client.closed, "closed at the client");
}

/** Cases about when callbacks come. */
export const callbackCases: CaseTable = {
  "callbacks never come from inside a call or another callback": neverReentrant,
  "closing from a callback does not call back at once": closeFromCallback,
  "onClose comes once, and nothing after it": closeOnceAndLast,
  "no rejection goes unhandled": noStrayRejections,
};
