import { describe, expect, test } from "vitest";
import { createManualTime } from "../../src/index.js";

describe("createManualTime", () => {
  test("runs timers in order of time, then of setting, and turns after what is due", () => {
    const { clock, scheduler, advance } = bind();
    const order: string[] = [];
    scheduler.setTimer(10, () => {
      order.push("a");
      scheduler.nextTurn(() => order.push("turn"));
    });
    scheduler.setTimer(10, () => order.push("b"));
    scheduler.setTimer(5, () => order.push(`at ${clock.now()}`));
    advance(4.9);
    expect(order).toEqual([]);
    advance(5.1);
    expect(order).toEqual(["at 5", "a", "b", "turn"]);
    expect(clock.now()).toBe(10);
  });

  test("zero and negative delays mean the next turn; advance(0) runs it", () => {
    const { scheduler, advance } = bind();
    const order: number[] = [];
    scheduler.setTimer(0, () => order.push(1));
    scheduler.setTimer(-5, () => order.push(2));
    scheduler.nextTurn(() => scheduler.nextTurn(() => order.push(3)));
    expect(order).toEqual([]);
    advance(0);
    expect(order).toEqual([1, 2, 3]);
  });

  test("cancels, re-arms, counts what waits", () => {
    const time = createManualTime({ startWallTime: 1_000 });
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      time.scheduler.setTimer(10, tick);
    };
    tick();
    const cancelled = time.scheduler.setTimer(15, () => {
      ticks += 100;
    });
    expect(time.pending).toBe(2);
    cancelled.cancel();
    cancelled.cancel();
    expect(time.pending).toBe(1);
    time.advance(100);
    expect(ticks).toBe(11);
    expect(time.clock.wallTime()).toBe(1_100);
  });

  test("throws what a callback throws, and goes on afterwards", () => {
    const { scheduler, advance } = bind();
    scheduler.setTimer(1, () => {
      throw new Error("a bug");
    });
    let later = false;
    scheduler.setTimer(2, () => {
      later = true;
    });
    expect(() => advance(5)).toThrow("a bug");
    advance(5);
    expect(later).toBe(true);
  });

  test("refuses what cannot be: time going back, advancing from a callback, turns without end", () => {
    const { scheduler, advance } = bind();
    expect(() => advance(-1)).toThrow(RangeError);
    expect(() => scheduler.setTimer(Number.POSITIVE_INFINITY, () => undefined)).toThrow(RangeError);
    scheduler.nextTurn(() => advance(1));
    expect(() => advance(0)).toThrow(/called from a callback/);
    const spin = (): void => scheduler.nextTurn(spin);
    spin();
    expect(() => advance(0)).toThrow(expect.objectContaining({ code: "OCTOPII_TESTING_STANDSTILL" }));
  });
});

function bind() {
  const time = createManualTime();
  return { clock: time.clock, scheduler: time.scheduler, advance: (milliseconds: number) => time.advance(milliseconds) };
}
