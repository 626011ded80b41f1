// What npm convex-test makes of programs: lists of mutations, each a list of steps.
// Reads one JSON array of programs from its input, prints one line of JSON: what each saw.
import { readFileSync } from "node:fs";
import { convexTest } from "convex-test";
import { anyApi, defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const value = v.optional(v.union(v.number(), v.string(), v.boolean()));
const schema = defineSchema({
  things: defineTable({ n: v.number(), a: value, b: value }).index("by_ab", ["a", "b"]),
});
const modules = {
  "./convex/_generated/api.js": () => import("./convex/_generated/api.js"),
  "./convex/programs.js": () => import("./convex/programs.js"),
};

async function outcomes(program) {
  const backend = convexTest(schema, modules);
  const told = [];
  let ids = [];
  for (const ops of program) {
    try {
      const result = await backend.mutation(anyApi.programs.run, { ops, ids });
      ids = result.ids;
      told.push(result.seen);
    } catch {
      told.push("failed");
    }
  }
  return told;
}

const told = [];
for (const program of JSON.parse(readFileSync(0, "utf8"))) told.push(await outcomes(program));
console.log(JSON.stringify(told));
