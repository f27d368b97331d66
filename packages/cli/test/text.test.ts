import { describe, expect, it } from "vitest";
import { cut, formatBytes, formatDuration, showBytes, wantsColour, widthOf, wrap } from "../src/dev/text.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("bytes for a terminal", () => {
  it("are shown as text", () => {
    expect(showBytes(bytes("grün 你好"), 40)).toBe("grün 你好");
  });

  it("cannot move the cursor, change colours, or turn the direction of writing", () => {
    expect(showBytes(bytes("a\x1b[2Jb\x07\r\n\t\u202ec"), 60)).toBe("a\\u{1b}[2Jb\\u{7}\\u{d}\\n\\t\\u{202e}c");
  });

  it("that are not text are counted", () => {
    expect(showBytes(new Uint8Array([0xff, 0xfe, 0]), 40)).toBe("3 B that are not text");
  });

  it("are cut to what fits", () => {
    expect(showBytes(bytes("x".repeat(100)), 10)).toBe(`${"x".repeat(9)}…`);
  });
});

describe("widths", () => {
  it("count columns, not characters", () => {
    expect(widthOf("abc")).toBe(3);
    expect(widthOf("\x1b[31mabc\x1b[39m")).toBe(3);
    expect(widthOf("你好")).toBe(4);
    expect(widthOf("e\u0301")).toBe(1);
    expect(widthOf("🐙")).toBe(2);
  });

  it("are kept when text is cut", () => {
    expect(cut("你好你好", 5)).toBe("你好…");
    expect(cut("short", 5)).toBe("short");
    expect(cut("longer", 0)).toBe("");
  });
});

describe("wrapping", () => {
  it("breaks between words, and keeps the indent", () => {
    expect(wrap("  one two three four", 11)).toEqual(["  one two", "  three", "  four"]);
    expect(wrap("one two three four", 13)).toEqual(["one two three", "four"]);
    expect(wrap("put KEY  stores it somewhere safe", 20, 9)).toEqual(["put KEY  stores it", "         somewhere", "         safe"]);
  });

  it("leaves alone what fits, blanks included", () => {
    expect(wrap("  a   b  ", 9)).toEqual(["  a   b  "]);
    expect(wrap("x".repeat(1_000), Number.POSITIVE_INFINITY)).toEqual(["x".repeat(1_000)]);
    expect(wrap("", 10)).toEqual([""]);
  });

  it("breaks a word only if it is wider than a line, and gives up an indent that leaves no room", () => {
    expect(wrap("  see /a/very/long/path now", 10)).toEqual(["  see", "  /a/very/", "  long/pat", "  h now"]);
    expect(wrap("        abcdef ghi", 10, 8)).toEqual(["        ab", "  cdef ghi"]);
    expect(wrap("你好你好", 5)).toEqual(["你好", "你好"]);
  });

  it("takes line breaks for what they are", () => {
    expect(wrap("  Error: x\n    at y", 40)).toEqual(["  Error: x", "    at y"]);
  });
});

describe("numbers for people", () => {
  it("have units", () => {
    expect([0, 1_023, 1_024, 10 * 1_024, 3_500_000].map(formatBytes)).toEqual(["0 B", "1023 B", "1.0 KiB", "10 KiB", "3.3 MiB"]);
    expect([1.234, 99.6, 1_540].map(formatDuration)).toEqual(["1.2 ms", "100 ms", "1.5 s"]);
  });
});

describe("colours", () => {
  it("are for terminals whose owner wants them", () => {
    expect(wantsColour({ isTTY: true }, { TERM: "xterm" })).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: "dumb" })).toBe(false);
    expect(wantsColour({}, {})).toBe(false);
  });
});
