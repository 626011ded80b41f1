import { useMutation, useQuery } from "convex/react";
import { api } from "./_generated/api";
import { LineForm } from "./LineForm";
import { Messages } from "./Messages";
import { useAttempt } from "./trouble";

/** A room everybody is in: what one says, all hear. */
export function Chat({ roomId }: { roomId: string }) {
  const messages = useQuery(api.messages.listMessages, { roomId });
  const sendMessage = useMutation(api.messages.sendMessage);
  const attempt = useAttempt();

  return (
    <section className="card" aria-labelledby="chat-title">
      <h2 id="chat-title">Room {roomId}</h2>
      <Messages
        messages={messages ?? []}
        empty={messages === undefined ? "Loading…" : "Nobody has said anything yet."}
      />
      <LineForm
        label="Message"
        button="Send"
        placeholder="Say something"
        maxLength={2000}
        onLine={(content) => attempt(sendMessage({ roomId, content }))}
      />
    </section>
  );
}
