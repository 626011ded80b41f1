import { type Preloaded as Payload, usePreloadedQuery } from "convex/react";
import { api } from "./_generated/api";

declare global {
  interface Window {
    /** What `preloadQuery` of `convex/nextjs` gave on the server. */
    preloaded: Payload<typeof api.rooms.allMessages>;
  }
}

export function Preloaded() {
  const messages = usePreloadedQuery(window.preloaded);
  return (
    <ul>
      {messages.map((message) => (
        <li key={message._id}>{message.body}</li>
      ))}
    </ul>
  );
}
