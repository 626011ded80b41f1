// Everything here is right: `tsc --strict` has nothing to say about it.
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { fetchQuery, preloadQuery } from "convex/nextjs";
import {
  insertAtTop,
  type Preloaded,
  useAction,
  useMutation,
  usePaginatedQuery,
  usePreloadedQuery,
  useQuery,
} from "convex/react";
import type {
  FilterApi,
  FunctionArgs,
  FunctionReference,
  FunctionReturnType,
  GenericDataModel,
  WithoutSystemFields,
} from "convex/server";
import { api, internal } from "./_generated/api";
import type { DataModel, Doc, Id, TableNames } from "./_generated/dataModel";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_Claim extends true>(): void {}

// A table's document, field by field.
type Thing = {
  _id: Id<"things">;
  _creationTime: number;
  number: number;
  whole: number;
  long: bigint;
  raw: ArrayBuffer;
  flag: boolean;
  color: "red" | "green";
  tags: string[];
  scores: Record<string, number>;
  votes: Record<Id<"people">, boolean>;
  big?: bigint;
  either: string | number | null;
  level: 1 | 2 | -3;
  anything?: any;
  anyId: Doc<"things">["anyId"];
  places: { street: string; floor: number | null; bell?: string }[];
};
holds<Same<Doc<"things">, Thing>>();
holds<Same<TableNames, "people" | "tasks" | "things">>();
holds<Same<Doc<"tasks">["priority"], "low" | "high" | undefined>>();
holds<Same<Doc<"tasks">["due"], number | null>>();
holds<Same<DataModel["people"]["indexes"]["by_street"], ["address.street", "name", "_creationTime"]>>();
type Search = { searchField: "title"; filterFields: "completed" | "owner" };
holds<Same<DataModel["tasks"]["searchIndexes"]["search_title"], Search>>();
holds<DataModel extends GenericDataModel ? true : false>();

// Functions: what they take and give.
holds<Same<FunctionArgs<typeof api.tasks.getTasks>, { owner: Id<"people">; onlyOpen?: boolean }>>();
holds<Same<FunctionReturnType<typeof api.tasks.getTasks>, Doc<"tasks">[]>>();
holds<Same<FunctionReturnType<typeof api.tasks.first>, Doc<"tasks"> | null>>();
holds<Same<FunctionReturnType<(typeof api.things)["not-a-name"]>, bigint>>();
holds<Same<FunctionReturnType<typeof api.things.keep>, ArrayBuffer>>();
holds<Same<FunctionReturnType<typeof internal.tasks.clear>, null>>();

// The official client's own type functions work on `api`.
type Queries = FilterApi<typeof api, FunctionReference<"query">>;
holds<Same<keyof Queries["tasks"], "first" | "getTasks" | "list" | "titles">>();
export const draft: WithoutSystemFields<Doc<"people">> = {
  name: "Ana",
  address: { street: "Main Street", floor: null },
};

export function Tasks({ owner }: { owner: Id<"people"> }) {
  const tasks = useQuery(api.tasks.getTasks, { owner });
  const skipped = useQuery(api.tasks.getTasks, tasks === undefined ? "skip" : { owner, onlyOpen: true });
  const first = useQuery(api.tasks.first);
  const late = useQuery(api.shop.orders.late.default, {});
  const pages = usePaginatedQuery(api.tasks.list, { owner }, { initialNumItems: 5 });
  const titles = usePaginatedQuery(api.tasks.titles, {}, { initialNumItems: 5 });
  const anything = useAction(api.things.anything);
  const create = useMutation(api.tasks.create).withOptimisticUpdate((store, args) => {
    const seen = store.getQuery(api.tasks.getTasks, { owner: args.owner }) ?? [];
    const item: Doc<"tasks"> = { ...seen[0]!, title: args.title };
    store.setQuery(api.tasks.getTasks, { owner: args.owner }, [...seen, item]);
    insertAtTop({ paginatedQuery: api.tasks.list, argsToMatch: { owner }, localQueryStore: store, item });
  });
  const add = async () => {
    const id: Id<"tasks"> = await create({ title: first?.title ?? "", owner });
    await anything({ whatever: id });
  };
  return (
    <ul onClick={() => pages.loadMore(5)}>
      {pages.results.map((task) => (
        <li key={task._id} onClick={add}>
          {task.title.toUpperCase()} {task.due?.toFixed(0)} {late?.toFixed(1)} {skipped?.length}
        </li>
      ))}
      {titles.results.map((title) => title.trim())}
    </ul>
  );
}

export function First(props: { preloaded: Preloaded<typeof api.tasks.first> }) {
  return <b>{usePreloadedQuery(props.preloaded)?.title}</b>;
}

export async function elsewhere(person: Id<"people">, thing: Id<"things">) {
  const client = new ConvexClient("http://127.0.0.1:3210");
  client.onUpdate(api.tasks.getTasks, { owner: person }, (tasks) => tasks.map((task) => task.title));
  const http = new ConvexHttpClient("http://127.0.0.1:3210");
  const page = await http.query(api.tasks.list, {
    owner: person,
    paginationOpts: { numItems: 5, cursor: null },
  });
  await http.mutation(api.things.keep, {
    number: 1.5,
    long: 1n,
    raw: new ArrayBuffer(2),
    color: "red",
    scores: { any: 1 },
    votes: { [person]: true },
    either: null,
    address: { street: "Main Street", floor: 2 },
    anyId: thing,
  });
  const preloaded = await preloadQuery(api.tasks.first);
  const found: Doc<"things"> | null = await fetchQuery(api.things.one, { id: thing });
  return [page.page[0]?.title, preloaded, found?.votes[person]];
}
