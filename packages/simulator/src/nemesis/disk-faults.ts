import { type DiskOperation, diskDefaults } from "@octopii/testing";
import { dataDirectory } from "../cluster/simulated-member.js";
import type { damagingFaults as damagingKinds, diskFaults as kinds } from "../plan/kinds.js";
import type { FaultAction, FaultContext, Strike } from "./fault.js";

const failing: readonly DiskOperation[] = [
  "open",
  "read",
  "write",
  "write",
  "sync",
  "truncate",
  "readDirectory",
  "rename",
  "remove",
  "syncDirectory",
];

/** What disks do that nodes are told of, or that passes. */
export const diskFaults: Readonly<Record<(typeof kinds)[number], FaultAction>> = {
  slowDisk: (_context, { member, durationMs }) => {
    member.process.disk.stall(durationMs);
    return true;
  },
  latency: (context, strike) => {
    const slow = { minMs: 0, meanMs: strike.random.pick([2, 20, 100]) };
    // Where messages are faster than all disks, whatever leaves before it is written gets far.
    const members = strike.random.chance(1, 2) ? context.fleet.members : [strike.member];
    for (const member of members)
      reconfigure(context, { ...strike, member }, { readLatency: slow, writeLatency: slow, syncLatency: slow, metadataLatency: slow });
    return true;
  },
  ioError: (_context, strike) => fail(strike, strike.random.pick(failing), "EIO"),
  // What it covered is dropped, and the next one succeeds. Durable writes are syncs too.
  failedSync: (_context, strike) => fail(strike, strike.random.pick(["sync", "write"] as const), "EIO"),
  // The first sectors are there, and then the disk is full.
  shortWrite: (_context, strike) => fail(strike, "write", "ENOSPC"),
  diskFull: (context, strike) => reconfigure(context, strike, { capacityBytes: strike.random.pick([0, 100_000]) }),
  tooManyFiles: (context, strike) => reconfigure(context, strike, { maxOpenFiles: strike.random.pick([1, 3]) }),
  rotOnRead: (_context, { member, random }) => {
    // While a node starts, a bad last commit cannot be told from one that was torn: that much is not promised.
    if (member.process.state !== "running" || member.node?.status().role === "stopped") return false;
    member.diskTrouble++;
    member.process.disk.failSilently("rotOnRead", { path: dataDirectory, skip: random.below(3) });
    return true;
  },
};

/** What costs a member its log. */
export const damagingFaults: Readonly<Record<(typeof damagingKinds)[number], FaultAction>> = {
  rotAtRest: (context, { member, random }) => {
    const { disk } = member.process;
    const isThere = (path: string): boolean => path.startsWith(dataDirectory) && disk.readCached(path) !== null;
    const files = [...disk.durableImage()].filter(([path, bytes]) => bytes.length > 0 && isThere(path));
    if (files.length === 0 || !context.atlas.mayDamage(member)) return false;
    context.atlas.damage(member);
    const [path, bytes] = random.pick(files);
    disk.flipByte(path, random.below(bytes.length), 1 << random.below(8));
    return true;
  },
  misdirectedWrite: (context, { member, random }) => {
    if (member.process.state !== "running" || !context.atlas.mayDamage(member)) return false;
    context.atlas.damage(member);
    member.process.disk.failSilently("misdirect", { path: dataDirectory, skip: random.below(5) });
    return true;
  },
  wipedDisk: (context, { member }) => {
    if (!context.atlas.mayDamage(member)) return false;
    member.crash();
    member.process.disk.restore(new Map());
    context.atlas.damage(member);
    return true;
  },
};

function fail({ member, random }: Strike, operation: DiskOperation, code: string): boolean {
  member.diskTrouble++;
  member.process.disk.failNext(operation, { code, skip: random.pick([0, 0, 1, 5]), times: random.pick([1, 1, 3]) });
  return true;
}

function reconfigure(context: FaultContext, { member, durationMs }: Strike, options: Partial<typeof diskDefaults>): boolean {
  member.diskTrouble++;
  const { disk } = member.process;
  disk.configure(options);
  context.undo(durationMs, () => disk.configure(diskDefaults));
  return true;
}
