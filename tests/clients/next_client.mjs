// Drives the functions of "convex/nextjs", as server components and actions of Next.js call them:
// `node next_client.mjs URL`. They need nothing of Next.js itself.
import {
  fetchAction,
  fetchMutation,
  fetchQuery,
  preloadedQueryResult,
  preloadQuery,
} from "convex/nextjs";
import { decodeArgs, reference, serve } from "./driver.mjs";

const options = { url: process.argv[2] };

const call =
  (fetchOne) =>
  ({ path, args }) =>
    fetchOne(reference(path), decodeArgs(args), options);

async function preload({ path, args }) {
  const payload = await preloadQuery(reference(path), decodeArgs(args), options);
  return { payload: JSON.stringify(payload), value: preloadedQueryResult(payload) };
}

serve({
  identify: ({ token }) => {
    options.token = token;
  },
  preload,
  query: call(fetchQuery),
  mutation: call(fetchMutation),
  action: call(fetchAction),
});
