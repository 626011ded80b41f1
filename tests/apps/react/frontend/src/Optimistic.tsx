import { useMutation, useQuery } from "convex/react";
import { ConvexError } from "convex/values";
import { type FormEvent, useState } from "react";
import { api } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";

export function Optimistic({ room }: { room: string }) {
  const messages = useQuery(api.rooms.allMessages, { room });
  const [refusal, setRefusal] = useState("");
  const send = useMutation(api.rooms.send).withOptimisticUpdate((store, { body }) => {
    const shown = store.getQuery(api.rooms.allMessages, { room }) ?? [];
    const message: Doc<"messages"> = {
      _id: `waiting-${body}` as Id<"messages">,
      _creationTime: Date.now(),
      room,
      body,
      place: Infinity,
    };
    store.setQuery(api.rooms.allMessages, { room }, [...shown, message]);
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = String(new FormData(event.currentTarget).get("body"));
    setRefusal("");
    send({ room, body }).catch((error) =>
      setRefusal(error instanceof ConvexError ? error.data.code : String(error)),
    );
  };
  return (
    <main>
      <h1>Room {room}</h1>
      <ul>
        {messages?.map((message) => (
          <li key={message._id} className={message.place === Infinity ? "waiting" : "stored"}>
            {message.body}
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <label>
          Message <input name="body" />
        </label>
        <button disabled={messages === undefined}>Send</button>
      </form>
      {refusal && <p role="alert">{refusal}</p>}
    </main>
  );
}
