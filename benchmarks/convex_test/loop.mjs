// The unit test loop on convex-test: a fresh in-memory backend, create, list, toggle, list.
// `node loop.mjs COUNT` prints one line of JSON: how many tests ran, and in how many seconds.
import assert from "node:assert/strict";
import { convexTest } from "convex-test";
import { api } from "./convex/_generated/api.js";
import schema from "./convex/schema.js";

const modules = {
  "./convex/_generated/api.js": () => import("./convex/_generated/api.js"),
  "./convex/schema.js": () => import("./convex/schema.js"),
  "./convex/tasks.js": () => import("./convex/tasks.js"),
};

async function oneTest() {
  const backend = convexTest(schema, modules);
  const id = await backend.mutation(api.tasks.create, { board: "home", title: "Write" });
  const before = await backend.query(api.tasks.newest, { board: "home", count: 100 });
  assert.equal(before.length, 1);
  assert.equal(before[0].completed, false);
  await backend.mutation(api.tasks.toggle, { id });
  const after = await backend.query(api.tasks.newest, { board: "home", count: 100 });
  assert.equal(after[0].completed, true);
}

async function runTests(count) {
  for (let done = 0; done < count; done += 1) await oneTest();
}

const count = Number(process.argv[2] ?? "200");
await runTests(Math.min(count, 50)); // warm: modules loaded, code compiled
const started = performance.now();
await runTests(count);
console.log(JSON.stringify({ tests: count, seconds: (performance.now() - started) / 1000 }));
