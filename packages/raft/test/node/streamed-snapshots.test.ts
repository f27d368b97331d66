import { describe, expect, it } from "vitest";
import type { SnapshotMetadata, SnapshotStorage } from "../../src/index.js";
import { Group } from "./group.js";

const chunksInAll = 2_000;
const chunkBytes = 16 * 1024;

/** Chunks on their way from one place to another: how many there are, and how many there ever were at a time. */
class Flow {
  passed = 0;
  most = 0;
  #inside = 0;

  enter(): void {
    this.most = Math.max(this.most, ++this.#inside);
  }

  leave(): void {
    this.#inside--;
    this.passed++;
  }
}

async function* chunksInto(flow: Flow): AsyncGenerator<Uint8Array, void, void> {
  for (let made = 0; made < chunksInAll; made++) {
    flow.enter();
    yield new Uint8Array(chunkBytes);
  }
}

/** Keeps names of snapshots, and makes their data when it is read. */
function nameOnlyStorage(written: Flow, read: Flow): SnapshotStorage {
  let held: SnapshotMetadata[] = [];
  return {
    list: () => Promise.resolve(held),
    create: (_group, metadata) =>
      Promise.resolve({
        write: () => Promise.resolve(written.leave()),
        commit: () => {
          held = [...held, metadata];
          return Promise.resolve();
        },
        abort: () => Promise.resolve(),
      }),
    read: () => chunksInto(read),
    removeBelow: (_group, index) => {
      held = held.filter((one) => one.index >= index);
      return Promise.resolve();
    },
  };
}

describe("MicroRaft#52, snapshots held in memory", () => {
  it("a snapshot is never whole in memory: neither where it is taken, nor on its way, nor where it is restored", async () => {
    const taken = new Flow();
    const sent = new Flow();
    const restored = new Flow();
    const group = await Group.open({
      options: { tailEntries: 1, snapshotEntries: 0, snapshotBytes: 0, snapshotBytesPerSecond: 0 },
      ports: (id, { stateMachine }) => ({
        snapshots: id === 3 ? nameOnlyStorage(sent, restored) : nameOnlyStorage(taken, sent),
        stateMachine: {
          apply: (commands) => stateMachine.apply(commands),
          snapshot: () => chunksInto(taken),
          restore: async (chunks) => {
            for await (const _ of chunks) restored.leave();
          },
        },
      }),
    });
    const leader = await group.elect(1);
    const behind = group.member(3);
    await behind.crash();
    await group.write(leader, 30);
    await group.settled(leader.node.snapshot(), 10_000);
    await group.start(3);
    await group.until(() => behind.count("restored") === 1, 10_000);
    for (const flow of [taken, sent, restored]) {
      expect(flow.passed).toBe(chunksInAll);
      expect(flow.most).toBeLessThanOrEqual(2);
    }
    await group.close();
  });
});
