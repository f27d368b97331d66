/** The page's looks; dark or light as the reader's system is. */
export const style: string = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --faint: #8b949e; --line: #d8dee4; --band: #f3f5f7;
  --leader: #1a7f37; --candidate: #bf8700; --follower: #54718f; --bad: #cf222e; --message: #8250df; --fault: #bc4c00; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --ink: #e6edf3; --faint: #7d8590; --line: #30363d; --band: #161b22;
  --leader: #3fb950; --candidate: #d29922; --follower: #6e8fb3; --bad: #f85149; --message: #a371f7; --fault: #db6d28; } }
* { box-sizing: border-box; }
body { margin: 0; font: 13px/1.45 system-ui, sans-serif; background: var(--ground); color: var(--ink); display: flex; flex-direction: column; height: 100vh; }
header { padding: 10px 16px; border-bottom: 1px solid var(--line); }
h1 { font-size: 15px; margin: 0 0 2px; }
#verdict { margin: 0; white-space: pre-wrap; max-height: 7em; overflow: auto; }
#verdict.bad { color: var(--bad); font-weight: 600; }
#controls { display: flex; gap: 12px; flex-wrap: wrap; align-items: center; padding: 6px 16px; border-bottom: 1px solid var(--line); }
#controls label { display: inline-flex; gap: 4px; align-items: center; }
#controls input[type="search"] { width: 16em; }
button, input, select { font: inherit; }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: 1fr 30em; }
#lanes { position: relative; overflow: hidden; cursor: grab; }
canvas { display: block; width: 100%; height: 100%; }
#side { border-left: 1px solid var(--line); display: flex; flex-direction: column; min-height: 0; }
#list { flex: 1; overflow: auto; margin: 0; padding: 0; list-style: none; font: 11.5px/1.5 ui-monospace, monospace; }
#list li { padding: 1px 10px; display: grid; grid-template-columns: 7.5em 5em 1fr; gap: 6px; cursor: pointer; overflow-wrap: anywhere; }
#list li:hover { background: var(--band); }
#list li.now { background: color-mix(in srgb, var(--message) 25%, transparent); }
#list li.bad { color: var(--bad); font-weight: 600; }
#list time { color: var(--faint); text-align: right; }
#keys { color: var(--faint); }
details { padding: 4px 10px; border-top: 1px solid var(--line); max-height: 40%; overflow: auto; }
pre { margin: 0; font: 11px/1.4 ui-monospace, monospace; white-space: pre-wrap; }
`;
