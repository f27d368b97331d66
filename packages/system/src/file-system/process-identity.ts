import { readFileSync } from "node:fs";
import { errnoCode } from "./settle.js";

/** What tells one process from every other that ever had its pid. The last two are null where the system does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Changes at every boot. */
  readonly bootId: string | null;
  /** When the process started, in clock ticks since boot. */
  readonly startTime: string | null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Field 22 of `/proc/<pid>/stat`, counted after the command's name, which may itself hold spaces and parentheses. */
function startTimeOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function bootId(): string | null {
  return readOrNull("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, bootId: bootId(), startTime: startTimeOf(process.pid) };
}

/** Whether the process that `identity` was taken from still runs. When in doubt it does: taking a live process's lock costs data. */
export function isAlive(identity: ProcessIdentity): boolean {
  const boot = bootId();
  if (identity.bootId !== null && boot !== null && identity.bootId !== boot) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (errnoCode(error) === "ESRCH") return false;
  }
  const startTime = startTimeOf(identity.pid);
  return identity.startTime === null || startTime === null || startTime === identity.startTime;
}
