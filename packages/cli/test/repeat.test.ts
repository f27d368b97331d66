import { CoreError } from "@octopii/core";
import { describe, expect, it, vi } from "vitest";
import { repeatUntilDone } from "../src/repeat.js";

const options = { timeoutMs: 1_000, attemptTimeoutMs: 40 };
const unknown = new CoreError("OCTOPII_CORE_TIMEOUT", "No answer.", { outcome: "unknown" });
const unavailable = new CoreError("OCTOPII_CORE_UNAVAILABLE", "Nobody leads.");

const calls = () => vi.fn<(timeoutMs: number) => Promise<string>>();

/** Fails with each of `errors` in turn, the last of them for ever; each attempt takes a moment. */
function failing(...errors: readonly Error[]): { call: (timeoutMs: number) => Promise<never>; given: number[] } {
  const given: number[] = [];
  const call = async (timeoutMs: number): Promise<never> => {
    const error = errors[Math.min(given.length, errors.length - 1)];
    given.push(timeoutMs);
    await new Promise((next) => setTimeout(next, 5));
    throw error;
  };
  return { call, given };
}

describe("repeating until it is done", () => {
  it("goes on through what certainly did not happen, with ever more time per attempt", async () => {
    const call = calls().mockRejectedValueOnce(unavailable).mockRejectedValueOnce(unavailable).mockResolvedValueOnce("done");
    expect(await repeatUntilDone(call, options)).toBe("done");
    expect(call.mock.calls.map(([timeoutMs]) => timeoutMs)).toEqual([40, 80, 160]);
  });

  it("stops by itself at an unknown outcome", async () => {
    const onUnknown = vi.fn<(error: CoreError) => void>();
    const call = calls().mockRejectedValueOnce(unavailable).mockRejectedValueOnce(unknown).mockResolvedValue("done");
    await expect(repeatUntilDone(call, { ...options, onUnknown })).rejects.toBe(unknown);
    expect(call).toHaveBeenCalledTimes(2);
    expect(onUnknown.mock.calls).toEqual([[unknown]]);
  });

  it("goes on through unknown outcomes of what is idempotent, and tells of each", async () => {
    const onUnknown = vi.fn<(error: CoreError) => void>();
    const call = calls().mockRejectedValueOnce(unknown).mockRejectedValueOnce(unavailable).mockResolvedValue("done");
    expect(await repeatUntilDone(call, { ...options, effect: "idempotent", onUnknown })).toBe("done");
    expect(onUnknown.mock.calls).toEqual([[unknown]]);
  });

  it("goes on through unknown outcomes of what only reads, without a word", async () => {
    const onUnknown = vi.fn<(error: CoreError) => void>();
    const call = calls().mockRejectedValueOnce(unknown).mockResolvedValue("done");
    expect(await repeatUntilDone(call, { ...options, effect: "none", onUnknown })).toBe("done");
    expect(onUnknown).not.toHaveBeenCalled();
  });

  it("stops at what will not pass", async () => {
    const tooLarge = new CoreError("OCTOPII_CORE_TOO_LARGE", "Too large.");
    const call = calls().mockRejectedValue(tooLarge);
    await expect(repeatUntilDone(call, options)).rejects.toBe(tooLarge);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const call = calls().mockImplementation(() => {
      controller.abort(new Error("enough"));
      return Promise.reject(unavailable);
    });
    await expect(repeatUntilDone(call, { ...options, signal: controller.signal })).rejects.toThrow("enough");
    expect(call).toHaveBeenCalledTimes(1);
  });
});

describe("when time is up, repeating", () => {
  const short = { timeoutMs: 300, attemptTimeoutMs: 80 };

  it("gives the last error, and gave no attempt more time than there was, nor too little to be worth it", async () => {
    const { call, given } = failing(unavailable);
    await expect(repeatUntilDone(call, short)).rejects.toBe(unavailable);
    expect(given.length).toBeGreaterThan(1);
    expect(given[0]).toBe(80);
    expect(Math.max(...given)).toBeLessThanOrEqual(300);
    // It is decided before a pause, and a busy machine may pause for longer.
    expect(Math.min(...given)).toBeGreaterThan(0);
  });

  it("does not call failed what may have happened in an earlier attempt", async () => {
    const { call, given } = failing(unknown, unavailable);
    const error: unknown = await repeatUntilDone(call, { ...short, effect: "idempotent" }).catch((reason: unknown) => reason);
    expect(given.length).toBeGreaterThan(1);
    expect(error).toMatchObject({ name: "CoreError", code: unknown.code, outcome: "unknown", cause: unavailable });
    expect((error as Error).message).toMatch(/No answer\..*Nobody leads\./);
  });

  it("gives a reader's last error as it is", async () => {
    const { call } = failing(unknown, unavailable);
    await expect(repeatUntilDone(call, { ...short, effect: "none" })).rejects.toBe(unavailable);
  });
});
