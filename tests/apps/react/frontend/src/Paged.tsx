import { usePaginatedQuery } from "convex/react";
import { api } from "./_generated/api";

export function Paged({ room }: { room: string }) {
  const { results, status, loadMore } = usePaginatedQuery(
    api.rooms.list,
    { room },
    { initialNumItems: 5 },
  );
  return (
    <main>
      <h1>Room {room}</h1>
      <ol>
        {results.map((message) => (
          <li key={message._id} data-place={message.place}>
            {message.body}
          </li>
        ))}
      </ol>
      <p role="status">{status}</p>
      <button onClick={() => loadMore(5)} disabled={status !== "CanLoadMore"}>
        Load more
      </button>
    </main>
  );
}
