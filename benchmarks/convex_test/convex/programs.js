import { mutationGeneric as mutation } from "convex/server";

const absent = (box) => (box.length ? box[0] : undefined);

const ranged = (read) => (q) => {
  let range = q;
  for (const [field, box] of read.equal) range = range.eq(field, absent(box));
  for (const [how, field, box] of read.bounds) range = range[how](field, absent(box));
  return range;
};

const read = async (ctx, op) => {
  let query = ctx.db.query("things");
  if (op.index) query = query.withIndex(op.index, ranged(op));
  query = query.order(op.order);
  if (op.filter) query = query.filter((q) => q[op.filter[0]](q.field(op.filter[1]), op.filter[2]));
  const found = op.end === "take" ? await query.take(op.count) : await query[op.end]();
  return [found ?? []].flat().map(({ _id, _creationTime, ...fields }) => fields);
};

const steps = {
  insert: async (ctx, op, ids) => void ids.push(await ctx.db.insert("things", op.fields)),
  patch: (ctx, op, ids) =>
    ctx.db.patch(ids[op.at % ids.length], {
      ...op.fields,
      ...Object.fromEntries(op.removed.map((name) => [name, undefined])),
    }),
  replace: (ctx, op, ids) => ctx.db.replace(ids[op.at % ids.length], op.fields),
  delete: (ctx, op, ids) => ctx.db.delete(ids[op.at % ids.length]),
  get: async (ctx, op, ids) => (await ctx.db.get(ids[op.at % ids.length])) !== null,
  read,
};

export const run = mutation({
  handler: async (ctx, { ops, ids }) => {
    const seen = [];
    for (const op of ops) {
      if ("at" in op && !ids.length) continue;
      seen.push((await steps[op.op](ctx, op, ids)) ?? null);
    }
    return { ids, seen };
  },
});
