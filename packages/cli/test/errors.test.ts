import { CoreError, type CoreErrorCode } from "@octopii/core";
import { describe, expect, it } from "vitest";
import { describeError, exitCodeOf } from "../src/errors.js";

describe("the exit code", () => {
  it.each<[CoreErrorCode, 1 | 2]>([
    ["OCTOPII_CORE_CONFIGURATION_INVALID", 2],
    ["OCTOPII_CORE_DIRECTORY_FOREIGN", 2],
    ["OCTOPII_CORE_LOG_MISSING", 2],
    ["OCTOPII_CORE_IDENTITY_REFUSED", 2],
    ["OCTOPII_CORE_ADDRESS_IN_USE", 2],
    ["OCTOPII_CORE_UNAVAILABLE", 1],
    ["OCTOPII_CORE_TIMEOUT", 1],
  ])("of %s is %i", (code, exitCode) => {
    expect(exitCodeOf(new CoreError(code, "A sentence."))).toBe(exitCode);
  });

  it("of what is no error of Octopii is 1", () => {
    expect([new Error("bug"), "text", null].map(exitCodeOf)).toEqual([1, 1, 1]);
  });
});

describe("the words for an error", () => {
  it("are its sentence, in one line, if it is expected", () => {
    expect(describeError(new CoreError("OCTOPII_CORE_LOG_MISSING", "One\n  sentence."))).toBe("One sentence.");
  });

  it("are all there is to know of a bug", () => {
    expect(describeError(new TypeError("x is not a function"))).toMatch(/TypeError: x is not a function\n +at /);
  });
});
