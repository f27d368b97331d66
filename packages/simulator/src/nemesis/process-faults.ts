import type { SimulatedMember } from "../cluster/simulated-member.js";
import type { processFaults as kinds } from "../plan/kinds.js";
import type { FaultAction, FaultContext, Strike } from "./fault.js";

/** After a process died, its next life begins so much later at least, on average, in milliseconds. */
const restartMs = 20;

/** Crashes, restarts and pauses. */
export const processFaults: Readonly<Record<(typeof kinds)[number], FaultAction>> = {
  power: (context, strike) => takeDown(context, strike, [strike.member], (victim) => victim.crash()),
  kill: (context, strike) => takeDown(context, strike, [strike.member], (victim) => victim.kill()),
  close,
  pause,
  blackout: (context, strike) => takeDown(context, strike, context.fleet.members, (victim) => victim.crash()),
  // What was promised a moment ago must be on the disks already: nothing that was not synced survives.
  powerAtCommit: (context, strike) => {
    context.atNext("commit", () => void takeDown(context, strike, context.fleet.members, (victim) => victim.crash("lose")));
    return true;
  },
  powerAtElection: (context, strike) => {
    const isSpared = (victim: SimulatedMember): boolean => strike.random.chance(1, 3) && victim !== strike.member;
    context.atNext("election", () => {
      const victims = context.fleet.members.filter((member) => !isSpared(member));
      takeDown(context, strike, victims, (victim) => victim.crash("lose"));
    });
    return true;
  },
  crashLoop,
};

function takeDown(
  context: FaultContext,
  strike: Strike,
  members: readonly SimulatedMember[],
  how: (victim: SimulatedMember) => void,
): boolean {
  const victims = members.filter(({ process, outOfService }) => process.state !== "dead" && outOfService !== "held");
  for (const victim of victims) {
    how(victim);
    context.revive(victim, strike.durationMs + strike.random.exponential(restartMs));
  }
  return victims.length > 0;
}

function close(context: FaultContext, { member, random, durationMs }: Strike): boolean {
  if (member.process.state !== "running" || member.outOfService === "held") return false;
  member.leave();
  context.undo(durationMs + random.exponential(restartMs), () => {
    if (member.outOfService === "held") return;
    // One that is still closing is cut short.
    member.kill();
    member.start();
  });
  return true;
}

function pause(context: FaultContext, { member, durationMs }: Strike): boolean {
  const { process } = member;
  if (process.state !== "running") return false;
  process.pause();
  context.undo(durationMs, () => {
    process.resume();
    member.disturb();
  });
  return true;
}

/** The power fails, and fails again while the node reads what is left, a few times over. */
function crashLoop(context: FaultContext, { member, random }: Strike): boolean {
  if (member.process.state === "dead" || member.outOfService !== null) return false;
  const again = (left: number): void => {
    if (member.outOfService === "held") return;
    member.crash();
    member.start();
    // A start takes a few operations of the disk, each a fraction of a millisecond.
    if (left > 0) context.undo(random.exponential(random.pick([0.2, 1, 5])), () => again(left - 1));
  };
  again(random.between(1, 4));
  return true;
}
