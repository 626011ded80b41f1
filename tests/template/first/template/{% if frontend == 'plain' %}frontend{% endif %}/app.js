// The page: two subscriptions that draw what they are given, and forms that call mutations.
// Nothing is fetched again by hand: the server pushes every change to whoever is subscribed to it.

import { HeadwaterClient } from "/headwater.js";

const ROOM = "general";
const element = (id) => document.getElementById(id);
const client = new HeadwaterClient(location.origin);

/* ---- lists: rows are kept by document id, so that focus and scrolling survive an update ---- */

function drawList(list, documents, makeRow) {
  const old = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const rows = documents.map((document) => {
    const row = old.get(document._id) ?? makeRow(document);
    row.dataset.id = document._id;
    row.update?.(document);
    return row;
  });
  const kept = new Set(rows);
  for (const row of old.values()) if (!kept.has(row)) row.remove();
  rows.forEach((row, i) => {
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
  });
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/* ---- tasks ---- */

function taskRow({ _id: taskId, title }) {
  const box = make("input", { type: "checkbox" });
  const text = make("span", { className: "title", textContent: title });
  const bin = make("button", { type: "button", className: "quiet", textContent: "Delete" });
  bin.setAttribute("aria-label", `Delete ${title}`);
  box.addEventListener("change", () => attempt("tasks:toggleTask", { taskId }));
  bin.addEventListener("click", () => attempt("tasks:deleteTask", { taskId }));
  const badge = make("span", { className: "badge" });
  const label = make("label", { className: "grow" }, box, make("span", {}, text, " ", badge));
  const row = make("li", {}, label, bin);
  row.update = (task) => {
    box.checked = task.completed;
    text.textContent = task.title;
    badge.textContent = task.priority ?? "";
    row.classList.toggle("done", task.completed);
  };
  return row;
}

client.subscribe("tasks:getTasks", {}, (tasks) => {
  const open = tasks.filter((task) => !task.completed).length;
  drawList(element("tasks"), tasks, taskRow);
  element("open-count").textContent = tasks.length > 0 ? `${open} open` : "";
  element("no-tasks").hidden = tasks.length > 0;
  element("no-tasks").textContent = person ? "Nothing to do. Add a task above." : "Sign in to see your tasks.";
}, complain);

/* ---- messages ---- */

function messageRow({ userId, content, timestamp }) {
  const time = new Date(timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const head = make("span", { className: "by" }, make("strong", { textContent: userId }), ` ${time}`);
  const row = make("li", {}, head, make("span", { className: "said", textContent: content }));
  row.update = () => row.classList.toggle("mine", userId === person);
  return row;
}

client.subscribe("messages:listMessages", { roomId: ROOM }, (messages) => {
  const list = element("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  drawList(list, messages, messageRow);
  if (atEnd) list.scrollTop = list.scrollHeight;
  element("no-messages").hidden = messages.length > 0;
}, complain);

/* ---- calling the server ---- */

async function attempt(path, args) {
  element("trouble").hidden = true; // a new try; an older one's success must not hide its trouble
  try {
    await client.mutation(path, args);
  } catch (error) {
    complain(error);
  }
}

function complain(error) {
  element("trouble").textContent = wording(error);
  element("trouble").hidden = false;
}

function wording({ data, message }) {
  // `data` is what the backend raised as AppError; anything else is a fault, worded for developers.
  if (data?.code === "RATE_LIMITED") {
    return `Not so fast: try again in ${Math.ceil(data.retry_after_ms / 1000)} s.`;
  }
  return data?.message ?? message;
}

function onSubmit(id, action) {
  const form = element(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [field] = form.elements;
    const value = field.value.trim();
    if (value === "") return;
    form.reset();
    field.focus();
    action(value);
  });
}

onSubmit("add-task", (title) => attempt("tasks:createTask", { title }));
onSubmit("send", (content) => attempt("messages:sendMessage", { roomId: ROOM, content }));

/* ---- who you are: a name in this window, and a development token for it ---- */

let person = sessionStorage.getItem("person");

async function fetchToken() {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subject: person }),
  });
  if (!response.ok) throw new Error(`No development token: ${await response.text()}`);
  return (await response.json()).token;
}

async function become(name) {
  person = name || null;
  if (person) sessionStorage.setItem("person", person);
  else sessionStorage.removeItem("person");
  element("sign-in").hidden = person !== null;
  element("who").hidden = person === null;
  element("person").textContent = person ?? "";
  for (const id of ["add-task", "send"]) {
    for (const field of element(id).elements) field.disabled = person === null;
  }
  for (const row of element("messages").children) row.update();
  try {
    await client.setAuth(person && fetchToken);
    element("trouble").hidden = true;
  } catch (error) {
    complain(error);
  }
}

onSubmit("sign-in", (name) => become(name));
element("sign-out").addEventListener("click", () => become(null));
become(person);

/* ---- the connection, in words ---- */

client.onState(({ connected, pending, retries, error }) => {
  const waiting = pending > 0 ? `, ${pending} to send` : "";
  const words = connected ? "live" : (retries > 0 ? "reconnecting" : "connecting") + waiting;
  if (element("connection").textContent !== words) element("connection").textContent = words;
  element("connection").dataset.state = connected ? "live" : "waiting";
  element("connection").title = connected ? "" : (error ?? "");
});
