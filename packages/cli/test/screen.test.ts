import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Screen } from "../src/dev/screen.js";
import { plain } from "../src/dev/text.js";
import { Keyboard, Terminal } from "./support/terminal.js";

// Readline edits lines only where the terminal can.
beforeEach(() => void vi.stubEnv("TERM", "xterm"));
afterEach(() => void vi.unstubAllEnvs());

function open(columns = 40, rows = 12) {
  const terminal = new Terminal(columns, rows);
  const keyboard = new Keyboard();
  const line = vi.fn<(text: string) => void>();
  const interrupt = vi.fn<() => void>();
  const input = keyboard as unknown as NodeJS.ReadStream;
  const output = terminal as unknown as NodeJS.WriteStream;
  const screen = new Screen(input, output, plain, { line, interrupt, complete: () => ["kill "] });
  const type = async (keys: string): Promise<void> => {
    keyboard.press(keys);
    await new Promise((next) => setImmediate(next));
  };
  return { terminal, keyboard, screen, line, interrupt, type };
}

describe("the screen", () => {
  it("keeps the block in place while it changes", () => {
    const { terminal, screen } = open();
    screen.show(["node 1", "node 2"]);
    screen.show(["node 1 leads", "node 2"]);
    screen.show(["node 1", "node 2 leads", "node 3"]);
    screen.show(["one"]);
    expect(terminal.text).toBe("one\noctopii>");
    screen.close();
  });

  it("prints above the block", () => {
    const { terminal, screen } = open();
    screen.show(["block"]);
    screen.print(["first", "second"]);
    screen.print(["third"]);
    expect(terminal.text).toBe("first\nsecond\nthird\nblock\noctopii>");
    screen.close();
  });

  it("makes each change in one write, and none where nothing changed", () => {
    const { terminal, screen } = open();
    screen.show(["block"]);
    const before = terminal.writes;
    screen.show(["block"]);
    expect(terminal.writes).toBe(before);
    screen.show(["other"]);
    expect(terminal.writes).toBe(before + 1);
    screen.close();
  });

  it("leaves what is being typed alone", async () => {
    const { terminal, screen, type } = open();
    screen.show(["block"]);
    await type("put a");
    screen.show(["changed"]);
    screen.print(["news"]);
    expect(terminal.text).toBe("news\nchanged\noctopii> put a");
    expect(terminal.cursor).toEqual({ row: 2, column: "octopii> put a".length });
    screen.close();
  });

  it("moves an entered line into history, above the block", async () => {
    const { terminal, screen, line, type } = open();
    screen.show(["block"]);
    await type("get colour\r");
    expect(line).toHaveBeenCalledWith("get colour");
    screen.print(["  green"]);
    await type("\r");
    expect(terminal.text).toBe("octopii> get colour\n  green\nblock\noctopii>");
    screen.close();
  });

  it("knows how many rows a long line takes, typed and entered", async () => {
    const { terminal, screen, type } = open(20);
    const long = `put key ${"x".repeat(45)}`;
    screen.show(["block"]);
    await type(long);
    screen.show(["changed"]);
    const rows = `octopii> ${long}`.match(/.{1,20}/g) ?? [];
    expect(terminal.text).toBe(["changed", ...rows].join("\n"));
    await type("\r");
    expect(terminal.text).toBe([...rows, "changed", "octopii>"].join("\n"));
    screen.close();
  });

  it("scrolls into the terminal's history when its room is used up", () => {
    const { terminal, screen } = open(40, 5);
    screen.show(["block", "of two"]);
    for (let i = 1; i <= 20; i++) screen.print([`line ${i}`]);
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`);
    expect(terminal.text).toBe([...lines, "block", "of two", "octopii>"].join("\n"));
    screen.close();
  });

  it("shows the end of a block that is too high", () => {
    const { terminal, screen } = open(40, 4);
    screen.show(["1", "2", "3", "4", "5"]);
    expect(terminal.text).toBe("4\n5\noctopii>");
    screen.close();
  });

  it("reports Ctrl-C once and closes quietly", async () => {
    const { terminal, keyboard, screen, interrupt, type } = open();
    screen.show(["block"]);
    await type("half a li\x03");
    expect(interrupt).toHaveBeenCalledTimes(1);
    screen.close();
    screen.close();
    expect(terminal.text).toBe("block");
    expect(keyboard.isRaw).toBe(false);
    expect(interrupt).toHaveBeenCalledTimes(1);
  });

  it("takes Ctrl-D for a wish to leave", async () => {
    const { screen, interrupt, type } = open();
    screen.show(["block"]);
    await type("\x04");
    expect(interrupt).toHaveBeenCalledTimes(1);
    screen.close();
  });
});
