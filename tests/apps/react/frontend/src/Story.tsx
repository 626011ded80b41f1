import { useAction, useQuery } from "convex/react";
import { api } from "./_generated/api";

declare global {
  interface Window {
    /** Every text this page has shown, in order. */
    seen: string[];
  }
}
window.seen = [];

const WORDS = "Once upon a time there was a river that ran through all the tables of a town".split(
  " ",
);

export function Story({ title }: { title: string }) {
  const story = useQuery(api.stories.read, { title });
  const tell = useAction(api.stories.tell);
  const text = story?.text ?? "";
  if (window.seen.at(-1) !== text) window.seen.push(text);
  return (
    <main>
      <h1>{title}</h1>
      <p role="status">{story === undefined ? "Loading" : story?.done ? "The end" : "…"}</p>
      <blockquote>{text}</blockquote>
      <button onClick={() => void tell({ title, words: WORDS, batch: 2 })}>Tell it</button>
    </main>
  );
}
