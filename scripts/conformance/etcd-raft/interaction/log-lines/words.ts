import type { LogLine } from "../printer.js";
import type { TraceEvent } from "../raft.js";

/** One kind of event. */
export type Event<Type extends TraceEvent["type"]> = TraceEvent & { readonly type: Type };

export const debug = (text: string): LogLine => ({ level: "DEBUG", text });
export const info = (text: string): LogLine => ({ level: "INFO", text });
export const warn = (text: string): LogLine => ({ level: "WARN", text });
