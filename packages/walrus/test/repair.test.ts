import { describe, expect, it } from "vitest";
import { containsWalrus, openWalrus, type RepairReport, repairWalrus, verifyWalrus } from "../src/index.js";
import { CrashDisk, seededRandom } from "./support/crash-disk.js";

const segment = (number: number): string => `/log/${String(number).padStart(16, "0")}.wal`;

/** The files of a log of sixty entries in several segments, closed. */
async function closedLog(segmentBytes = 4096): Promise<Map<string, Uint8Array>> {
  const disk = new CrashDisk();
  const log = await openWalrus({ directory: "/log", segmentBytes }, { fileSystem: disk });
  for (let i = 0; i < 60; i++) await log.append("a", new Uint8Array(400));
  await log.close();
  return disk.files();
}

const segmentsOf = (files: Map<string, Uint8Array>): string[] => [...files.keys()].filter((name) => name.endsWith(".wal")).sort();

describe("a repair", () => {
  it("says which segments are gone from the end of a log that was closed", async () => {
    const files = await closedLog();
    const count = segmentsOf(files).length;
    files.delete(segment(count));
    files.delete(segment(count - 1));
    const disk = new CrashDisk(files);
    const verified = await verifyWalrus("/log", {}, { fileSystem: disk });
    expect(verified.problem?.message).toContain(`${segment(count)} is missing`);
    const report = await repairWalrus("/log", {}, { fileSystem: disk });
    expect(report.otherLosses).toEqual([
      `Everything that stood in ${segment(count).slice(5)}, and all before it from ${segment(count - 1).slice(5)} on, which are missing; the log ended there when it was closed.`,
    ]);
    const log = await openWalrus({ directory: "/log" }, { fileSystem: disk });
    expect(log.bounds("a").next).toBeLessThan(61);
    await log.close();
  });

  it("says how much is gone from the last segment of a log that was closed", async () => {
    const files = await closedLog(1024 * 1024);
    const whole = files.get(segment(1)) as Uint8Array;
    files.set(segment(1), whole.slice(0, whole.length - 4_720));
    const report = await repairWalrus("/log", {}, { fileSystem: new CrashDisk(files) });
    expect(report.otherLosses).toEqual([`Everything that stood in the last 4720 bytes of ${segment(1).slice(5)}, which are missing.`]);
  });

  it("does not say of what it changes that nothing was changed, and says each problem once", async () => {
    const files = await closedLog();
    const bad = files.get(segment(2)) as Uint8Array;
    bad[1000] = (bad[1000] as number) ^ 1;
    const report = await repairWalrus("/log", {}, { fileSystem: new CrashDisk(files) });
    expect(report.problems.join()).not.toContain("Nothing was changed");
    expect(new Set(report.problems).size).toBe(report.problems.length);
    expect(report.problems[0]).toMatch(/^\/log\/0+2\.wal, offset \d+: /);
  });

  it("that a crash interrupts says in the end all that is lost", { timeout: 60_000 }, async () => {
    const files = await closedLog();
    const bad = files.get(segment(2)) as Uint8Array;
    bad[1000] = (bad[1000] as number) ^ 1;
    files.delete("/log/closed.mark");
    const damaged = new CrashDisk(files);
    const states: CrashDisk[] = [];
    const random = seededRandom(3);
    damaged.onIo = async (operation) => {
      if (operation !== "read") states.push(...damaged.crashes(random, 3, 4));
    };
    const whole = await repairWalrus("/log", {}, { fileSystem: damaged });
    expect(whole.lost).toEqual([{ topic: "a", first: expect.any(Number), next: 61 }]);
    expect(states.length).toBeGreaterThan(50);
    for (const state of states) {
      const disk = new CrashDisk(state.files());
      const second = await repairWalrus("/log", {}, { fileSystem: disk });
      // After the very last step nothing is left to repair: then the account beside the copies says it.
      const account = disk.files().get("/log/repair-backup-1/repair.json") ?? new Uint8Array();
      const said = second.changed ? second : (JSON.parse(new TextDecoder().decode(account)) as RepairReport);
      expect(said.lost).toEqual(whole.lost);
      expect(said.lostBytes).toBeGreaterThanOrEqual(whole.lostBytes);
      const log = await openWalrus({ directory: "/log" }, { fileSystem: disk });
      expect(log.bounds("a").next).toBe(whole.lost[0]?.first);
      await log.close();
      // It is told once: a log that is sound is left alone after that.
      expect(await repairWalrus("/log", {}, { fileSystem: disk })).toMatchObject({ changed: false, lost: [], otherLosses: [] });
    }
  });

  it("that goes on after an interruption keeps what the log has taken since", { timeout: 60_000 }, async () => {
    const files = await closedLog();
    const spoil = (all: Map<string, Uint8Array>, number: number): void => {
      const bad = all.get(segment(number)) as Uint8Array;
      bad[1000] = (bad[1000] as number) ^ 1;
    };
    spoil(files, 2);
    files.delete("/log/closed.mark");
    const damaged = new CrashDisk(files);
    const states: CrashDisk[] = [];
    const random = seededRandom(5);
    damaged.onIo = async (operation) => {
      if (operation !== "read") states.push(...damaged.crashes(random, 1, 1));
    };
    await repairWalrus("/log", {}, { fileSystem: damaged });
    let goneOn = 0;
    for (const state of states) {
      const disk = new CrashDisk(state.files());
      const log = await openWalrus({ directory: "/log", segmentBytes: 4096 }, { fileSystem: disk }).catch(() => null);
      if (log === null) continue;
      for (let i = 0; i < 30; i++) await log.append("a", new Uint8Array(400).fill(1));
      await log.close();
      const before = disk.files();
      spoil(before, 2);
      const again = new CrashDisk(before);
      const report = await repairWalrus("/log", {}, { fileSystem: again });
      const after = again.files();
      for (const [name, bytes] of before) {
        if (name.includes("repair-backup") || after.get(name)?.join() === bytes.join()) continue;
        goneOn++;
        expect(after.get(name.replace("/log/", `${report.backup}/`)), name).toEqual(bytes);
      }
    }
    expect(goneOn).toBeGreaterThan(10);
  });

  it("of a directory without a log can be told from one of a sound log", async () => {
    expect(await containsWalrus("/log", { fileSystem: new CrashDisk() })).toBe(false);
    expect(await containsWalrus("/log", { fileSystem: new CrashDisk(await closedLog()) })).toBe(true);
    await expect(containsWalrus("/nowhere/at/all")).rejects.toThrow("There is no directory /nowhere/at/all; check the path.");
    await expect(containsWalrus("/dev/null")).rejects.toThrow("/dev/null is no directory");
  });
});
