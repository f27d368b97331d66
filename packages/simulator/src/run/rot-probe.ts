import type { DiskImage, SeededRandom, World } from "@octopii/testing";
import { isWalrusError, openWalrus } from "@octopii/walrus";
import { logDirectory, type SimulatedMember } from "../cluster/simulated-member.js";
import { OracleViolation } from "../oracles/violation.js";
import { readerOf, readStoredLog, type StoredLog } from "./stored-logs.js";

/** So many bits are flipped, one at a time. */
const flips = 3;

/**
 * Flips bits in the log of a node that is not running any more, one at a time, and reads it: it must say that it is damaged, or hold what it
 * held. RULE 3: corruption is not a torn tail. Half of the time the log was closed properly; otherwise something small was appended since, and
 * the process died, so that all that is flipped was once durable and followed by something durable.
 * @param log - what the log holds.
 */
export async function probeRot(world: World, member: SimulatedMember, log: StoredLog, random: SeededRandom): Promise<void> {
  const { disk } = member.process;
  const before = disk.durableImage();
  if (random.chance(1, 2)) await appendSomething(world, member);
  const whole = disk.durableImage();
  const places = placesIn(before, whole);
  for (let flip = 0; flip < flips && places.length > 0; flip++) {
    const { path, bytes } = random.pick(places);
    const offset = random.below(bytes);
    disk.flipByte(path, offset, 1 << random.below(8));
    const found = await readStoredLog(world, member);
    const isSame = found === null || (found.lastIndex === log.lastIndex && found.compactedIndex === log.compactedIndex);
    disk.restore(whole);
    if (isSame) continue;
    const held = `${log.compactedIndex + 1} to ${log.lastIndex}`;
    const holds = `${found.compactedIndex + 1} to ${found.lastIndex}`;
    throw new OracleViolation("rot", `a bit was flipped at ${offset} of ${path} of ${member.host}, and its log of ${held} holds ${holds}`);
  }
  disk.restore(before);
}

/** Segments, as far as they were there before: what came after may pass for a torn write. */
function placesIn(before: DiskImage, whole: DiskImage): { readonly path: string; readonly bytes: number }[] {
  return [...before]
    .filter(([path, bytes]) => path.startsWith(`${logDirectory}/`) && path.endsWith(".wal") && bytes.length > 0 && whole.has(path))
    .map(([path, bytes]) => ({ path, bytes: bytes.length }));
}

/** Appends one small record that nobody reads, durably, and dies. */
async function appendSomething(world: World, member: SimulatedMember): Promise<void> {
  const process = readerOf(world, member);
  const fileSystem = process.mount(member.process.disk);
  const { scheduler, random } = process;
  try {
    const walrus = await openWalrus({ directory: logDirectory }, { fileSystem, scheduler, random });
    await walrus.append("probe", new Uint8Array([1]));
  } catch (error) {
    if (!isWalrusError(error)) throw error;
    throw new OracleViolation("stored log", `the log of ${member.host} cannot be opened after its close: ${error.message}`);
  } finally {
    process.kill();
  }
}
