import { useQuery } from "convex/react";
import { useState } from "react";
import { api } from "./_generated/api";

export function Search({ room }: { room: string }) {
  const [words, setWords] = useState("");
  const found = useQuery(api.rooms.search, words === "" ? "skip" : { room, words });
  return (
    <main>
      <h1>Search room {room}</h1>
      <input type="search" aria-label="Words" onChange={(event) => setWords(event.target.value)} />
      <p role="status">{words === "" ? "Type" : found === undefined ? "Searching" : words}</p>
      <ul>
        {found?.map((message) => (
          <li key={message._id}>{message.body}</li>
        ))}
      </ul>
    </main>
  );
}
