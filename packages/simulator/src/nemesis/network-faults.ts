import type { networkFaults as kinds } from "../plan/kinds.js";
import type { FaultAction, FaultContext, Strike } from "./fault.js";

/** Packets above this many bytes are lost on a narrow path; heartbeats, votes and single small entries are below it. */
const narrowPathBytes = [700, 1_500] as const;

/** Partitions of all shapes, and links that misbehave. */
export const networkFaults: Readonly<Record<(typeof kinds)[number], FaultAction>> = {
  halves: (context, { random, durationMs }) => among(context, (hosts) => context.world.network.splitInHalves(hosts, random), durationMs),
  isolate: (context, { member, durationMs }) => among(context, () => context.world.network.isolate(member.host), durationMs),
  deaf: (context, { member, durationMs }) => among(context, () => context.world.network.isolate(member.host, "in"), durationMs),
  mute: (context, { member, durationMs }) => among(context, () => context.world.network.isolate(member.host, "out"), durationMs),
  bridge: (context, strike) => shape(context, strike, (hosts) => context.world.network.bridge(hosts)),
  chain: (context, strike) => shape(context, strike, (hosts) => context.world.network.chain(hosts)),
  majorityRing: (context, strike) => shape(context, strike, (hosts) => context.world.network.majorityRing(hosts)),
  clog: (context, { member, random, durationMs }) =>
    among(context, (hosts) => context.world.network.clog(member.host, random.pick(hosts)), durationMs),
  swizzleClog,
  loss: ({ world }, { random }) => {
    world.network.configure({ lossPerMillion: random.pick([0, 50_000, 300_000]) });
    return true;
  },
  duplication: ({ world }, { random }) => {
    world.network.configure({ duplicatePerMillion: random.pick([0, 50_000, 500_000]) });
    return true;
  },
  narrowPath: (context, { member, random, durationMs }) => {
    const { network } = context.world;
    const others = context.fleet.members.filter((other) => other !== member);
    if (others.length === 0) return false;
    const { host } = random.pick(others);
    network.configureLink(member.host, host, { maxPacketBytes: random.pick(narrowPathBytes) });
    context.undo(durationMs, () => network.configureLink(member.host, host, { maxPacketBytes: Number.MAX_SAFE_INTEGER }));
    return true;
  },
  resetStream: (_context, { member, random }) => member.process.resetStream(random, random.below(16)),
  halfOpen: (_context, { member, random }) => member.process.loseConnection(random),
};

type Impose = (hosts: readonly string[]) => Parameters<FaultContext["impose"]>[0];

/** A fault among all machines. */
function among(context: FaultContext, impose: Impose, durationMs: number): boolean {
  const hosts = context.fleet.members.map(({ host }) => host);
  if (hosts.length < 2) return false;
  context.impose(impose(hosts), durationMs);
  return true;
}

/** A partition that depends on who stands where: by chance. */
function shape(context: FaultContext, { random, durationMs }: Strike, impose: Impose): boolean {
  return among(context, (hosts) => impose(random.shuffle([...hosts])), durationMs);
}

/** Clogs machines one after the other, and frees them in another order. Source: FoundationDB. */
function swizzleClog(context: FaultContext, { random, durationMs }: Strike): boolean {
  const { network } = context.world;
  const hosts = context.fleet.members.map(({ host }) => host);
  const chosen = random.shuffle([...hosts]).slice(0, random.between(1, hosts.length));
  for (const host of chosen)
    for (const other of hosts) if (other !== host) context.impose(network.clog(other, host), random.exponential(durationMs));
  return hosts.length > 1;
}
