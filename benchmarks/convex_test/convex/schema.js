import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  tasks: defineTable({
    board: v.string(),
    title: v.string(),
    completed: v.boolean(),
  }).index("by_board", ["board"]),
});
