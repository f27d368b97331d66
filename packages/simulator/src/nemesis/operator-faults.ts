import { isCoreError } from "@octopii/core";
import type { DiskImage } from "@octopii/testing";
import { dataDirectory, type SimulatedMember } from "../cluster/simulated-member.js";
import type { operatorFaults as kinds } from "../plan/kinds.js";
import type { FaultAction, FaultContext, Strike } from "./fault.js";
import { causeCodes, isDiskTrouble, isExcused } from "./trouble.js";

const identity = `${dataDirectory}/node.json`;
const logDirectory = `${dataDirectory}/log/`;

/** A node may take so long to refuse, in milliseconds; disks may be slow. */
const refusalMs = 2_000;

/** What an operator does wrong. Every node must refuse, and change nothing. */
export const operatorFaults: Readonly<Record<(typeof kinds)[number], FaultAction>> = {
  staleBackup,
  swappedDisks,
  lostLog: (context, { member }) => {
    const image = takeOut(context, member);
    if (image === null || !member.hasTakenPart) return giveBack(member, image);
    const rest = [...image].filter(([path]) => !path.startsWith(logDirectory));
    return refuse(context, {
      member,
      disk: new Map(rest),
      back: image,
      what: "a directory without its log",
      codes: ["OCTOPII_CORE_LOG_MISSING"],
    });
  },
  lostSegment: (context, { member, random }) => {
    const image = takeOut(context, member);
    const segments = [...(image?.keys() ?? [])].filter((path) => path.startsWith(logDirectory) && /\d+\.\w+$/.test(path)).sort();
    // The first may be gone because nothing in it counts any more, and that there was a last one nobody can tell.
    if (image === null || segments.length < 3 || !member.hasTakenPart) return giveBack(member, image);
    const lost = random.pick(segments.slice(1, -1));
    const rest = [...image].filter(([path]) => path !== lost);
    return refuse(context, { member, disk: new Map(rest), back: image, what: `a log without ${lost}`, codes: ["OCTOPII_WALRUS_CORRUPT"] });
  },
  duplicateNode: (context, { member }) => {
    if (member.process.state !== "running" || member.outOfService !== null || !isStarted(member)) return false;
    member.duplicate((error) => {
      if (causeCodes(error).includes("OCTOPII_WALRUS_LOCKED") || isExcused(member, error)) return;
      // The first one may have given the directory up by itself meanwhile.
      if (member.hasFailed || !isStarted(member)) return;
      context.violate("operator", `a second node ${member.id} on one disk ${error === null ? "started" : `failed with ${String(error)}`}`);
    });
    return true;
  },
};

/** A backup of long ago is put on a new machine, under a new name. */
function staleBackup(context: FaultContext, { member, durationMs }: Strike): boolean {
  const backup = member.process.disk.durableImage();
  if (!backup.has(identity) || !context.atlas.mayDamage(member)) return false;
  context.undo(durationMs, () => {
    if (!context.atlas.mayDamage(member) || takeOut(context, member) === null) return;
    member.outOfService = null;
    context.atlas.damage(member);
    expectRefusal(
      context,
      member,
      backup,
      "a backup of another node",
      ["OCTOPII_CORE_DIRECTORY_FOREIGN"],
      () => undefined,
      1_000_000 + member.id,
    );
  });
  return true;
}

/** Two machines are down, and each gets the other's disk. */
function swappedDisks(context: FaultContext, { member, random }: Strike): boolean {
  const others = context.fleet.members.filter((other) => other !== member && other.outOfService === null);
  if (others.length === 0 || member.outOfService !== null) return false;
  const pair = [member, random.pick(others)] as const;
  const images = pair.map((one) => takeOut(context, one));
  const [first, second] = images;
  if (!first?.has(identity) || !second?.has(identity)) return pair.map((one, at) => giveBack(one, images[at] ?? null)).includes(true);
  const codes = ["OCTOPII_CORE_DIRECTORY_FOREIGN"];
  refuse(context, { member: pair[0], disk: second, back: first, what: "another node's disk", codes });
  return refuse(context, { member: pair[1], disk: first, back: second, what: "another node's disk", codes });
}

interface Refusal {
  readonly member: SimulatedMember;
  /** What the operator puts in. */
  readonly disk: DiskImage;
  /** What was there, and is again afterwards. */
  readonly back: DiskImage;
  readonly what: string;
  readonly codes: readonly string[];
}

function refuse(context: FaultContext, { member, disk, back, what, codes }: Refusal): boolean {
  expectRefusal(context, member, disk, what, codes, () => giveBack(member, back));
  return true;
}

/** Starts a node on a disk that it must not take, and sees that it refuses and leaves every byte as it is. */
function expectRefusal(
  context: FaultContext,
  member: SimulatedMember,
  disk: DiskImage,
  what: string,
  codes: readonly string[],
  then: () => void,
  id: number = member.id,
): void {
  member.process.disk.restore(disk);
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    member.kill();
    then();
  };
  context.undo(refusalMs, finish);
  member.tryStart(id, (error) => {
    if (isOver) return;
    const found = causeCodes(error);
    if (error === null) context.violate("operator", `node ${id} started on ${what}`);
    else if (!isDiskTrouble(member, found) && !codes.some((code) => found.includes(code)))
      context.violate("operator", `node ${id} refused ${what} with ${String(error)}, where ${codes.join(" or ")} says it`);
    else if (!isSameImage(member.process.disk.durableImage(), disk))
      context.violate("operator", `node ${id} refused ${what} and changed it`);
    // The node's own words come to their end before its process does.
    context.undo(0, finish);
  });
}

/** Switches a member off and lays its disk on the table; null if it is in use elsewhere, or out of service. */
function takeOut(_context: FaultContext, member: SimulatedMember): DiskImage | null {
  if (member.outOfService !== null) return null;
  member.crash();
  member.outOfService = "held";
  return member.process.disk.durableImage();
}

/** Puts a member's own disk back, and starts it. @returns false, for a fault that did not come about. */
function giveBack(member: SimulatedMember, image: DiskImage | null): boolean {
  if (image === null || member.outOfService !== "held") return false;
  member.process.disk.restore(image);
  member.outOfService = null;
  member.start();
  return false;
}

const isStarted = (member: SimulatedMember): boolean => {
  const status = member.isUp ? member.node?.status() : undefined;
  return status !== undefined && !isCoreError(status) && status.role !== "stopped";
};

function isSameImage(a: DiskImage, b: DiskImage): boolean {
  if (a.size !== b.size) return false;
  for (const [path, bytes] of a) {
    const other = b.get(path);
    if (other === undefined || other.length !== bytes.length || !bytes.every((byte, at) => byte === other[at])) return false;
  }
  return true;
}
