import type { Scheduler } from "@octopii/interfaces";
import { describe, expect, it } from "vitest";
import { drain, Group, type Member, outcomeOf } from "./group.js";

/** A process that can be paused, right behind the callback of its next timer: what is due meanwhile happens, in order, when it goes on. */
class Pausable implements Scheduler {
  readonly #inner: Scheduler;
  readonly #due: (() => void)[] = [];
  #isWanted = false;
  #isPaused = false;

  constructor(inner: Scheduler) {
    this.#inner = inner;
  }

  pause(): void {
    this.#isWanted = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const callback of this.#due.splice(0)) callback();
  }

  nextTurn(callback: () => void): void {
    this.#inner.nextTurn(this.#whenRunning(callback));
  }

  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    let isCancelled = false;
    const timer = this.#inner.setTimer(
      delayMs,
      this.#whenRunning(() => {
        if (isCancelled) return;
        callback();
        if (this.#isWanted) this.#isPaused = true;
        this.#isWanted = false;
      }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  #whenRunning(callback: () => void): () => void {
    return () => void (this.#isPaused ? this.#due.push(callback) : callback());
  }
}

/** Until node 3 leads and has committed something that node 1 does not know of; then node 1 reads by its lease. */
async function staleRead(group: Group, old: Member): Promise<boolean> {
  const { node } = group.member(3);
  for (let waited = 0; waited < 130; waited++) {
    await group.pass(1);
    if (!group.member(3).isLeader) node.campaign();
    else if (node.status().commitIndex > old.node.status().commitIndex) {
      const read = await group.settled(outcomeOf(old.node.readIndex({ lease: true, timeoutMs: 5 })), 50);
      return typeof read === "number" && read < node.status().commitIndex;
    }
  }
  throw new Error("nobody was elected");
}

describe("a lease ends before the shield of a follower that paused does", () => {
  it.each([
    { clockDriftMax: 0, electionTicks: 10, pauses: false },
    { clockDriftMax: 0, electionTicks: 10, pauses: true },
    { clockDriftMax: 0.1, electionTicks: 5, pauses: true },
  ])("with $electionTicks ticks and a drift of $clockDriftMax, paused: $pauses", async ({ pauses, ...options }) => {
    const stale: number[] = [];
    for (let offset = 0; offset < 20; offset++) {
      let follower: Pausable | null = null;
      const group = await Group.open({
        options: { leaseReads: true, ...options },
        ports: (id, { scheduler }) => {
          if (id !== 2) return {};
          follower = new Pausable(scheduler);
          return { scheduler: follower };
        },
      });
      await group.pass(150);
      const old = await group.elect(1);
      await group.write(old, 1);
      await group.pass(5 + offset);
      group.hub.cut(1, 3);
      await group.pass(60);
      // What the leader sends meanwhile waits in the follower's socket.
      const process = follower as Pausable | null;
      if (pauses) process?.pause();
      await group.pass(35 + (offset % 10));
      process?.resume();
      for (let turn = 0; turn < 5; turn++) {
        group.time.advance(0);
        await drain();
      }
      group.hub.cut(1, 2);
      if (await staleRead(group, old)) stale.push(offset);
      group.hub.heal();
      await group.close();
    }
    expect(stale).toEqual([]);
  });
});
