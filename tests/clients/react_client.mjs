// Drives ConvexReactClient with useQuery and useMutation, rendered in jsdom:
// `node react_client.mjs URL`. jsdom's own WebSocket is used, so the upgrade carries an Origin
// as a page on a development server would send it.
import { JSDOM } from "jsdom";

const dom = new JSDOM("<!doctype html><body></body>", {
  url: "http://localhost:5173/",
  pretendToBeVisual: true,
});
globalThis.window = dom.window;
globalThis.document = dom.window.document;
globalThis.navigator ??= dom.window.navigator;

const { Component, createElement: h, useState } = await import("react");
const { createRoot } = await import("react-dom/client");
const {
  Authenticated,
  AuthLoading,
  ConvexProvider,
  ConvexProviderWithAuth,
  ConvexReactClient,
  Unauthenticated,
  useAction,
  useMutation,
  useQuery,
} = await import("convex/react");
const { decodeArgs, describeError, emit, encodeValue, logger, reference, serve, tokenFetcher } =
  await import("./driver.mjs");

const client = new ConvexReactClient(process.argv[2], {
  logger,
  webSocketConstructor: dom.window.WebSocket,
  unsavedChangesWarning: false,
});

const calls = new Map();

// Shows a query's result as text, or "loading".
function Shown({ path, args }) {
  const value = useQuery(reference(path), args);
  return h("pre", null, value === undefined ? "loading" : JSON.stringify(encodeValue(value)));
}

// A button per call: clicking it runs the mutation or action that the hook gave.
function Button({ id, hook, path, args }) {
  const run = hook(reference(path));
  const click = () => {
    const { resolve, reject } = calls.get(id);
    run(args).then(resolve, reject);
  };
  return h("button", { id: `call-${id}`, onClick: click }, path);
}

// What a query throws while rendering is shown in its place.
class Boundary extends Component {
  state = { error: null };
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return h("pre", { className: "error" }, JSON.stringify(describeError(error)));
  }
}

// What a library for an auth provider gives to `ConvexProviderWithAuth`.
const sessions = { signedIn: false, changed: () => {} };
function authFrom(url) {
  const fetchAccessToken = tokenFetcher(url);
  return function useAuth() {
    const [isAuthenticated, set] = useState(sessions.signedIn);
    sessions.changed = set;
    return { isLoading: false, isAuthenticated, fetchAccessToken };
  };
}

// A page that shows a query to whoever is signed in, and what is the case to others.
function guardedPage({ id, url, path, args }) {
  const said = (text) => h("pre", null, JSON.stringify(text));
  const place = document.body.appendChild(document.createElement("div"));
  watch(id, place);
  createRoot(place).render(
    h(
      ConvexProviderWithAuth,
      { client, useAuth: authFrom(url) },
      h(Authenticated, null, h(Shown, { path, args: decodeArgs(args) })),
      h(Unauthenticated, null, said("signed out")),
      h(AuthLoading, null, said("signing in")),
    ),
  );
}

function mount(element) {
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place, { onCaughtError: () => {} });
  root.render(h(ConvexProvider, { client }, h(Boundary, null, element)));
  return { place, root };
}

function report(id, place) {
  const shown = place.querySelector("pre");
  if (shown === null || shown.textContent === "loading") return;
  const content = JSON.parse(shown.textContent);
  if (shown.className === "error") emit({ event: "failed", id, error: content });
  else emit({ event: "update", id, value: content });
}

const mounted = new Map();

function subscribe({ id, path, args }) {
  const { place, root } = mount(h(Shown, { path, args: decodeArgs(args) }));
  mounted.set(id, root);
  watch(id, place);
}

function watch(id, place) {
  new dom.window.MutationObserver(() => report(id, place)).observe(place, {
    subtree: true,
    childList: true,
    characterData: true,
  });
}

async function byButton(hook, { id, path, args }) {
  const finished = new Promise((resolve, reject) => calls.set(id, { resolve, reject }));
  const { place, root } = mount(h(Button, { id, hook, path, args: decodeArgs(args) }));
  while (place.querySelector("button") === null) await new Promise((next) => setTimeout(next, 0));
  place.querySelector("button").click();
  try {
    return await finished;
  } finally {
    root.unmount();
    place.remove();
  }
}

serve({
  subscribe,
  guardedPage,
  setSignedIn: ({ signedIn }) => {
    sessions.signedIn = signedIn;
    sessions.changed(signedIn);
  },
  unsubscribe: ({ subscription }) => mounted.get(subscription).unmount(),
  identify: ({ token }) => client.setAuth(async () => token, () => {}),
  query: ({ path, args }) => client.query(reference(path), decodeArgs(args)),
  mutation: (command) => byButton(useMutation, command),
  action: (command) => byButton(useAction, command),
});
