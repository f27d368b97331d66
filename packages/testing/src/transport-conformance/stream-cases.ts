import assert from "node:assert/strict";
import type { Stream } from "@octopii/interfaces";
import { assertSameBytes, pattern } from "./bytes.js";
import type { CaseTable } from "./case-table.js";
import { type Lab, watchStreams } from "./lab.js";
import { StreamProbe } from "./stream-probe.js";

const ORDINARY = { error: null };

async function ordered(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  const bytes = pattern(300_000);
  for (let position = 0, piece = 1; position < bytes.length; position += piece, piece = (piece * 7 + 3) % 9_001) {
    piece = Math.max(1, piece);
    await lab.within(opener.send(bytes.slice(position, position + piece), piece), "room to write");
  }
  opener.stream.end();
  await lab.within(acceptor.finished, "the end");
  assertSameBytes(acceptor.bytes(), bytes, "received");
}

async function protocols(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  for (const protocol of ["a", "octopii/raft/1", "~".repeat(64), "with a space"]) {
    const opener = new StreamProbe(pair.client.openStream(protocol));
    assert.equal(opener.stream.protocol, protocol);
    assert.equal((await lab.within(pair.serverStreams.next(), "onStream")).stream.protocol, protocol);
  }
  for (const protocol of ["", "x".repeat(65), "tab\t", "ümlaut"]) {
    assert.throws(() => pair.client.openStream(protocol), `the protocol ${JSON.stringify(protocol)} must be refused`);
  }
}

async function halfClose(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  opener.say("question");
  opener.stream.end();
  opener.stream.end();
  await lab.within(acceptor.finished, "the end of the question");
  assert.equal(acceptor.text(), "question");
  assert.equal(acceptor.stream.ended, true);
  assert.equal(opener.stream.ended, false);
  await lab.pause();
  assert.equal(acceptor.closes + opener.closes, 0, "one direction is still open");
  acceptor.say("answer");
  acceptor.stream.end();
  await lab.within(opener.finished, "the end of the answer");
  assert.equal(opener.text(), "answer");
  assert.deepEqual(await lab.within(opener.closed, "onClose at the opener"), ORDINARY);
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the acceptor"), ORDINARY);
}

async function unidirectional(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { unidirectional: true });
  assert.throws(() => acceptor.stream.write(new Uint8Array(1)), "the acceptor of a unidirectional stream cannot write");
  assert.equal(opener.stream.read(), null);
  opener.say("one way");
  opener.stream.end();
  assert.deepEqual(await lab.within(opener.closed, "onClose at the opener"), ORDINARY);
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the acceptor"), ORDINARY);
  assert.equal(acceptor.text(), "one way");
}

async function bothEndsOpen(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const fromServer = new StreamProbe(pair.server.openStream("from-server"));
  const fromClient = new StreamProbe(pair.client.openStream("from-client"));
  fromServer.say("s");
  fromClient.say("c");
  fromServer.stream.end();
  fromClient.stream.end();
  const atClient = await lab.within(pair.clientStreams.next(), "onStream at the client");
  const atServer = await lab.within(pair.serverStreams.next(), "onStream at the server");
  atClient.startReading();
  atServer.startReading();
  await lab.within(Promise.all([atClient.finished, atServer.finished]), "both ends");
  assert.deepEqual([atClient.stream.protocol, atClient.text()], ["from-server", "s"]);
  assert.deepEqual([atServer.stream.protocol, atServer.text()], ["from-client", "c"]);
}

async function emptyStream(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  opener.stream.end();
  await lab.within(acceptor.finished, "the end");
  assert.equal(acceptor.stream.ended, true);
  assert.equal(acceptor.receivedBytes, 0);
}

async function silentOpen(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const opener = new StreamProbe(pair.client.openStream("silent"));
  const { stream } = await lab.within(pair.serverStreams.next(), "onStream before any byte");
  assert.equal(stream.read(), null);
  assert.equal(stream.ended, false);
  assert.equal(opener.closes, 0);
}

async function reset(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { unidirectional: true });
  opener.say("never mind");
  opener.stream.reset(77);
  assert.throws(() => opener.stream.write(new Uint8Array(1)));
  opener.stream.end();
  opener.stream.reset(78);
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the reader"), { error: { by: "reset", code: 77 } });
  assert.deepEqual(await lab.within(opener.closed, "onClose at the writer"), { error: { by: "local", code: 77 } });
  assert.deepEqual([acceptor.stream.ended, acceptor.stream.resetCode], [false, 77], "a reset is no end");
  assert.equal(opener.stream.resetCode, null, "the peer has reset nothing");
}

async function resetWhileWriting(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  opener.say("half a question");
  opener.stream.reset(77);
  assert.equal(await lab.within(acceptor.resetByPeer, "onReadable at a reader that has not ended its own direction"), 77);
  assert.deepEqual([acceptor.stream.read(), acceptor.stream.ended, acceptor.closes], [null, false, 0]);
  acceptor.say("the answer all the same");
  acceptor.stream.end();
  await lab.within(opener.finished, "the end of the answer");
  assert.deepEqual([opener.text(), opener.stream.resetCode], ["the answer all the same", null]);
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the acceptor"), { error: { by: "reset", code: 77 } });
  assert.deepEqual(await lab.within(opener.closed, "onClose at the opener"), { error: { by: "local", code: 77 } });
}

async function resetBehindBytes(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { acceptorReads: false });
  opener.say("left unread");
  await lab.pause();
  opener.stream.reset(77);
  assert.equal(await lab.within(acceptor.resetByPeer, "onReadable at a reader that has left bytes where they were"), 77);
  acceptor.stream.end();
  await lab.within(acceptor.closed, "onClose at the acceptor");
}

async function whyNoWrite(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  // Each direction has a reason of its own.
  acceptor.stream.stop(4);
  opener.stream.stop(9);
  await lab.pause();
  const why = (stream: Stream): unknown => {
    try {
      stream.write(new Uint8Array(1));
    } catch (error) {
      return (error as { readonly details?: { readonly error?: unknown } }).details?.error;
    }
    return assert.fail("a direction that the peer has stopped takes bytes");
  };
  assert.deepEqual(why(opener.stream), { by: "stopped", code: 4 });
  assert.deepEqual(why(acceptor.stream), { by: "stopped", code: 9 });
}

async function stop(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { unidirectional: true });
  opener.say("go on");
  acceptor.stream.stop(99);
  acceptor.stream.stop(98);
  assert.deepEqual(await lab.within(opener.closed, "onClose at the writer"), { error: { by: "stopped", code: 99 } });
  assert.deepEqual(await lab.within(acceptor.closed, "onClose at the reader"), { error: { by: "local", code: 99 } });
  assert.equal(acceptor.stream.read(), null);
}

async function giveUp(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair());
  opener.say("a call");
  opener.stream.reset(5);
  opener.stream.stop(5);
  assert.deepEqual(await lab.within(opener.closed, "onClose at the one who gave up"), { error: { by: "local", code: 5 } });
  const { error } = await lab.within(acceptor.closed, "onClose at the other");
  assert.ok(error !== null && (error.by === "reset" || error.by === "stopped") && error.code === 5, JSON.stringify(error));
}

async function stopWakesWriter(lab: Lab): Promise<void> {
  const { opener, acceptor } = await lab.open(await lab.pair(), { unidirectional: true, acceptorReads: false });
  const piece = new Uint8Array(64 * 1024);
  let taken = 0;
  while (opener.stream.write(piece)) {
    taken += piece.length;
    assert.ok(taken <= lab.config.maxBufferedBytes, "write never gave false");
  }
  acceptor.stream.stop(3);
  assert.deepEqual(await lab.within(opener.closed, "onClose at the waiting writer"), { error: { by: "stopped", code: 3 } });
}

async function writeAfterEnd(lab: Lab): Promise<void> {
  const { opener } = await lab.open(await lab.pair());
  opener.stream.end();
  assert.throws(() => opener.stream.write(new Uint8Array(1)));
}

async function refusesCodes(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const { opener } = await lab.open(pair);
  for (const code of [-1, 1.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => opener.stream.reset(code));
    assert.throws(() => opener.stream.stop(code));
    assert.throws(() => pair.client.close(code, "bad code"));
  }
  assert.equal(opener.closes, 0);
}

async function nobodyListens(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  pair.server.onStream = null;
  const opener = new StreamProbe(pair.client.openStream("unwanted"));
  opener.say("hello?");
  await lab.within(opener.resetByPeer, "onReadable at the opener of a refused stream");
  // The refusal ends the peer's direction, and asks for no more; an opener that has not heard that yet gives up its own.
  opener.stream.reset(1);
  const { error } = await lab.within(opener.closed, "onClose at the opener");
  assert.ok(error !== null, "a refused stream does not come to an ordinary end");
  assert.equal(pair.serverStreams.size, 0);
  watchStreams(pair.server, pair.serverStreams);
  await lab.open(pair);
}

async function closeTakesStreams(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const streams = [await lab.open(pair), await lab.open(pair), await lab.open(pair, { unidirectional: true })];
  pair.client.close(42, "all of them");
  for (const { opener, acceptor } of streams) {
    const expected = { error: { by: "connection", code: 42 } };
    assert.deepEqual(await lab.within(opener.closed, "onClose at the closer"), expected);
    assert.deepEqual(await lab.within(acceptor.closed, "onClose at the peer"), expected);
    assert.throws(() => opener.stream.write(new Uint8Array(1)));
    opener.stream.end();
    opener.stream.reset(1);
    opener.stream.stop(1);
  }
  await lab.pause();
  for (const { opener, acceptor } of streams) assert.deepEqual([opener.closes, acceptor.closes, opener.late, acceptor.late], [1, 1, 0, 0]);
}

/** Cases about single streams. */
export const streamCases: CaseTable = {
  "bytes arrive complete and in order": ordered,
  "the protocol's name reaches the peer, and bad names are refused": protocols,
  "one direction ends while the other goes on": halfClose,
  "a unidirectional stream goes one way": unidirectional,
  "both ends can open streams": bothEndsOpen,
  "a stream may end without a byte": emptyStream,
  "the peer sees a stream before its first byte": silentOpen,
  "a reset reaches the reader with its code": reset,
  "a reset reaches a reader whose own direction goes on": resetWhileWriting,
  "a reset reaches a reader who has left bytes unread": resetBehindBytes,
  "a stop reaches the writer with its code": stop,
  "a write on a direction that was cut says why that one was": whyNoWrite,
  "reset and stop together end a stream at both ends": giveUp,
  "a stop ends the wait of a writer": stopWakesWriter,
  "writing after the end is refused": writeAfterEnd,
  "codes that do not fit are refused": refusesCodes,
  "streams are refused while nobody listens for them": nobodyListens,
  "closing the connection closes every stream once": closeTakesStreams,
};
