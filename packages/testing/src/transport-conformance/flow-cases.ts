import assert from "node:assert/strict";
import { assertSameBytes, pattern } from "./bytes.js";
import type { CaseTable } from "./case-table.js";
import type { Lab, Pair, StreamPair } from "./lab.js";
import { StreamProbe } from "./stream-probe.js";

const PIECE = 64 * 1024;

/** Writes until told to wait. @returns what was taken. */
function fill(lab: Lab, probe: StreamProbe): number {
  const piece = new Uint8Array(PIECE).fill(1);
  for (let taken = PIECE; ; taken += PIECE) {
    assert.ok(taken <= lab.config.maxBufferedBytes, `write never gave false in ${taken} bytes although nobody reads`);
    if (!probe.stream.write(piece)) return taken;
  }
}

/** Fills until the writer is no longer woken: buffers and windows are full. */
async function saturate(lab: Lab, probe: StreamProbe): Promise<number> {
  let total = 0;
  for (;;) {
    total += fill(lab, probe);
    assert.ok(total <= lab.config.maxBufferedBytes, `${total} bytes were taken although nobody reads`);
    const drains = probe.drains;
    await lab.pause();
    if (probe.drains === drains) return total;
  }
}

async function backPressure(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { acceptorReads: false });
  const total = await saturate(lab, opener);
  assert.equal(acceptor.receivedBytes, 0);
  acceptor.startReading();
  opener.stream.end();
  await lab.within(acceptor.finished, "everything that was taken");
  assert.equal(acceptor.receivedBytes, total, "bytes that were taken must arrive, also those of the write that gave false");
}

async function backPressureBackwards(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const opener = new StreamProbe(pair.client.openStream("conformance/1"), false);
  const acceptor = await lab.within(pair.serverStreams.next(), "onStream");
  const total = await saturate(lab, acceptor);
  opener.startReading();
  acceptor.stream.end();
  await lab.within(opener.finished, "everything that was taken");
  assert.equal(opener.receivedBytes, total);
}

async function drainOncePerFalse(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { acceptorReads: false });
  const before = opener.drains;
  assert.equal(before, 0, "nobody was told to wait yet");
  await saturate(lab, opener);
  const drained = opener.drains;
  acceptor.startReading();
  opener.stream.end();
  await lab.within(acceptor.finished, "everything that was taken");
  await lab.pause();
  assert.ok(opener.drains - drained <= 1, `${opener.drains - drained} calls of onDrain for one false`);
}

async function overrun(lab: Lab): Promise<void> {
  const { opener } = await lab.open(await lab.pair(), { acceptorReads: false });
  const piece = new Uint8Array(PIECE);
  assert.throws(() => {
    for (let written = 0; written <= lab.config.maxOverrunBytes; written += PIECE) opener.stream.write(piece);
  }, `write took more than ${lab.config.maxOverrunBytes} bytes from a writer who ignored false`);
}

async function bothWaysAtOnce(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  const there = pattern(lab.config.largeBytes / 2, 1);
  const back = pattern(lab.config.largeBytes / 2, 2);
  await lab.within(Promise.all([opener.send(there), acceptor.send(back)]), "both transfers");
  opener.stream.end();
  acceptor.stream.end();
  await lab.within(Promise.all([opener.finished, acceptor.finished]), "both ends");
  assertSameBytes(acceptor.bytes(), there, "there");
  assertSameBytes(opener.bytes(), back, "back");
}

async function oneLargeWrite(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  const bytes = pattern(lab.config.largeBytes);
  opener.stream.write(bytes.slice());
  opener.stream.end();
  await lab.within(acceptor.finished, "the end");
  assertSameBytes(acceptor.bytes(), bytes, "received");
}

async function tinyWrites(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  const bytes = pattern(5_000);
  await lab.within(opener.send(bytes, 1), "room to write");
  opener.stream.end();
  await lab.within(acceptor.finished, "the end");
  assertSameBytes(acceptor.bytes(), bytes, "received");
}

async function independentStreams(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const stuck = await lab.open(pair, { acceptorReads: false });
  await saturate(lab, stuck.opener);
  const free = await lab.open(pair);
  free.opener.say("overtakes");
  free.opener.stream.end();
  await lab.within(free.acceptor.finished, "a stream beside one that nobody reads");
  assert.equal(free.acceptor.text(), "overtakes");
}

/** Answers each stream with what it says. */
function echo(pair: Pair): void {
  pair.server.onStream = (stream) => {
    stream.onReadable = () => {
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) stream.write(chunk);
      if (stream.ended) stream.end();
    };
  };
}

async function manyStreams(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  echo(pair);
  const probes = Array.from({ length: lab.config.streamCount }, (_, index) => {
    const probe = new StreamProbe(pair.client.openStream(`echo/${index}`));
    probe.say(`stream ${index}`);
    return probe;
  });
  for (const probe of probes) probe.stream.end();
  await lab.within(Promise.all(probes.map((probe) => probe.closed)), "all streams");
  for (const [index, probe] of probes.entries()) assert.equal(probe.text(), `stream ${index}`);
  await lab.pause();
  assert.equal(pair.client.stats().openStreams, 0);
}

async function streamAfterStream(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  echo(pair);
  for (let index = 0; index < 300; index += 1) {
    const probe = new StreamProbe(pair.client.openStream("echo"));
    probe.say(`turn ${index}`);
    probe.stream.end();
    await lab.within(probe.closed, `stream ${index}`);
    assert.equal(probe.text(), `turn ${index}`);
  }
}

async function closeDuringTransfer(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const streams: StreamPair[] = [await lab.open(pair), await lab.open(pair)];
  const bytes = pattern(lab.config.largeBytes);
  const transfers = streams.map(({ opener }) => opener.send(bytes).catch(() => undefined));
  await lab.pause(2);
  pair.server.close(13, "in the middle");
  for (const { opener, acceptor } of streams) {
    assert.deepEqual(await lab.within(acceptor.closed, "onClose at the closer"), { error: { by: "connection", code: 13 } });
    assert.deepEqual(await lab.within(opener.closed, "onClose at the peer"), { error: { by: "connection", code: 13 } });
  }
  assert.equal((await lab.within(pair.client.closed, "closed at the peer")).reason, "in the middle");
  await lab.within(Promise.all(transfers), "the end of all transfers");
}

/** Cases about amounts: windows, buffers, many streams, large and tiny writes. */
export const flowCases: CaseTable = {
  "a writer waits for its reader": backPressure,
  "an answering writer waits for its reader too": backPressureBackwards,
  "onDrain comes once for each false": drainOncePerFalse,
  "a writer that never waits is stopped by an error": overrun,
  "large transfers both ways at once": bothWaysAtOnce,
  "one large write": oneLargeWrite,
  "many writes of one byte": tinyWrites,
  "a stream that nobody reads does not hold others up": independentStreams,
  "very many streams at once": manyStreams,
  "stream after stream": streamAfterStream,
  "the connection closes in the middle of a transfer": closeDuringTransfer,
};
