// Each line with a mark is wrong, and tsc says so there with that code; nothing else is wrong.
import { useMutation, usePaginatedQuery, useQuery } from "convex/react";
import { ConvexHttpClient } from "convex/browser";
import { api, internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";

declare const http: ConvexHttpClient;
declare const person: Id<"people">;
declare const task: Doc<"tasks">;

export async function calls() {
  await http.query(api.tasks.getTasks, { owners: person }); // 2561 an argument of another name
  await http.query(api.tasks.getTasks, { owner: person, open: true }); // 2353 an argument too many
  await http.query(api.tasks.getTasks, {}); // 2345 a required argument left out
  await http.query(api.tasks.getTasks); // 2554 no arguments where some are required
  await http.query(api.tasks.getTasks, { owner: 5 }); // 2322 a number for an id
  await http.query(api.tasks.getTasks, { owner: "ana" }); // 2322 a plain string for an id
  await http.query(api.tasks.getTasks, { owner: task._id }); // 2322 an id of another table
  await http.query(api.tasks.getTasks, { owner: person, onlyOpen: null }); // 2322 null where absent is meant
  await http.query(api.tasks.first, { owner: person }); // 2322 arguments where there are none
  await http.query(api.tasks.clear); // 2339 an internal function through api
  await http.mutation(internal.tasks.clear); // 2345 an internal function from a client
  await http.query(api.tasks.create, { title: "Write", owner: person }); // 2345 a mutation as a query
  await http.mutation(api.tasks.make, {}); // 2339 a function that does not exist
  await http.query(api.thinks.one, {}); // 2551 a module that does not exist
  await http.query(api.things.one, { id: person }); // 2322 an id of another table, again
}

export function Component() {
  const tasks = useQuery(api.tasks.getTasks, { owner: person });
  tasks.map((one) => one.title); // 18048 a result before it is there
  const first = useQuery(api.tasks.first);
  first!.tilte; // 2551 a field that does not exist
  first!.priority = "medium"; // 2322 a literal that is none of the choices
  const big: number = useQuery(api.things["not-a-name"])!; // 2322 an int64 as a number
  const create = useMutation(api.tasks.create);
  void create({ title: 5, owner: person }); // 2322 a value of another type
  usePaginatedQuery(api.tasks.getTasks, { owner: person }, { initialNumItems: 5 }); // 2345 pages of a plain query
  usePaginatedQuery(api.tasks.list, {}, { initialNumItems: 5 }); // 2345 a page without its argument
  return big;
}
