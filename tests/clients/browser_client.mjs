// Drives ConvexClient of "convex/browser": `node browser_client.mjs URL`.
import { ConvexClient } from "convex/browser";
import { decodeArgs, describeError, emit, encodeValue, logger, reference, serve, tokenFetcher } from "./driver.mjs";

const client = new ConvexClient(process.argv[2], { logger });
const subscriptions = new Map();
const more = new Map();

function subscribe({ id, path, args }) {
  const stop = client.onUpdate(
    reference(path),
    decodeArgs(args),
    (value) => emit({ event: "update", id, value: encodeValue(value) }),
    (error) => emit({ event: "failed", id, error: describeError(error) }),
  );
  subscriptions.set(id, stop);
}

// What `onPaginatedUpdate_experimental` gives: all pages loaded so far as one list.
function paginate({ id, path, args, initialNumItems }) {
  const stop = client.onPaginatedUpdate_experimental(
    reference(path),
    decodeArgs(args),
    { initialNumItems },
    ({ results, status, loadMore }) => {
      more.set(id, loadMore);
      emit({ event: "update", id, value: { results: results.map(encodeValue), status } });
    },
    (error) => emit({ event: "failed", id, error: describeError(error) }),
  );
  subscriptions.set(id, stop);
}

function identify({ token }) {
  client.setAuth(
    async () => token,
    (authenticated) => emit({ event: "auth", authenticated }),
  );
}

// Tokens from an auth provider, asked for as often as the client wants.
function signIn({ url }) {
  client.setAuth(tokenFetcher(url), (authenticated) => emit({ event: "auth", authenticated }));
}

function state() {
  const now = client.connectionState();
  return {
    connected: now.isWebSocketConnected,
    count: now.connectionCount,
    retries: now.connectionRetries,
    inflight: now.hasInflightRequests,
  };
}

// What a page does with a file: sends it to an upload URL, and reads one at its URL.
async function upload({ url, text, type }) {
  const sent = await fetch(url, { method: "POST", headers: { "Content-Type": type }, body: text });
  return { status: sent.status, ...(await sent.json()) };
}

async function download({ url }) {
  const answer = await fetch(url);
  return { status: answer.status, type: answer.headers.get("Content-Type"), text: await answer.text() };
}

serve({
  upload,
  download,
  subscribe,
  paginate,
  loadMore: ({ subscription, numItems }) => more.get(subscription)(numItems),
  identify,
  signIn,
  clearAuth: () => client.client.clearAuth(),
  identifyAdmin: ({ key, identity }) => client.client.setAdminAuth(key, identity),
  state,
  unsubscribe: ({ subscription }) => subscriptions.get(subscription)(),
  query: ({ path, args }) => client.query(reference(path), decodeArgs(args)),
  mutation: ({ path, args }) => client.mutation(reference(path), decodeArgs(args)),
  action: ({ path, args }) => client.action(reference(path), decodeArgs(args)),
});
