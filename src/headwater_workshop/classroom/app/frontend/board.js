// The board: one subscription that is drawn whenever it changes. Minutes go on by themselves.
// All text comes in as textContent: a name is never markup.

import { HeadwaterClient } from "/headwater.js";

const element = (id) => document.getElementById(id);
const client = new HeadwaterClient(location.origin);
const LATE_MS = 10 * 60_000;
let rows = [];
let stop = null;

function make(tag, className, text, ...children) {
  const made = Object.assign(document.createElement(tag), { className, textContent: text });
  made.append(...children);
  return made;
}

function minutes(since) {
  const whole = Math.max(0, Math.floor((Date.now() - since) / 60_000));
  return whole < 1 ? "now" : `${whole} min`;
}

function ago(since) {
  const said = minutes(since);
  return said === "now" ? said : `${said} ago`;
}

// Hands first, the longest up on top; then who is stuck, the longest first; then by name.
function order(a, b) {
  const hand = (a.handSince ?? Infinity) - (b.handSince ?? Infinity);
  const stuck = (a.stuckSince ?? Infinity) - (b.stuckSince ?? Infinity);
  return hand || stuck || a.name.localeCompare(b.name);
}

function card(row) {
  const kind = row.handSince ? "hand" : row.stuckSince ? "stuck" : row.of && row.met === row.of ? "done" : "calm";
  const where = row.lesson ? `L${row.lesson} ${row.title}` : "not begun";
  const bar = make("meter", "", "");
  Object.assign(bar, { min: 0, max: row.of || 1, value: row.met, title: `${row.met} of ${row.of} objectives met` });
  const made = make("li", kind, "", make("strong", "name", row.name), make("span", "where", where), bar);
  if (row.handSince) made.append(make("span", "flag", `hand up, ${minutes(row.handSince)}`));
  if (row.stuckSince) {
    const what = row.rule && row.rule !== row.finding ? `${row.finding}, ${row.rule}` : row.finding;
    const late = Date.now() - row.stuckSince > LATE_MS ? " late" : "";
    made.append(make("span", `what${late}`, `${what}, ${minutes(row.stuckSince)}`));
  }
  const hints = row.hints ? `${row.hints} hint${row.hints > 1 ? "s" : ""}, ` : "";
  made.append(make("span", "quiet", `${row.passed.length} done, ${hints}seen ${ago(row.seenAt)}`));
  return made;
}

function draw() {
  const hands = rows.filter((row) => row.handSince).length;
  const stuck = rows.filter((row) => row.stuckSince).length;
  element("summary").textContent = `${rows.length} here, ${hands} with a hand up, ${stuck} stuck`;
  element("empty").hidden = rows.length > 0;
  element("seats").replaceChildren(...[...rows].sort(order).map(card));
  const counts = new Map();
  for (const row of rows) counts.set(row.lesson, (counts.get(row.lesson) ?? 0) + 1);
  const bars = [...counts].sort(([a], [b]) => a - b).map(([lesson, count]) => {
    const made = make("li", "", lesson ? `L${lesson}` : "not begun", make("strong", "", String(count)));
    made.style.flexGrow = count;
    return made;
  });
  element("lessons").replaceChildren(...bars);
}

function enter(code) {
  stop?.();
  element("join").textContent = `headwater classroom join ${location.origin} ${code} --name YOU`;
  stop = client.subscribe("board:room", { code }, (found) => {
    element("ask").hidden = true;
    rows = found;
    draw();
  }, (error) => {
    element("ask").hidden = false;
    element("summary").textContent = "";
    element("refused").textContent = location.hash ? error.data?.message ?? "The room cannot be shown." : "";
  });
}

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = new FormData(event.target).get("code").trim();
});
addEventListener("hashchange", () => enter(decodeURIComponent(location.hash.slice(1))));
client.onState((state) => { element("connection").hidden = state.connected; });
setInterval(draw, 15_000);
enter(decodeURIComponent(location.hash.slice(1)));
