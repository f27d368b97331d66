/** What runs in the page. Plain JavaScript for browsers: it knows nothing but the data that the page carries. */
export const script: string = `
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, events, spans, messages, end } = data.lanes;
const canvas = document.querySelector("canvas");
const list = document.getElementById("list");
const label = 64, axis = 22, violationAt = events.findIndex((event) => event[4] === "violation");
let from = 0, to = Math.max(end, 1), now = -1, drag = null, shown = [];
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const groups = [...new Set(events.map((event) => event[4]))].sort();
const chosen = new Set(groups.filter((group) => group !== "other"));
let withPackets = false, text = "";

const controls = document.getElementById("groups");
for (const group of groups) addCheckbox(group, chosen.has(group), (on) => { if (on) chosen.add(group); else chosen.delete(group); });
addCheckbox("packets", false, (on) => { withPackets = on; });
function addCheckbox(name, checked, set) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked });
  box.onchange = () => { set(box.checked); refresh(); };
  const element = document.createElement("label");
  element.append(box, name);
  controls.append(element);
}
document.getElementById("filter").oninput = (event) => { text = event.target.value.toLowerCase(); refresh(); };

const x = (time) => label + ((time - from) / (to - from)) * (canvas.clientWidth - label);
const timeAt = (px) => from + ((px - label) / (canvas.clientWidth - label)) * (to - from);
const rows = nodes.length + 1;
const height = () => Math.min(110, (canvas.clientHeight - axis) / rows);
const y = (lane) => axis + ((lane < 0 ? nodes.length : lane) + 0.5) * height();
const matches = ([, lane, kind, detail]) => text === "" || (kind + " " + detail + " " + (nodes[lane] ?? "world")).toLowerCase().includes(text);

function refresh() {
  shown = events.flatMap((event, at) => (chosen.has(event[4]) && matches(event) ? [at] : []));
  fillList();
  draw();
}

const tints = { leader: "leader", candidate: "candidate", preCandidate: "candidate", follower: "follower", paused: "faint" };
const marks = { fault: "fault", disk: "fault", commit: "leader", vote: "candidate", role: "ink", log: "follower", client: "message",
  operator: "message", process: "ink", violation: "bad", other: "faint" };

function draw() {
  const scale = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "11px system-ui, sans-serif";
  drawAxis(pen);
  drawSpans(pen);
  drawMessages(pen);
  drawEvents(pen);
  drawLabels(pen);
}

function drawAxis(pen) {
  const rough = (to - from) / 9, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  pen.strokeStyle = color("line");
  pen.fillStyle = color("faint");
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    pen.beginPath(); pen.moveTo(x(time), axis); pen.lineTo(x(time), canvas.clientHeight); pen.stroke();
    pen.fillText(step < 1 ? time.toFixed(3) + " ms" : Math.round(time) + " ms", x(time) + 3, 14);
  }
}

function drawSpans(pen) {
  for (const [lane, begin, finish, role, term] of spans) {
    if (finish < from || begin > to || role === "down") continue;
    const left = Math.max(label, x(begin)), width = Math.max(1, x(finish) - left), thick = role === "leader" ? 18 : 9;
    pen.fillStyle = color(tints[role] ?? "faint");
    pen.globalAlpha = role === "leader" ? 0.9 : 0.45;
    pen.fillRect(left, y(lane) - thick / 2, width, thick);
    pen.globalAlpha = 1;
    const words = role === "follower" ? String(term) : role + " " + term;
    if (width > pen.measureText(words).width + 8) {
      pen.fillStyle = color(role === "leader" ? "ground" : "ink");
      pen.fillText(words, left + 4, y(lane) + 4);
    }
  }
}

function drawMessages(pen) {
  pen.strokeStyle = color("message");
  pen.lineWidth = 1;
  const lean = (to - from) / 60;
  for (const [source, target, time, what] of messages) {
    if (time < from || time > to || (what === "packet" ? !withPackets : !chosen.has("vote"))) continue;
    pen.globalAlpha = what === "packet" ? 0.18 : 0.7;
    const side = Math.sign(target - source);
    pen.beginPath(); pen.moveTo(x(time - Math.min(lean, 0.6)), y(source) + 10 * side); pen.lineTo(x(time), y(target) - 10 * side); pen.stroke();
  }
  pen.globalAlpha = 1;
}

const offsets = { fault: -24, disk: -24, commit: 20, log: 26, vote: -16, client: 0, process: -32, role: 0, operator: 32, violation: 0, other: 32 };
function drawEvents(pen) {
  let drawn = 0;
  for (const at of shown) {
    const [time, lane, , , group] = events[at];
    if (time < from || time > to || ++drawn > 20000) continue;
    pen.fillStyle = color(marks[group]);
    const size = group === "violation" ? 9 : group === "fault" ? 4 : 2.5;
    pen.beginPath(); pen.arc(x(time), y(lane) + (offsets[group] / 80) * height(), size, 0, 7); pen.fill();
  }
  const point = events[now] ?? events[violationAt];
  if (point === undefined) return;
  pen.strokeStyle = color(point[4] === "violation" ? "bad" : "message");
  pen.beginPath(); pen.moveTo(x(point[0]), axis); pen.lineTo(x(point[0]), canvas.clientHeight); pen.stroke();
}

function drawLabels(pen) {
  pen.fillStyle = color("ground");
  pen.fillRect(0, 0, label, canvas.clientHeight);
  pen.fillStyle = color("ink");
  [...nodes, "world"].forEach((name, lane) => pen.fillText(name, 14, y(lane) + 4));
}

function fillList() {
  const visible = shown.filter((at) => events[at][0] >= from && events[at][0] <= to);
  const center = Math.max(0, visible.findIndex((at) => at >= now));
  list.replaceChildren(...visible.slice(Math.max(0, center - 250), center + 750).map((at) => {
    const [time, lane, kind, detail, group] = events[at];
    const item = document.createElement("li");
    const cells = [["time", time.toFixed(3)], ["b", nodes[lane] ?? "world"], ["span", kind + " " + detail]];
    item.append(...cells.map(([tag, words]) => Object.assign(document.createElement(tag), { textContent: words })));
    item.className = (at === now ? "now " : "") + (group === "violation" ? "bad" : "");
    item.onclick = () => go(at);
    return item;
  }));
  list.querySelector(".now")?.scrollIntoView({ block: "center" });
}

function go(at) {
  now = at;
  const time = events[at][0], width = to - from;
  if (time < from || time > to) [from, to] = [time - width / 2, time + width / 2];
  fillList();
  draw();
}

function step(by) {
  const place = shown.findIndex((at) => at >= now);
  const next = shown[now < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + by))];
  if (next !== undefined) go(next);
}

function zoom(factor, around) {
  const width = Math.min(end * 1.1 + 1, Math.max(0.01, (to - from) * factor));
  const share = (around - from) / (to - from);
  from = around - width * share;
  to = from + width;
  refresh();
}

canvas.onwheel = (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.offsetX)); };
canvas.onpointerdown = (event) => { drag = { px: event.offsetX, from, to, moved: false }; canvas.setPointerCapture(event.pointerId); };
canvas.onpointermove = (event) => {
  if (drag === null) return;
  const shift = ((event.offsetX - drag.px) / (canvas.clientWidth - label)) * (drag.to - drag.from);
  drag.moved ||= Math.abs(event.offsetX - drag.px) > 3;
  [from, to] = [drag.from - shift, drag.to - shift];
  draw();
};
canvas.onpointerup = (event) => {
  const clicked = drag !== null && !drag.moved;
  drag = null;
  fillList();
  if (!clicked || shown.length === 0) return;
  const time = timeAt(event.offsetX);
  const distance = (at) => Math.abs(events[at][0] - time) + (Math.abs(y(events[at][1]) - event.offsetY) / height()) * (to - from) / 40;
  go(shown.reduce((best, at) => (distance(at) < distance(best) ? at : best), shown[0]));
};
const all = () => { [from, to] = [0, Math.max(end, 1)]; refresh(); };
document.getElementById("all").onclick = all;
document.getElementById("back").onclick = () => step(-1);
document.getElementById("forth").onclick = () => step(1);
const toViolation = () => {
  if (violationAt < 0) return;
  const time = events[violationAt][0];
  [from, to] = [time - 150, time + 20];
  now = violationAt;
  refresh();
};
document.getElementById("culprit").onclick = toViolation;
document.getElementById("culprit").disabled = violationAt < 0;
addEventListener("keydown", (event) => {
  if (event.target.type === "search") return;
  const keys = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), "+": () => zoom(0.6, (from + to) / 2), "-": () => zoom(1.6, (from + to) / 2), a: all, v: toViolation };
  keys[event.key]?.();
});
addEventListener("resize", draw);
if (violationAt < 0) refresh(); else toViolation();
`;
