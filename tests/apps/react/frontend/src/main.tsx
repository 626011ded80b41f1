// One page for each story of tests/scenarios/react, chosen by `#name`. What a story
// needs to know comes as parameters: `?url=` of the server, `?room=`, `?title=`, `?album=`.
import { ConvexProvider, ConvexReactClient } from "convex/react";
import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { Files } from "./Files";
import { Optimistic } from "./Optimistic";
import { Paged } from "./Paged";
import { Preloaded } from "./Preloaded";
import { Search } from "./Search";
import { Signed } from "./Signed";
import { Story } from "./Story";

const parameters = new URLSearchParams(location.search);
const parameter = (name: string) => parameters.get(name) ?? "";

// Refreshed only when the server says that the token has expired: that is the story to tell.
const client = new ConvexReactClient(parameter("url") || location.origin, {
  authRefreshTokenLeewaySeconds: -600,
  unsavedChangesWarning: false,
});

const pages: Record<string, () => ReactNode> = {
  paged: () => <Paged room={parameter("room")} />,
  files: () => <Files album={parameter("album")} />,
  optimistic: () => <Optimistic room={parameter("room")} />,
  story: () => <Story title={parameter("title")} />,
  search: () => <Search room={parameter("room")} />,
  preloaded: () => <Preloaded />,
};

const name = location.hash.slice(1);
createRoot(document.getElementById("root")!).render(
  name === "signed" ? (
    <Signed client={client} />
  ) : (
    <ConvexProvider client={client}>{pages[name]!()}</ConvexProvider>
  ),
);
