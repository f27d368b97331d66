import { describe, expect, it } from "vitest";
import type { LogStorage, Message } from "../../src/index.js";
import { type ChangePorts, Group, set } from "./group.js";

type Append = Extract<Message, { type: "AppendEntries" }>;

const appendsOf = (messages: readonly Message[]): Append[] =>
  messages.flatMap((message) => (message.type === "AppendEntries" && message.entries.length > 0 ? [message] : []));

/** Notes each write that holds entries. */
function watchedStorage(storage: LogStorage, appended: (count: number) => void): LogStorage {
  return {
    load: (group) => storage.load(group),
    read: (...args) => storage.read(...args),
    compact: (...args) => storage.compact(...args),
    install: (...args) => storage.install(...args),
    append: (group, hardState, entries) => {
      if (entries.length > 0) appended(entries.length);
      return storage.append(group, hardState, entries);
    },
  };
}

describe("a turn", () => {
  it("takes all proposals into one write and one message to each peer", async () => {
    const appends: number[] = [];
    const group = await Group.open({
      ports: (id, { storage }) => (id === 1 ? { storage: watchedStorage(storage, (count) => appends.push(count)) } : {}),
    });
    const leader = await group.elect();
    appends.length = 0;
    leader.sent.length = 0;
    const results = Promise.all(Array.from({ length: 100 }, (_, at) => leader.node.propose(set(`key ${at}`))));
    await group.pass(1);
    expect(appends).toEqual([100]);
    const replicated = leader.sent.filter(({ messages }) => appendsOf(messages).length > 0);
    expect(replicated.map(({ to }) => to)).toEqual([2, 3]);
    for (const { messages } of replicated) expect(appendsOf(messages).map(({ entries }) => entries.length)).toEqual([100]);
    expect(await group.settled(results)).toHaveLength(100);
    await group.close();
  });

  it("sends each peer at most one batch, whatever is asked for in it", async () => {
    const batches: string[] = [];
    const counted: ChangePorts = ({ scheduler, network }) => {
      let turn = 0;
      return {
        scheduler: {
          setTimer: (delayMs, callback) => scheduler.setTimer(delayMs, callback),
          nextTurn: (callback) =>
            scheduler.nextTurn(() => {
              turn++;
              callback();
            }),
        },
        network: {
          attach: (...args) => network.attach(...args),
          sendSnapshot: (...args) => network.sendSnapshot(...args),
          send: (to, messages) => {
            batches.push(`${turn} to ${to}`);
            network.send(to, messages);
          },
        },
      };
    };
    const group = await Group.open({ ports: (id, ports) => (id === 1 ? counted(ports) : {}) });
    const follower = await group.elect(2).then(() => group.member(1));
    batches.length = 0;
    for (let round = 0; round < 20; round++) {
      const calls = [1, 2, 3].map((at) => follower.node.propose(set(`${round} ${at}`)));
      await group.settled(Promise.all([...calls, follower.node.readIndex(), follower.node.readIndex()]));
    }
    expect(batches.length).toBeGreaterThan(40);
    expect(new Set(batches).size).toBe(batches.length);
    await group.close();
  });

  it("goes on at once with what is done at once: a lone voter needs one for a proposal and its result", async () => {
    let turns = 0;
    const group = await Group.open({
      voters: [1],
      ports: (_id, { scheduler }) => ({
        scheduler: {
          setTimer: (delayMs, callback) => scheduler.setTimer(delayMs, callback),
          nextTurn: (callback) =>
            scheduler.nextTurn(() => {
              turns++;
              callback();
            }),
        },
      }),
    });
    const { node } = await group.elect();
    await group.pass(1);
    turns = 0;
    const result = node.propose(set("a"));
    group.time.advance(0);
    expect(await result).toBeNull();
    expect(turns).toBe(1);
    await group.close();
  });

  it("goes on at once on a lone voter in a joint configuration as well", async () => {
    const group = await Group.open({ voters: [1] });
    const { node } = await group.elect();
    const learner = { type: "addLearner", nodeId: 9 } as const;
    await group.settled(node.changeMembership({ transition: "explicit", changes: [learner] }, { force: true }));
    await group.pass(5);
    let result: unknown = "none";
    void node.propose(set("a")).then((value) => {
      result = value;
    });
    await group.pass(1);
    expect(result).toBeNull();
    await group.close();
  });
});

describe("what need not have a step of its own", () => {
  it("a commit that no command follows is told within a few turns all the same, not with the next heartbeat", async () => {
    const group = await Group.open({ options: { tickMs: 1_000 } });
    const leader = await group.elect();
    await group.settled(leader.node.propose(set("a")));
    const { commitIndex } = leader.node.status();
    await group.pass(3);
    for (const id of [2, 3]) expect(group.member(id).node.status()).toMatchObject({ commitIndex, appliedIndex: commitIndex });
    await group.close();
  });

  it("goes with the entries that follow: in a row of commands no message tells of a commit alone", async () => {
    // As in an event loop, promises settle between one turn and the next.
    const turns = (_id: number, { scheduler }: Parameters<ChangePorts>[0]): ReturnType<ChangePorts> => ({
      scheduler: {
        setTimer: (delayMs, callback) => scheduler.setTimer(delayMs, callback),
        nextTurn: (callback) => void setImmediate(callback),
      },
    });
    const group = await Group.open({ ports: turns, options: { tickMs: 1_000, requestTimeoutMs: 60_000 } });
    const leader = await group.elect();
    await group.pass(5);
    leader.sent.length = 0;
    const inARow = async (): Promise<void> => {
      for (let at = 0; at < 100; at++) await leader.node.propose(set(`key ${at}`));
    };
    await group.settled(inARow());
    const messages = leader.sent.flatMap(({ to, messages }) => (to === 2 ? messages : []));
    expect(appendsOf(messages)).toHaveLength(100);
    expect(messages.filter(({ type }) => type === "AppendEntries")).toHaveLength(100);
    // Each tells of the one before it.
    expect(appendsOf(messages).every(({ leaderCommit, prevLogIndex }) => leaderCommit === prevLogIndex)).toBe(true);
    await group.close();
  });

  it("shows in the status as soon as it is done", async () => {
    const group = await Group.open();
    const leader = await group.elect();
    for (let at = 0; at < 3; at++) {
      await group.settled(leader.node.propose(set(`key ${at}`)));
      const { appliedIndex, commitIndex } = leader.node.status();
      expect(appliedIndex).toBe(commitIndex);
    }
    await group.close();
  });
});

describe("the leader's disk and the network", () => {
  // Source: thesis §10.2.1.
  it("work side by side: a quorum of others commits before the leader's own write is done, and nothing is applied before", async () => {
    const group = await Group.open({ writeMs: 1 });
    const leader = await group.elect();
    const { lastIndex } = leader.node.status();
    const slow = leader.log.append;
    const held: (() => void)[] = [];
    leader.log.append = (...args) => new Promise<void>((resolve) => held.push(resolve)).then(() => slow.apply(leader.log, args));
    const result = leader.node.propose(set("a"));
    await group.pass(20);
    const { commitIndex, durableIndex, appliedIndex } = leader.node.status();
    expect({ commitIndex, durableIndex, appliedIndex }).toEqual({
      commitIndex: lastIndex + 1,
      durableIndex: lastIndex,
      appliedIndex: lastIndex,
    });
    expect(leader.machine.get("a")).toBeNull();
    leader.log.append = slow;
    for (const release of held) release();
    await group.settled(result);
    expect(leader.machine.get("a")).toBe("a");
    await group.close();
  });

  it("a follower acknowledges nothing before its write is done, and several writes may be on their way", async () => {
    const group = await Group.open({ voters: [1, 2] });
    const leader = await group.elect();
    const follower = group.member(2);
    const held: (() => void)[] = [];
    const append = follower.log.append;
    follower.log.append = (...args) => new Promise<void>((resolve) => held.push(resolve)).then(() => append.apply(follower.log, args));
    const { lastIndex } = leader.node.status();
    const acknowledged = (): number =>
      Math.max(
        ...follower.sent
          .flatMap(({ messages }) => messages)
          .map((message) => (message.type === "AppendEntriesResponse" && !message.rejected ? message.index : 0)),
      );
    const results = Promise.all([leader.node.propose(set("a"))]);
    await group.pass(3);
    const more = leader.node.propose(set("b"));
    await group.pass(20);
    expect(held).toHaveLength(2);
    expect(acknowledged()).toBe(lastIndex);
    held[0]?.();
    await group.pass(5);
    expect(acknowledged()).toBe(lastIndex + 1);
    follower.log.append = append;
    held[1]?.();
    await group.settled(Promise.all([results, more]));
    expect(acknowledged()).toBe(lastIndex + 2);
    await group.close();
  });
});
