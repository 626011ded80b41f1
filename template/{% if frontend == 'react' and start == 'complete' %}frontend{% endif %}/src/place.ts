// Where one is, in the address: it can be bookmarked, sent to somebody, gone back from.
import { useSyncExternalStore } from "react";
import type { Id } from "./_generated/dataModel";

export type Place =
  | { kind: "home" }
  | { kind: "assistant" }
  | { kind: "project"; projectId: Id<"projects"> };

export const HOME = "#/";
export const ASSISTANT = "#/assistant";
export const hrefOf = (projectId: Id<"projects">) => `#/projects/${projectId}`;

function subscribe(changed: () => void) {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  if (hash === ASSISTANT) return { kind: "assistant" };
  const found = /^#\/projects\/(\w+)$/.exec(hash);
  // What stands in an address may be no id at all; then the backend says so.
  return found ? { kind: "project", projectId: found[1] as Id<"projects"> } : { kind: "home" };
}
