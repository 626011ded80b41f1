// What headwater.js says and does, against a server that is played by the test. Each title is a claim.
// Run by tests/headwater/test_browser.py, or: node --test tests/headwater/browser/

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// As a data URL, because older Node takes a file called .js for CommonJS; browsers know it from the script tag.
const source = readFileSync(new URL("../../../src/headwater/browser/headwater.js", import.meta.url));
const module = await import(`data:text/javascript;base64,${source.toString("base64")}`);
const { HeadwaterClient, HeadwaterError, fromWire, toWire } = module;

const turn = () => new Promise((resolve) => setImmediate(resolve)); // lets every waiting promise go on
const ts = (n) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes.toString("base64");
};

/** A client on a played network: `world.server` is the newest socket, timers fire when the test says so. */
async function play({ open = true } = {}) {
  const world = { sockets: [], timers: new Map(), random: 0.5 };
  class Socket {
    constructor(url) {
      Object.assign(this, { url, readyState: 0, sent: [] });
      world.sockets.push((world.server = this));
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.readyState = 3; }
    accept() { this.readyState = 1; this.onopen(); }
    drop(reason = "") { this.readyState = 3; this.onclose({ code: 1006, reason }); }
    say(message) { this.onmessage({ data: JSON.stringify(message) }); }
    /** A transition from the version of the last one, at time n. */
    step(n, modifications = [], { querySet = this.last?.querySet ?? 1, identity = this.last?.identity ?? 0 } = {}) {
      const startVersion = this.last ?? { querySet: 0, identity: 0, ts: ts(0) };
      this.last = { querySet, identity, ts: ts(n) };
      this.say({ type: "Transition", startVersion, endVersion: this.last, modifications });
    }
    types() { return this.sent.map((message) => message.type); }
    of(type) { return this.sent.filter((message) => message.type === type); }
  }
  let number = 0;
  const timers = {
    setTimeout: (run, ms) => (world.timers.set(++number, { run, ms }), number),
    clearTimeout: (id) => world.timers.delete(id),
  };
  world.fire = () => {
    const [id, timer] = [...world.timers].at(-1);
    world.timers.delete(id);
    timer.run();
    return timer.ms;
  };
  world.client = new HeadwaterClient("http://127.0.0.1:3210", { WebSocket: Socket, timers, random: () => world.random });
  await turn();
  if (open) world.server.accept();
  return world;
}

const updated = (queryId, value, journal = null) => ({ type: "QueryUpdated", queryId, value, logLines: [], journal });
const done = (requestId, result, n) => ({ type: "MutationResponse", requestId, success: true, result, ts: ts(n), logLines: [] });

test("values survive the wire in both directions", () => {
  const bytes = new Uint8Array([0, 1, 255]).buffer;
  const values = [null, true, "é", 1.5, -0, NaN, Infinity, 5n, -(2n ** 63n), bytes, [1, [2n]], { a: { b: bytes } }];
  for (const value of values) assert.deepEqual(fromWire(JSON.parse(JSON.stringify(toWire(value)))), value);
  assert.ok(Object.is(fromWire(toWire(-0)), -0));
});

test("special numbers, integers and bytes have Convex's encoding", () => {
  assert.deepEqual(toWire(1n), { $integer: "AQAAAAAAAAA=" });
  assert.deepEqual(toWire(-0), { $float: "AAAAAAAAAIA=" });
  assert.deepEqual(toWire(new Uint8Array([104, 105]).buffer), { $bytes: "aGk=" });
  assert.equal(toWire(3), 3);
});

test("undefined members are left out, and what cannot be sent is refused by its place", () => {
  assert.deepEqual(toWire({ b: 1, a: undefined }), { b: 1 });
  assert.throws(() => toWire({ a: [new Date(0)] }), /value\.a\[0\] cannot be sent: Date/);
  assert.throws(() => toWire({ $a: 1 }), /key that cannot be sent: \$a/);
  assert.throws(() => toWire(2n ** 63n), /does not fit 64 bits/);
  assert.throws(() => toWire(undefined), /cannot be sent: undefined/);
});

test("the first messages are Connect and the whole query set", async () => {
  const { client, server } = await play({ open: false });
  client.subscribe("tasks:list", { room: "a" }, () => {});
  server.accept();
  assert.equal(server.url, "ws://127.0.0.1:3210/api/sync");
  assert.deepEqual(server.types(), ["Connect", "ModifyQuerySet"]);
  const [connect, set] = server.sent;
  assert.match(connect.sessionId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(connect.connectionCount, 0);
  assert.equal(connect.lastCloseReason, "InitialConnect");
  assert.deepEqual([set.baseVersion, set.newVersion], [0, 1]);
  assert.deepEqual(set.modifications, [{ type: "Add", queryId: 0, udfPath: "tasks:list", args: [{ room: "a" }] }]);
});

test("equal subscriptions share one query, and a late one gets the known value at once", async () => {
  const { client, server } = await play();
  const seen = [];
  client.subscribe("q", { a: 1, b: 2 }, (value) => seen.push(["first", value]));
  server.step(1, [updated(0, "v")], { querySet: 2 });
  client.subscribe("q", { b: 2, a: 1 }, (value) => seen.push(["second", value]));
  await turn();
  assert.deepEqual(seen, [["first", "v"], ["second", "v"]]);
  assert.equal(server.of("ModifyQuerySet").length, 2); // the empty first one, and one Add
});

test("after the last listener has gone the query is removed from the set", async () => {
  const { client, server } = await play();
  const stops = [client.subscribe("q", {}, () => {}), client.subscribe("q", {}, () => {})];
  stops[0]();
  assert.equal(server.of("ModifyQuerySet").length, 2);
  stops[1]();
  stops[1]();
  assert.deepEqual(server.sent.at(-1).modifications, [{ type: "Remove", queryId: 0 }]);
  assert.equal(server.of("ModifyQuerySet").length, 3);
});

test("a failed query reaches onError with its data, and a listener that throws disturbs nobody", async (t) => {
  t.mock.method(console, "error", () => {});
  const { client, server } = await play();
  const errors = [];
  client.subscribe("q", {}, () => {}, () => { throw new Error("mine"); });
  client.subscribe("q", {}, () => {}, (error) => errors.push(error));
  const failed = { type: "QueryFailed", queryId: 0, errorMessage: "Uncaught", errorData: { code: "NO" }, journal: null };
  server.step(1, [failed], { querySet: 2 });
  assert.ok(errors[0] instanceof HeadwaterError);
  assert.deepEqual([errors[0].message, errors[0].data, errors[0].path], ["Uncaught", { code: "NO" }, "q"]);
});

test("query() gives one value and leaves the set again", async () => {
  const { client, server } = await play();
  const promise = client.query("q");
  server.step(1, [updated(0, { $integer: "AQAAAAAAAAA=" })], { querySet: 2 });
  assert.equal(await promise, 1n);
  assert.deepEqual(server.sent.at(-1).modifications, [{ type: "Remove", queryId: 0 }]);
});

test("a mutation resolves with the transition that shows it, not before", async () => {
  const { client, server } = await play();
  const order = [];
  client.subscribe("q", {}, (value) => order.push(value));
  client.mutation("m", { a: 1 }).then((result) => order.push(result));
  assert.deepEqual(server.of("Mutation"), [{ type: "Mutation", requestId: 0, udfPath: "m", args: [{ a: 1 }] }]);
  server.say(done(0, "answered", 5));
  await turn();
  assert.deepEqual(order, []);
  server.step(5, [updated(0, "shown")], { querySet: 2 });
  await turn();
  assert.deepEqual(order, ["shown", "answered"]);
});

test("a response that comes after its transition resolves too", async () => {
  const { client, server } = await play();
  const promise = client.mutation("m");
  server.step(5);
  server.say(done(0, null, 5));
  assert.equal(await promise, null);
});

test("a refused mutation rejects at once, with data only where the function gave some", async () => {
  const { client, server } = await play();
  const [plain, custom] = [client.mutation("m"), client.mutation("m")];
  const refusal = { type: "MutationResponse", success: false, result: "Uncaught Error: no", ts: null, logLines: [] };
  server.say({ ...refusal, requestId: 0 });
  server.say({ ...refusal, requestId: 1, errorData: { code: "FORBIDDEN" } });
  await assert.rejects(plain, (error) => error.message === "Uncaught Error: no" && error.data === undefined);
  await assert.rejects(custom, (error) => error.data.code === "FORBIDDEN");
  assert.equal(client.state.pending, 0);
});

test("after a lost connection: Connect, Authenticate, all queries with journals, unconfirmed mutations", async () => {
  const world = await play();
  await world.client.setAuth(async () => "token");
  world.client.subscribe("q", {}, () => {});
  const promise = world.client.mutation("m");
  const confirmed = world.client.mutation("n");
  world.server.step(7, [updated(0, 1, "journal")], { querySet: 2, identity: 1 });
  world.server.say(done(1, null, 6));
  await confirmed;
  world.server.say(done(0, "ok", 9)); // answered, but its transition never arrives
  world.server.drop("InternalServerError");
  assert.equal(world.client.state.connected, false);
  assert.equal(world.fire(), 100);
  world.server.accept();
  assert.deepEqual(world.server.types(), ["Connect", "Authenticate", "ModifyQuerySet", "Mutation"]);
  const [connect, authenticate, set, mutation] = world.server.sent;
  assert.deepEqual([connect.connectionCount, connect.lastCloseReason], [1, "InternalServerError"]);
  assert.equal(connect.maxObservedTimestamp, ts(7));
  assert.equal(connect.sessionId, world.sockets[0].sent[0].sessionId);
  assert.deepEqual(authenticate, { type: "Authenticate", baseVersion: 0, tokenType: "User", value: "token" });
  assert.deepEqual([set.baseVersion, set.newVersion, set.modifications[0].journal], [0, 1, "journal"]);
  assert.equal(mutation.requestId, 0);
  world.server.step(9, [], { querySet: 1, identity: 1 });
  assert.equal(await promise, "ok");
});

test("an action in flight fails with its connection; one not yet sent is sent later", async () => {
  const world = await play();
  const flying = world.client.action("a");
  world.server.drop();
  await assert.rejects(flying, /Connection lost while action was in flight/);
  const waiting = world.client.action("b");
  world.fire();
  world.server.accept();
  assert.equal(world.server.of("Action")[0].udfPath, "b");
  world.server.say({ type: "ActionResponse", requestId: 1, success: true, result: 4, logLines: [] });
  assert.equal(await waiting, 4);
});

test("each attempt waits twice as long, to a limit, and success starts again at the beginning", async () => {
  const world = await play();
  world.server.drop();
  const waits = [];
  for (let attempt = 0; attempt < 9; attempt += 1) {
    waits.push(world.fire());
    world.server.drop();
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 16000]);
  world.fire();
  world.server.accept();
  world.server.step(1);
  assert.equal(world.client.state.retries, 0);
  world.random = 0;
  world.server.drop();
  assert.equal(world.fire(), 50);
});

test("60 seconds of silence end the connection", async () => {
  const world = await play();
  world.server.say({ type: "Ping" });
  assert.deepEqual([...world.timers.values()].map((timer) => timer.ms), [60_000]);
  world.fire();
  assert.equal(world.server.readyState, 3);
  world.fire();
  world.server.accept();
  assert.equal(world.server.sent[0].lastCloseReason, "InactiveServer");
});

test("a transition from another version is not applied; the client connects anew", async () => {
  const world = await play();
  const seen = [];
  world.client.subscribe("q", {}, (value) => seen.push(value));
  world.server.last = { querySet: 9, identity: 0, ts: ts(3) };
  world.server.step(4, [updated(0, "wrong")]);
  assert.deepEqual(seen, []);
  assert.equal(world.server.readyState, 3);
});

test("while a token is fetched nothing is sent, so that nothing goes as the wrong person", async () => {
  const { client, server } = await play();
  let give;
  const signedIn = client.setAuth(() => new Promise((resolve) => (give = resolve)));
  client.mutation("m");
  assert.deepEqual(server.types(), ["Connect", "ModifyQuerySet"]);
  give("token");
  await signedIn;
  assert.deepEqual(server.types(), ["Connect", "ModifyQuerySet", "Authenticate", "Mutation"]);
  assert.equal(client.state.signedIn, true);
});

test("the last setAuth wins, and setAuth(null) signs out", async () => {
  const { client, server } = await play();
  let giveLate;
  client.setAuth(() => new Promise((resolve) => (giveLate = resolve)));
  await client.setAuth(async () => "new");
  giveLate("old");
  await turn();
  assert.deepEqual(server.of("Authenticate").map((message) => message.value), ["new"]);
  await client.setAuth(null);
  assert.deepEqual(server.sent.at(-1), { type: "Authenticate", baseVersion: 1, tokenType: "None" });
});

test("a refused token is fetched anew, twice; then the client goes on signed out", async () => {
  const world = await play();
  const forced = [];
  await world.client.setAuth(async ({ forceRefresh }) => (forced.push(forceRefresh), "bad"));
  for (let attempt = 0; attempt < 3; attempt += 1) {
    world.server.say({ type: "AuthError", error: "expired", baseVersion: 0, authUpdateAttempted: true });
    assert.equal(world.client.state.error, "expired");
    await turn();
    world.fire();
    world.server.accept();
  }
  assert.deepEqual(forced, [false, true, true]);
  assert.deepEqual(world.server.types(), ["Connect", "ModifyQuerySet"]);
  assert.equal(world.client.state.signedIn, false);
});

test("a FatalError ends everything, says why, and is not tried again", async (t) => {
  const printed = t.mock.method(console, "error", () => {});
  const world = await play();
  const promise = world.client.mutation("m");
  world.server.say({ type: "FatalError", error: "BaseVersionMismatch" });
  await assert.rejects(promise, /BaseVersionMismatch/);
  assert.equal(world.timers.size, 0);
  assert.throws(() => world.client.subscribe("q", {}, () => {}), /BaseVersionMismatch/);
  assert.equal(printed.mock.callCount(), 1);
});

test("onState tells of the connection and of what is pending, until it is ended", async () => {
  const world = await play({ open: false });
  const seen = [];
  const stop = world.client.onState(({ connected, pending }) => seen.push(`${connected} ${pending}`));
  world.server.accept();
  world.client.mutation("m");
  world.server.say(done(0, null, 1));
  world.server.step(1);
  stop();
  world.server.drop();
  assert.equal(seen[0], "false 0");
  assert.ok(seen.includes("true 1"));
  assert.equal(seen.at(-1), "true 0");
});

test("log lines of functions are printed under their path", async (t) => {
  const printed = t.mock.method(console, "log", () => {});
  const { client, server } = await play();
  client.subscribe("q", {}, () => {});
  server.step(1, [{ ...updated(0, 1), logLines: ["[LOG] 'hello'"] }], { querySet: 2 });
  assert.deepEqual(printed.mock.calls[0].arguments, ["q [LOG] 'hello'"]);
});
