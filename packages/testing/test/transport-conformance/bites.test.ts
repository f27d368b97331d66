import type { Connection, Stream, Transport } from "@octopii/interfaces";
import { describe, expect, test } from "vitest";
import { createSimulation } from "../../src/index.js";
import { refusalReason, testTransport } from "../../src/transport-conformance/index.js";

const identity = (name: string) => ({ name, cluster: null, nodeId: null });

/** A transport with one bug: `breakStream` and `breakConnection` spoil what the sound one makes. */
interface Bug {
  readonly breakStream?: (stream: Stream) => void;
  readonly breakConnection?: (connection: Connection) => void;
  /** What a refusal tells in place of its reason. */
  readonly otherReason?: string;
}

function spoil(connection: Connection, bug: Bug): Connection {
  const openStream = connection.openStream.bind(connection);
  connection.openStream = (protocol, options) => {
    const stream = openStream(protocol, options);
    bug.breakStream?.(stream);
    return stream;
  };
  bug.breakConnection?.(connection);
  return connection;
}

function spoiled(transport: Transport, bug: Bug): Transport {
  return {
    listen: (options) => transport.listen({ ...options, onConnection: (connection) => options.onConnection(spoil(connection, bug)) }),
    connect: async (address, options) => spoil(await transport.connect(address, options), bug),
    close: () => transport.close(),
  };
}

/** The names of the cases that fail. */
async function failures(bug: Bug): Promise<string[]> {
  const failed: string[] = [];
  const make = (seed: number) => {
    const world = createSimulation({ seed });
    const factory = async () => ({
      server: spoiled(world.process("server").transport, bug),
      client: spoiled(world.process("client").transport, bug),
      listenAddress: "server:0",
      unreachableAddress: "nobody:1",
      stranger: {
        transport: world.process("stranger", { identify: () => ({ accepted: false, reason: bug.otherReason ?? refusalReason }) }).transport,
        listenAddress: "stranger:0",
      },
      serverIdentity: identity("server"),
      clientIdentity: identity("client"),
    });
    const options = { scheduler: world.scheduler(), waitMs: 1_000, quietMs: 200, largeBytes: 512 * 1024, streamCount: 50 };
    return { world, cases: testTransport("bug", factory, options) };
  };
  for (const index of make(0).cases.keys()) {
    const { world, cases } = make(index);
    const { name, run } = cases[index] as (typeof cases)[number];
    await world.runUntilSettled(run()).catch(() => failed.push(name.slice(5)));
  }
  return failed;
}

/** Keeps stray rejections from the test runner, which takes them for failures of its own. */
async function unwatched<T>(body: () => Promise<T>): Promise<T> {
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  try {
    return await body();
  } finally {
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
}

const bugs: Readonly<Record<string, { readonly bug: Bug; readonly seenBy: string }>> = {
  "write never says wait": {
    bug: {
      breakStream: (stream) => {
        const write = stream.write.bind(stream);
        stream.write = (bytes) => write(bytes) || true;
      },
    },
    seenBy: "a writer waits for its reader",
  },
  "one byte is wrong": {
    bug: {
      breakStream: (stream) => {
        const write = stream.write.bind(stream);
        stream.write = (bytes) => write(bytes.map((byte, index) => (index === 1_000 ? byte ^ 1 : byte)));
      },
    },
    seenBy: "bytes arrive complete and in order",
  },
  "onClose comes from inside reset": {
    bug: {
      breakStream: (stream) => {
        const stop = stream.stop.bind(stream);
        stream.stop = (code) => {
          stop(code);
          stream.onClose?.({ error: { by: "local", code } });
        };
      },
    },
    seenBy: "callbacks never come from inside a call or another callback",
  },
  "the reason of a close is lost": {
    bug: {
      breakConnection: (connection) => {
        const close = connection.close.bind(connection);
        connection.close = (code) => close(code, "");
      },
    },
    seenBy: "the code and reason of a close reach the peer",
  },
  "an end also ends the other direction": {
    bug: {
      breakStream: (stream) => {
        const end = stream.end.bind(stream);
        stream.end = () => {
          end();
          stream.stop(0);
        };
      },
    },
    seenBy: "one direction ends while the other goes on",
  },
  "a reset is told only when both directions are over": {
    bug: {
      breakConnection: (connection) => {
        let owner: Connection["onStream"] = null;
        const deliver = (stream: Stream): void => {
          Object.defineProperty(stream, "resetCode", { value: null });
          owner?.(stream);
        };
        Object.defineProperty(connection, "onStream", {
          get: () => owner && deliver,
          set: (next: Connection["onStream"]) => {
            owner = next;
          },
        });
      },
    },
    seenBy: "a reset reaches a reader whose own direction goes on",
  },
  "the reason of a refusal is lost": {
    bug: { otherReason: "no" },
    seenBy: "a dialer that its peer refuses learns why in details.refusal",
  },
  "a rejection that nobody handles": {
    bug: { breakConnection: (connection) => void connection.closed.then(() => Promise.reject(new Error("stray"))) },
    seenBy: "no rejection goes unhandled",
  },
};

describe("the suite finds a transport's bugs", () => {
  test("and none in a sound one", async () => {
    expect(await failures({})).toEqual([]);
  });

  for (const [name, { bug, seenBy }] of Object.entries(bugs)) {
    test(name, async () => {
      expect(await unwatched(() => failures(bug))).toContain(seenBy);
    });
  }
});
