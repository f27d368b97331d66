import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { identityOf } from "./support/cluster.js";
import { Participant, unsettled } from "./support/meeting.js";

const ids = [1, 2, 3];
const members = ids.map((id) => ({ id, address: `n${id}:7000` }));
const superseded = 2;

const makeWorld = (seed: number): World =>
  createSimulation({ seed, network: { minDelayMs: 0.1, meanDelayMs: 5 }, transport: { idleTimeoutMs: 1_000 } });

const participantIn = (process: SimulatedProcess, id: number): Participant =>
  new Participant(id, {
    transport: process.transport,
    clock: process.clock,
    scheduler: process.scheduler,
    random: process.random.fork("reconnect"),
  });

/** Members who listen, and dial each other at moments that the seed decides. */
async function meet(world: World): Promise<Participant[]> {
  const participants = ids.map((id) => participantIn(world.process(`n${id}`, identityOf(id)), id));
  await world.runUntilSettled(Promise.all(participants.map((one, i) => one.listen(members[i]?.address ?? ""))));
  for (const one of participants) world.process(`n${one.id}`).scheduler.setTimer(world.random.below(10), () => one.meet(members));
  return participants;
}

/** Has everybody talk to everybody, all the time. */
function talk(world: World, everyMs: number, participants: () => readonly Participant[]): void {
  world.scheduler().setTimer(everyMs, () => {
    for (const one of participants()) for (const id of ids) if (id !== one.id) one.say(id);
    talk(world, everyMs, participants);
  });
}

describe("members who dial each other", () => {
  it("settle on one connection, whoever was first, lose nothing on the way, and report no failure", async () => {
    let gaveWay = 0;
    let byHigher = 0;
    for (let seed = 0; seed < 60; seed++) {
      const world = makeWorld(seed);
      const participants = await meet(world);
      talk(world, 2, () => participants);
      await world.runFor(300);
      expect(unsettled(participants), `seed ${seed}`).toEqual([]);
      const closes = participants.flatMap((one) => one.closes);
      expect(closes.filter(({ code }) => code !== superseded)).toEqual([]);
      gaveWay += closes.length;
      byHigher += participants.flatMap((one) => [...one.live.values()].filter(({ dialed, peer }) => dialed && (peer ?? 0) < one.id)).length;
      expect(participants.flatMap((one) => one.unreachable)).toEqual([]);
      // What was sent in the last moments is still on its way.
      const deadline = participants.map((one) => new Map([...one.sent].map(([to, numbers]) => [to, [...numbers]])));
      await world.runFor(200);
      for (const [i, one] of participants.entries()) {
        for (const other of participants) {
          if (other === one) continue;
          const numbers = deadline[i]?.get(other.id) ?? [];
          expect(numbers.length).toBeGreaterThan(50);
          expect(other.received.get(one.id)?.slice(0, numbers.length)).toEqual(numbers);
        }
      }
      expect(participants.flatMap((one) => one.closes)).toHaveLength(closes.length);
    }
    // The seeds hold what the test is about: connections that gave way, and some of each side that stayed.
    expect(gaveWay).toBeGreaterThan(20);
    expect(byHigher).toBeGreaterThan(20);
  });

  it("settle again after cuts, half-open connections and restarts", async () => {
    for (let seed = 0; seed < 25; seed++) {
      const world = makeWorld(seed);
      const participants = await meet(world);
      talk(world, 20, () => participants);
      const random = world.random.fork("faults");
      for (let round = 0; round < 6; round++) {
        await world.runFor(random.below(300));
        const victim = random.below(ids.length);
        const process = world.process(`n${victim + 1}`);
        switch (random.below(3)) {
          case 0: {
            const fault = world.network.isolate(process.name, random.chance(1, 2) ? "both" : random.chance(1, 2) ? "in" : "out");
            world.scheduler().setTimer(random.below(3_000), () => fault.heal());
            break;
          }
          case 1:
            process.pause();
            world.scheduler().setTimer(random.below(3_000), () => process.resume());
            break;
          default: {
            const restarted = participantIn(process.restart(), victim + 1);
            participants[victim] = restarted;
            void restarted.listen(members[victim]?.address ?? "").then(() => restarted.meet(members));
          }
        }
      }
      await world.runFor(4_000);
      world.network.heal();
      await world.runFor(5_000);
      expect(unsettled(participants), `seed ${seed}`).toEqual([]);
      const before = participants.flatMap((one) => one.closes).length;
      await world.runFor(2_000);
      expect(
        participants.flatMap((one) => one.closes),
        `seed ${seed}`,
      ).toHaveLength(before);
    }
  });
});
