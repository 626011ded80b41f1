/*
 * headwater.js: the browser client in one file, without a build step and without dependencies.
 *
 *   import { HeadwaterClient } from "/headwater.js";
 *   const client = new HeadwaterClient(location.origin);
 *   const stop = client.subscribe("tasks:getTasks", {}, (tasks) => show(tasks), (error) => complain(error));
 *   await client.mutation("tasks:createTask", { title: "Write" });
 *
 * Values: int64 is BigInt, bytes are ArrayBuffer, every other number is a number. A mutation's
 * promise resolves once the subscriptions show what it wrote. After a lost connection the client
 * comes back by itself, asks for all its queries again and re-sends the mutations that nobody has
 * confirmed, under their old ids, so that the server applies each at most once.
 */

const FIRST_RETRY_MS = 100; // doubled each time, to spare a server that is just starting
const LAST_RETRY_MS = 16_000;
const SILENCE_MS = 60_000; // the server pings every 15 s, so 60 s of silence is a dead connection
const TOKEN_ATTEMPTS = 2;
const NO_TIMESTAMP = "AAAAAAAAAAA=";

/** An error from the server. `data` is what the function raised as AppError, otherwise undefined. */
export class HeadwaterError extends Error {
  constructor(message, data, path = "") {
    super(message);
    this.name = "HeadwaterError";
    this.data = data;
    this.path = path;
  }
}

/* ---- values ---------------------------------------------------------------------------------- */

const toBase64 = (buffer) => {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text);
};

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

const eightBytes = (method, value) => {
  const view = new DataView(new ArrayBuffer(8));
  view[method](0, value, true);
  return toBase64(view.buffer);
};

const timestamp = (base64) => new DataView(fromBase64(base64)).getBigUint64(0, true);

/** A JavaScript value as JSON that the server understands. Members that are undefined are left out. */
export function toWire(value, where = "value") {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    const plain = Number.isFinite(value) && !Object.is(value, -0);
    return plain ? value : { $float: eightBytes("setFloat64", value) };
  }
  if (typeof value === "bigint") {
    if (BigInt.asIntN(64, value) !== value) throw new TypeError(`${where} does not fit 64 bits: ${value}`);
    return { $integer: eightBytes("setBigInt64", value) };
  }
  if (value instanceof ArrayBuffer) return { $bytes: toBase64(value) };
  if (Array.isArray(value)) return value.map((item, i) => toWire(item, `${where}[${i}]`));
  const prototype = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${where} cannot be sent: ${value?.constructor?.name ?? typeof value}`);
  }
  const result = {};
  for (const key of Object.keys(value).sort()) {
    if (!/^[ -#%-~][ -~]*$/.test(key)) throw new TypeError(`${where} has a key that cannot be sent: ${key}`);
    if (value[key] !== undefined) result[key] = toWire(value[key], `${where}.${key}`);
  }
  return result;
}

/** JSON from the server as a JavaScript value. */
export function fromWire(json) {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(fromWire);
  const [key, ...others] = Object.keys(json);
  if (others.length === 0) {
    if (key === "$integer") return new DataView(fromBase64(json[key])).getBigInt64(0, true);
    if (key === "$float") return new DataView(fromBase64(json[key])).getFloat64(0, true);
    if (key === "$bytes") return fromBase64(json[key]);
  }
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, fromWire(value)]));
}

const failure = (message, path) =>
  new HeadwaterError(
    message.errorMessage ?? message.result,
    "errorData" in message ? fromWire(message.errorData) : undefined,
    path,
  );

const newSessionId = () => {
  if (crypto.randomUUID) return crypto.randomUUID(); // missing where the page is not a secure context
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

/* ---- the client ------------------------------------------------------------------------------ */

/** One connection to one server; all subscriptions and mutations of a page share it. */
export class HeadwaterClient {
  #url; #WebSocket; #timers; #random; // from outside
  #sessionId = newSessionId();
  #connectionCount = 0; #retries = 0; #lastCloseReason = "InitialConnect"; #error = null;
  #socket = null; // null -> WebSocket (#connect) -> null (#lost)
  #greeted = false; // false -> true when Connect was sent on this socket (#flush)
  #retryTimer; #silenceTimer;
  #closed = false; // false -> true for good (close, FatalError)

  #queries = new Map(); // queryId -> { path, args, key, journal, listeners, sent, result }
  #removed = []; // ids the server still has to forget
  #nextQueryId = 0; #querySet = 0;
  #requests = new Map(); // requestId -> { message, path, sent, ts, value, resolve, reject }
  #nextRequestId = 0;

  #fetchToken = null; #token = null; #tokenRound = 0; #tokenFailures = 0;
  #holding = false; // while a token is fetched nothing is sent, so that nothing goes as the wrong person
  #tokenSent = true; #identity = 0;

  #version = null; // of this connection: { querySet, identity, ts }
  #newest = null; // the newest timestamp ever seen; the server must not show older data
  #stateListeners = new Set();

  constructor(url, { WebSocket = globalThis.WebSocket, timers = globalThis, random = Math.random } = {}) {
    const address = new URL("/api/sync", url);
    address.protocol = address.protocol.replace("http", "ws");
    this.#url = address.href;
    this.#WebSocket = WebSocket;
    this.#timers = timers;
    this.#random = random;
    globalThis.addEventListener?.("online", () => this.#retryNow());
    queueMicrotask(() => this.#connect());
  }

  /** Keep a query alive: `onValue` gets its result now and after every change. Returns a function that ends it. */
  subscribe(path, args, onValue, onError = (error) => console.error(error)) {
    this.#refuseIfClosed();
    const query = this.#queryFor(path, toWire(args ?? {}, "args"));
    const listener = { onValue, onError };
    query.listeners.add(listener);
    if (query.result) queueMicrotask(() => deliver(query, [listener]));
    this.#flush();
    return () => {
      if (query.listeners.delete(listener) && query.listeners.size === 0) this.#forget(query);
    };
  }

  /** The result of a query, once. */
  query(path, args = {}) {
    return new Promise((resolve, reject) => {
      const then = (finish) => (result) => (stop(), finish(result));
      const stop = this.subscribe(path, args, then(resolve), then(reject));
    });
  }

  /** Run a mutation; resolves with its result once the subscriptions show what it wrote. */
  mutation(path, args = {}) {
    return this.#request("Mutation", path, args);
  }

  /** Run an action; it is not repeated when the connection is lost meanwhile. */
  action(path, args = {}) {
    return this.#request("Action", path, args);
  }

  /**
   * Say who the user is. `fetchToken({ forceRefresh })` gives a token or null and is called again
   * when the server refuses one. `setAuth(null)` signs out.
   */
  async setAuth(fetchToken) {
    this.#fetchToken = fetchToken;
    this.#tokenFailures = 0;
    await this.#renewToken(false);
  }

  /** Be told of every change of `{ connected, signedIn, pending, retries, error }`. Returns a function that ends it. */
  onState(callback) {
    this.#stateListeners.add(callback);
    callback(this.state);
    return () => this.#stateListeners.delete(callback);
  }

  /** `pending` counts mutations and actions that are not confirmed; `error` is the last reason of trouble. */
  get state() {
    const [connected, signedIn, pending] = [this.#greeted, this.#token !== null, this.#requests.size];
    return { connected, signedIn, pending, retries: this.#retries, error: this.#error };
  }

  /** End the connection for good; what was not confirmed is rejected. */
  close(reason = "The client was closed.") {
    this.#closed = true;
    this.#timers.clearTimeout(this.#retryTimer);
    this.#lost("ClientClosed");
    for (const { reject, path } of this.#requests.values()) reject(new HeadwaterError(reason, undefined, path));
    this.#requests.clear();
    this.#tellState();
  }

  /* ---- what is wanted ---- */

  #queryFor(path, args) {
    const key = JSON.stringify([path, args]);
    for (const query of this.#queries.values()) if (query.key === key) return query;
    const query = { id: this.#nextQueryId++, key, path, args, journal: null, listeners: new Set(), sent: false };
    this.#queries.set(query.id, query);
    return query;
  }

  #forget(query) {
    this.#queries.delete(query.id);
    if (query.sent) this.#removed.push(query.id);
    this.#flush();
  }

  #request(type, path, args) {
    return new Promise((resolve, reject) => {
      this.#refuseIfClosed();
      const requestId = this.#nextRequestId++;
      const message = { type, requestId, udfPath: path, args: [toWire(args, "args")] };
      this.#requests.set(requestId, { message, path, sent: false, ts: null, resolve, reject });
      this.#flush();
      this.#tellState();
    });
  }

  async #renewToken(forceRefresh) {
    const round = ++this.#tokenRound;
    this.#holding = true;
    try {
      const token = this.#fetchToken ? await this.#fetchToken({ forceRefresh }) : null;
      if (round !== this.#tokenRound) return; // a later setAuth has taken over
      this.#tokenSent = token === null && this.#token === null;
      this.#token = token;
    } finally {
      if (round === this.#tokenRound) this.#holding = false;
      this.#flush();
      this.#tellState();
    }
  }

  #refuseIfClosed() {
    if (this.#closed) throw new HeadwaterError(this.#error ?? "The client was closed.");
  }

  /* ---- sending: everything not yet said, in the order that the protocol asks for ---- */

  #flush() {
    if (this.#socket?.readyState !== 1 || this.#holding) return;
    const first = !this.#greeted;
    if (first) this.#greet();
    if (!this.#tokenSent) this.#sendToken();
    this.#sendQuerySet(first);
    for (const request of this.#requests.values()) {
      if (!request.sent) this.#send(request.message);
      request.sent = true;
    }
  }

  #greet() {
    this.#greeted = true;
    this.#tokenSent = this.#token === null;
    this.#send({
      type: "Connect",
      sessionId: this.#sessionId,
      connectionCount: this.#connectionCount++,
      lastCloseReason: this.#lastCloseReason,
      clientTs: Date.now(),
      ...(this.#newest && { maxObservedTimestamp: this.#newest }),
    });
    this.#tellState();
  }

  #sendToken() {
    this.#tokenSent = true;
    const who = this.#token === null ? { tokenType: "None" } : { tokenType: "User", value: this.#token };
    this.#send({ type: "Authenticate", baseVersion: this.#identity++, ...who });
  }

  #sendQuerySet(always) {
    const modifications = this.#removed.splice(0).map((queryId) => ({ type: "Remove", queryId }));
    for (const query of this.#queries.values()) {
      if (query.sent) continue;
      const { id: queryId, path: udfPath, args, journal } = query;
      modifications.push({ type: "Add", queryId, udfPath, args: [args], ...(journal && { journal }) });
      query.sent = true;
    }
    if (!always && modifications.length === 0) return;
    const baseVersion = this.#querySet++;
    this.#send({ type: "ModifyQuerySet", baseVersion, newVersion: this.#querySet, modifications });
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /* ---- receiving ---- */

  #receive(message) {
    this.#listenForSilence();
    switch (message.type) {
      case "Transition": return this.#transition(message);
      case "MutationResponse":
      case "ActionResponse": return this.#response(message);
      case "AuthError": return this.#authError(message);
      case "FatalError":
        this.#error = message.error;
        console.error(`headwater: ${message.error}`);
        return this.close(message.error);
    }
  }

  #transition({ startVersion, endVersion, modifications }) {
    const have = this.#version;
    if (["querySet", "identity", "ts"].some((part) => startVersion[part] !== have[part])) {
      return this.#lost("InvalidStartVersion");
    }
    this.#version = endVersion;
    if (!this.#newest || timestamp(endVersion.ts) > timestamp(this.#newest)) this.#newest = endVersion.ts;
    const changed = modifications.map((change) => this.#apply(change)).filter(Boolean);
    for (const query of changed) deliver(query);
    if (endVersion.identity === this.#identity) this.#tokenFailures = 0;
    this.#settle();
  }

  #apply(change) {
    const query = this.#queries.get(change.queryId);
    if (!query || change.type === "QueryRemoved") return null;
    printLogs(query.path, change);
    query.journal = change.journal ?? null;
    const failed = change.type === "QueryFailed";
    query.result = failed ? { error: failure(change, query.path) } : { value: fromWire(change.value) };
    return query;
  }

  #response(message) {
    const request = this.#requests.get(message.requestId);
    if (!request) return;
    printLogs(request.path, message);
    if (!message.success) {
      this.#requests.delete(message.requestId);
      request.reject(failure(message, request.path));
    } else {
      request.value = fromWire(message.result);
      request.ts = message.type === "MutationResponse" ? timestamp(message.ts) : 0n;
    }
    this.#settle();
  }

  /** Resolve the requests whose writes are on the screen. */
  #settle() {
    const shown = timestamp(this.#version.ts);
    for (const [id, request] of this.#requests) {
      if (request.ts === null || request.ts > shown) continue;
      this.#requests.delete(id);
      request.resolve(request.value);
    }
    const waiting = [...this.#queries.values()].some((query) => !query.result) || this.#requests.size > 0;
    if (!waiting) this.#retries = 0;
    this.#error = null;
    this.#tellState();
  }

  async #authError({ error }) {
    this.#error = error;
    this.#tokenFailures += 1;
    if (this.#tokenFailures > TOKEN_ATTEMPTS) this.#fetchToken = null;
    const renewed = this.#renewToken(true);
    this.#lost(error);
    await renewed.catch((problem) => (this.#error = String(problem)));
  }

  /* ---- the connection ---- */

  #connect() {
    if (this.#closed || this.#socket) return;
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    this.#querySet = this.#identity = 0;
    this.#version = { querySet: 0, identity: 0, ts: NO_TIMESTAMP };
    socket.onopen = () => socket === this.#socket && (this.#listenForSilence(), this.#flush());
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lost(reason || `Closed${code ?? ""}`);
  }

  /** The connection is gone, or has to go: forget what this one was told, and come back later. */
  #lost(reason) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    this.#greeted = false;
    this.#lastCloseReason = reason;
    this.#timers.clearTimeout(this.#silenceTimer);
    socket.close();
    this.#removed = [];
    for (const query of this.#queries.values()) query.sent = false;
    for (const [id, request] of this.#requests) this.#lostRequest(id, request);
    if (!this.#closed) this.#retryLater();
    this.#tellState();
  }

  #lostRequest(id, request) {
    if (request.message.type === "Action" && request.sent) {
      this.#requests.delete(id);
      request.reject(new HeadwaterError("Connection lost while action was in flight", undefined, request.path));
    }
    request.sent = false;
  }

  #retryLater() {
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries++);
    this.#retryTimer = this.#timers.setTimeout(() => this.#connect(), longest * (0.5 + this.#random()));
  }

  #retryNow() {
    if (this.#socket) return;
    this.#timers.clearTimeout(this.#retryTimer);
    this.#connect();
  }

  #listenForSilence() {
    this.#timers.clearTimeout(this.#silenceTimer);
    this.#silenceTimer = this.#timers.setTimeout(() => this.#lost("InactiveServer"), SILENCE_MS);
  }

  #tellState() {
    for (const callback of this.#stateListeners) guarded(callback, this.state);
  }
}

function deliver({ result, listeners }, to = [...listeners]) {
  for (const listener of to) {
    if (!listeners.has(listener)) continue; // it has ended meanwhile
    if ("error" in result) guarded(listener.onError, result.error);
    else guarded(listener.onValue, result.value);
  }
}

/** One callback that throws must not keep the others from being called. */
function guarded(callback, value) {
  try {
    callback(value);
  } catch (error) {
    console.error(error);
  }
}

const printLogs = (path, { logLines }) => logLines?.forEach((line) => console.log(`${path} ${line}`));
