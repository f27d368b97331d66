import assert from "node:assert/strict";
import type { Connection } from "@octopii/interfaces";
import type { CaseTable } from "./case-table.js";
import { Inbox } from "./inbox.js";
import { type Lab, type Pair, watchStreams } from "./lab.js";
import { StreamProbe } from "./stream-probe.js";

async function identities(lab: Lab): Promise<void> {
  const { client, server } = await lab.pair();
  assert.deepEqual({ ...client.peer }, { ...lab.fixture.serverIdentity });
  assert.deepEqual({ ...server.peer }, { ...lab.fixture.clientIdentity });
  assert.notEqual(client.remoteAddress, "");
  assert.notEqual(server.remoteAddress, "");
}

async function realPort(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  assert.match(listener.address, /:[1-9]\d*$/);
}

async function closeReachesPeer(lab: Lab): Promise<void> {
  const { client, server } = await lab.pair();
  client.close(4_000_000_000, "enough of it");
  assert.deepEqual(await lab.within(client.closed, "closed at the closer"), { by: "local", code: 4_000_000_000, reason: "enough of it" });
  assert.deepEqual(await lab.within(server.closed, "closed at the peer"), { by: "remote", code: 4_000_000_000, reason: "enough of it" });
}

async function serverCloses(lab: Lab): Promise<void> {
  const { client, server } = await lab.pair();
  server.close(0, "");
  assert.deepEqual(await lab.within(server.closed, "closed at the closer"), { by: "local", code: 0, reason: "" });
  assert.deepEqual(await lab.within(client.closed, "closed at the peer"), { by: "remote", code: 0, reason: "" });
}

async function closeTwice(lab: Lab): Promise<void> {
  const { client } = await lab.pair();
  client.close(1, "first");
  client.close(2, "second");
  assert.equal((await lab.within(client.closed, "closed")).code, 1);
  client.close(3, "third");
  assert.throws(() => client.openStream("conformance/1"));
}

async function connectToNobody(lab: Lab): Promise<void> {
  const { connectTimeoutMs } = lab.config;
  const attempt = lab.fixture.client.connect(lab.fixture.unreachableAddress, { timeoutMs: connectTimeoutMs });
  await assert.rejects(lab.within(attempt, "the refusal"), (error: unknown) => error instanceof Error && !/not within/.test(error.message));
}

async function abortDuringConnect(lab: Lab): Promise<void> {
  const controller = new AbortController();
  const attempt = lab.fixture.client.connect(lab.fixture.unreachableAddress, { signal: controller.signal });
  const outcome = assert.rejects(lab.within(attempt, "the refusal"), (error: unknown) => error === controller.signal.reason);
  await lab.pause(5);
  controller.abort(new Error("no longer wanted"));
  await outcome;
}

async function abortBeforeConnect(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const signal = AbortSignal.abort(new Error("never wanted"));
  await assert.rejects(lab.fixture.client.connect(listener.address, { signal }), (error: unknown) => error === signal.reason);
  await lab.pause();
  assert.equal(lab.accepted.size, 0, "the server must not see a connection that was given up before it began");
}

async function abortAfterConnect(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const controller = new AbortController();
  const client = await lab.within(lab.fixture.client.connect(listener.address, { signal: controller.signal }), "connect");
  controller.abort(new Error("too late"));
  await lab.pause();
  assert.equal(client.openStream("conformance/1").ended, false, "an abort after the connection stands must not close it");
}

async function addressInUse(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const again = lab.fixture.server.listen({ address: listener.address, onConnection: lab.accepted.put });
  await assert.rejects(lab.within(again, "the refusal"), (error: unknown) => {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
  });
}

async function listenerCloses(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const pair = await lab.pairAt(listener.address);
  await lab.within(listener.close(), "close of the listener");
  await lab.within(listener.close(), "second close of the listener");
  const { opener, acceptor } = await lab.open(pair);
  opener.say("still here");
  opener.stream.end();
  await lab.within(acceptor.finished, "bytes on the old connection");
  assert.equal(acceptor.text(), "still here");
  await assert.rejects(lab.fixture.client.connect(listener.address, { timeoutMs: lab.config.connectTimeoutMs }));
}

async function transportCloses(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const { client, server } = await lab.pairAt(listener.address);
  const first = lab.fixture.server.close();
  assert.equal(lab.fixture.server.close(), first, "close gives the same promise each time");
  await lab.within(first, "close of the transport");
  assert.equal((await lab.within(server.closed, "closed at the closer")).by, "local");
  assert.equal((await lab.within(client.closed, "closed at the peer")).by, "remote");
  await assert.rejects(lab.fixture.server.connect(listener.address));
  await assert.rejects(lab.fixture.server.listen({ address: lab.fixture.listenAddress, onConnection: lab.accepted.put }));
}

async function closeWhileConnecting(lab: Lab): Promise<void> {
  const attempt = lab.fixture.client.connect(lab.fixture.unreachableAddress);
  const outcome = assert.rejects(lab.within(attempt, "the refusal"), (error: unknown) => {
    return error instanceof Error && !/not within/.test(error.message);
  });
  await lab.pause(5);
  await lab.within(lab.fixture.client.close(), "close of the transport");
  await outcome;
}

async function manyConnections(lab: Lab): Promise<void> {
  const listener = await lab.listen();
  const pairs: Pair[] = [];
  for (let count = 0; count < 8; count += 1) pairs.push(await lab.pairAt(listener.address));
  const [closed, ...others] = pairs as [Pair, ...Pair[]];
  closed.client.close(7, "one of many");
  assert.equal((await lab.within(closed.server.closed, "closed at the server")).code, 7);
  for (const [index, pair] of others.entries()) {
    const { opener, acceptor } = await lab.open(pair);
    opener.say(`connection ${index}`);
    opener.stream.end();
    await lab.within(acceptor.finished, "bytes on another connection");
    assert.equal(acceptor.text(), `connection ${index}`);
  }
}

async function statistics(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const { opener, acceptor } = await lab.open(pair);
  opener.say("0123456789");
  opener.stream.end();
  await lab.within(acceptor.finished, "the bytes");
  assert.ok(pair.client.stats().bytesSent >= 10);
  assert.ok(pair.server.stats().bytesReceived >= 10);
  assert.equal(pair.server.stats().openStreams, 1);
  const { roundTripMs } = pair.client.stats();
  assert.ok(roundTripMs === null || roundTripMs >= 0);
}

/** The dialer speaks in the very turn in which its connection stands, and its words may come with the last of the handshake. */
async function streamsAtOnce(lab: Lab): Promise<void> {
  const { server, client, listenAddress } = lab.fixture;
  const streams = new Inbox<StreamProbe>();
  const onConnection = (connection: Connection): void => watchStreams(connection, streams);
  const listener = await lab.within(server.listen({ address: listenAddress, onConnection }), "listen");
  const said = client.connect(listener.address).then((connection) => {
    const opener = new StreamProbe(connection.openStream("at-once"));
    opener.say("first words");
    opener.stream.end();
    return opener;
  });
  const opener = await lab.within(said, "connect");
  const acceptor = await lab.within(streams.next(), "the stream, at the onStream that onConnection has set");
  acceptor.startReading();
  await lab.within(acceptor.finished, "the first words");
  assert.equal(acceptor.text(), "first words");
  assert.equal(opener.closes, 0, "the other direction is still open");
}

/** Cases about connections and listeners. */
export const connectionCases: CaseTable = {
  "both ends learn who the other is": identities,
  "a listener on port 0 says which port it got": realPort,
  "the code and reason of a close reach the peer": closeReachesPeer,
  "the accepting end can close": serverCloses,
  "closing again does nothing, and no stream opens afterwards": closeTwice,
  "connecting to nobody is refused in time": connectToNobody,
  "an abort ends an attempt to connect with the signal's reason": abortDuringConnect,
  "an abort before connecting ends it before it begins": abortBeforeConnect,
  "an abort after connecting changes nothing": abortAfterConnect,
  "an address in use is refused with EADDRINUSE in the cause": addressInUse,
  "a closed listener keeps its connections and takes no more": listenerCloses,
  "closing a transport closes its connections": transportCloses,
  "closing a transport ends its attempts to connect": closeWhileConnecting,
  "connections are independent": manyConnections,
  "a stream that is opened at once reaches the listener's onStream": streamsAtOnce,
  "statistics count": statistics,
};
