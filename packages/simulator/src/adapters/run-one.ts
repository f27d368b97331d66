import { writeFileSync } from "node:fs";
import type { TraceRecord } from "@octopii/testing";
import {
  encodeEdn,
  encodeJson,
  type HistoryEvent,
  type StoreInput,
  type StoreOutput,
  storeJepsen,
  toJepsen,
} from "../linearizability/index.js";
import { planOf, runCluster } from "../run/cluster-run.js";
import type { ClusterRunOptions, ClusterRunResult } from "../run/options.js";
import { renderPage } from "../viewer/page.js";
import type { Arguments } from "./arguments.js";

/** A run, and the files that it leaves. */
export type SingleRun = Pick<Arguments, "profile" | "plan" | "trace" | "view" | "edn" | "history"> & { readonly seed: number };

/** Does one run in this process and writes down what was asked for. */
export async function runOne({ seed, profile, plan, trace, view, edn, history }: SingleRun): Promise<ClusterRunResult> {
  const records: TraceRecord[] = [];
  let events: readonly HistoryEvent<StoreInput, StoreOutput>[] = [];
  const options: ClusterRunOptions = { seed, profile, plan, onHistory: (all) => (events = all) };
  const isTraced = trace !== null || view !== null;
  const result = await runCluster(isTraced ? { ...options, onTrace: (record) => records.push(record) } : options);
  if (trace !== null) writeFileSync(trace, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  if (view !== null) writeFileSync(view, renderPage({ result, plan: planOf(options), records }));
  if (edn !== null) writeFileSync(edn, encodeEdn(toJepsen(events, storeJepsen)));
  if (history !== null) writeFileSync(history, encodeJson(toJepsen(events, storeJepsen)));
  return result;
}
