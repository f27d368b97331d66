import { describe, expect, it } from "vitest";
import { RefusalLog } from "../../src/session/refusal-log.js";

describe("the log of refusals", () => {
  const lab = () => {
    const time = { now: 0 };
    const levels: string[] = [];
    const at = (level: string) => () => void levels.push(level);
    const logger = { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    return { time, levels, log: new RefusalLog({ now: () => time.now, wallTime: () => 0 }, logger) };
  };

  it("warns once of a peer that dials again and again, from whatever port", () => {
    const { time, levels, log } = lab();
    for (let port = 1; port <= 3; port += 1) log.tell(`10.0.0.1:${port}`, "expired");
    log.tell("10.0.0.1:9", "wrong cluster");
    log.tell("[::1]:9", "expired");
    time.now = 11 * 60 * 1000;
    log.tell("10.0.0.1:4", "expired");
    expect(levels).toEqual(["warn", "debug", "debug", "warn", "warn", "warn"]);
  });

  it("remembers few, so that a peer cannot make it grow", () => {
    const { levels, log } = lab();
    for (let i = 0; i < 1_000; i += 1) log.tell("10.0.0.1:1", `reason ${i}`);
    log.tell("10.0.0.1:1", "reason 999");
    log.tell("10.0.0.1:1", "reason 0");
    expect(levels.slice(-2)).toEqual(["debug", "warn"]);
  });
});
