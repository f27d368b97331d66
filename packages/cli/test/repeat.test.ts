import { CoreError } from "@octopii/core";
import { describe, expect, it, vi } from "vitest";
import { repeatUntilDone } from "../src/repeat.js";

const options = { timeoutMs: 1_000, attemptTimeoutMs: 40 };
const unknown = new CoreError("OCTOPII_CORE_TIMEOUT", "No answer.", { outcome: "unknown" });
const unavailable = new CoreError("OCTOPII_CORE_UNAVAILABLE", "Nobody leads.");

describe("repeating until it is done", () => {
  it("goes on through what may pass, with ever more time per attempt", async () => {
    const call = vi.fn<(timeoutMs: number) => Promise<string>>();
    call.mockRejectedValueOnce(unknown).mockRejectedValueOnce(unavailable).mockResolvedValueOnce("done");
    expect(await repeatUntilDone(call, options)).toBe("done");
    expect(call.mock.calls.map(([timeoutMs]) => timeoutMs)).toEqual([40, 80, 160]);
  });

  it("stops at what will not pass", async () => {
    const tooLarge = new CoreError("OCTOPII_CORE_TOO_LARGE", "Too large.");
    const call = vi.fn<(timeoutMs: number) => Promise<never>>().mockRejectedValue(tooLarge);
    await expect(repeatUntilDone(call, options)).rejects.toBe(tooLarge);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it("gives the last error when time is up, and no attempt more time than there is", async () => {
    const given: number[] = [];
    const call = async (timeoutMs: number): Promise<never> => {
      given.push(timeoutMs);
      await new Promise((next) => setTimeout(next, 10));
      throw unknown;
    };
    await expect(repeatUntilDone(call, { timeoutMs: 100, attemptTimeoutMs: 80 })).rejects.toBe(unknown);
    expect(given.length).toBeGreaterThan(1);
    expect(given.every((timeoutMs, i) => timeoutMs <= (i === 0 ? 80 : 100))).toBe(true);
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const call = vi.fn<(timeoutMs: number) => Promise<never>>().mockImplementation(() => {
      controller.abort(new Error("enough"));
      return Promise.reject(unknown);
    });
    await expect(repeatUntilDone(call, { ...options, signal: controller.signal })).rejects.toThrow("enough");
    expect(call).toHaveBeenCalledTimes(1);
  });
});
