import { mutationGeneric as mutation, queryGeneric as query } from "convex/server";
import { v } from "convex/values";

export const create = mutation({
  args: { board: v.string(), title: v.string() },
  returns: v.id("tasks"),
  handler: (ctx, { board, title }) =>
    ctx.db.insert("tasks", { board, title, completed: false }),
});

export const toggle = mutation({
  args: { id: v.id("tasks") },
  returns: v.null(),
  handler: async (ctx, { id }) => {
    const task = await ctx.db.get(id);
    await ctx.db.patch(id, { completed: !task.completed });
    return null;
  },
});

export const newest = query({
  args: { board: v.string(), count: v.number() },
  handler: (ctx, { board, count }) =>
    ctx.db
      .query("tasks")
      .withIndex("by_board", (q) => q.eq("board", board))
      .order("desc")
      .take(count),
});
