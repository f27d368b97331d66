import type { TraceRecord } from "@octopii/testing";
import type { ClusterPlan } from "../plan/plan.js";
import type { ClusterRunResult } from "../run/options.js";
import { lanesOf } from "./lanes.js";
import { script } from "./script.js";
import { style } from "./style.js";

/** What a page shows. */
export interface PageContent {
  readonly result: ClusterRunResult;
  readonly plan: ClusterPlan;
  readonly records: readonly TraceRecord[];
}

/**
 * One HTML page that needs nothing else: a lane for each node with its roles and terms, messages, faults, commits and what clients saw, and the
 * promise that was broken. It can be zoomed, filtered and stepped through.
 */
export function renderPage({ result, plan, records }: PageContent): string {
  const { seed, profile, failure, nodes, operations, acknowledged } = result;
  const title = `seed ${seed} of ${profile}: ${nodes} nodes, ${operations} operations, ${acknowledged} acknowledged`;
  const verdict = failure === null ? "every promise was kept" : failure.message;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p id="verdict"${failure === null ? "" : ' class="bad"'}>${escapeHtml(verdict)}</p>
</header>
<div id="controls">
<button id="back" title="one event back">←</button><button id="forth" title="one event on">→</button>
<button id="all">everything</button><button id="culprit">violation</button>
<input id="filter" type="search" placeholder="filter: n2, commit, fault:power…" aria-label="filter">
<span id="groups"></span>
<span id="keys">wheel: zoom · drag: move · ← →: step · a: everything · v: violation</span>
</div>
<main>
<div id="lanes"><canvas></canvas></div>
<aside id="side"><ol id="list"></ol><details><summary>plan and counts</summary><pre>${escapeHtml(JSON.stringify({ plan, result }, null, 1))}</pre></details></aside>
</main>
<script type="application/json" id="data">${escapeJson({ lanes: lanesOf(records) })}</script>
<script>${script}</script>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? character);

/** JSON that cannot end the script element that it stands in. */
const escapeJson = (value: unknown): string => JSON.stringify(value).replace(/</g, "\\u003c");
