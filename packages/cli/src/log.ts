import { inspect } from "node:util";
import type { Logger } from "@octopii/interfaces";

/** From the most to the least talkative. */
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Writes a line per event: time, level, sentence, and the fields as `name=value`. @param write - gets whole lines. */
export function textLogger(write: (line: string) => void, least: LogLevel): Logger {
  const from = logLevels.indexOf(least);
  const method = (level: LogLevel) => {
    if (logLevels.indexOf(level) < from) return () => undefined;
    return (fields: Readonly<Record<string, unknown>>, message: string): void => {
      write(`${new Date().toISOString()} ${level.padEnd(5)} ${message}${formatFields(fields)}\n`);
    };
  };
  return { trace: method("trace"), debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`)
    .join("");
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === "string") return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 2, maxArrayLength: 8, maxStringLength: 200 });
}
