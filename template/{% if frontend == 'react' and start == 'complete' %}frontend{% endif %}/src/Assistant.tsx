import { useMutation, useQuery } from "convex/react";
import { useLayoutEffect, useRef, useState } from "react";
import { api } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { LineForm } from "./LineForm";
import { useAttempt } from "./trouble";

/** Talks with the model: its answers grow in the database, and so on every page that shows them. */
export function Assistant() {
  const conversations = useQuery(api.ai.getConversations);
  const startConversation = useMutation(api.ai.startConversation);
  const ask = useMutation(api.ai.ask);
  const [chosen, setChosen] = useState<Id<"ai_conversations"> | "new" | null>(null);
  const attempt = useAttempt();
  const open = chosen === "new" ? null : (chosen ?? conversations?.[0]?._id ?? null);

  async function send(prompt: string) {
    const conversationId = open ?? (await startConversation({ title: prompt.slice(0, 60) }));
    setChosen(conversationId);
    await ask({ conversationId, prompt });
  }

  return (
    <section className="card assistant" aria-labelledby="assistant-title">
      <div className="heading">
        <h2 id="assistant-title">Assistant</h2>
        <div className="tabs" role="group" aria-label="Conversations">
          {conversations?.slice(0, 5).map((conversation) => (
            <button
              key={conversation._id}
              type="button"
              className="tab"
              aria-pressed={conversation._id === open}
              onClick={() => setChosen(conversation._id)}
            >
              {conversation.title}
            </button>
          ))}
          {conversations && conversations.length > 0 && (
            <button type="button" className="tab" aria-pressed={open === null} onClick={() => setChosen("new")}>
              New
            </button>
          )}
        </div>
      </div>
      {open === null ? <p className="empty">Ask something.</p> : <Answers key={open} conversationId={open} />}
      <LineForm
        label="Question"
        button="Ask"
        placeholder="Ask something"
        maxLength={4000}
        onLine={(prompt) => attempt(send(prompt))}
      />
    </section>
  );
}

function Answers({ conversationId }: { conversationId: Id<"ai_conversations"> }) {
  const messages = useQuery(api.ai.getAiMessages, { conversationId });
  const box = useRef<HTMLDivElement>(null);
  const length = messages?.reduce((sum, message) => sum + message.content.length, messages.length);
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [length]);
  return (
    <div ref={box} className="messages" tabIndex={0} role="region" aria-label="Conversation">
      <ol role="log" aria-live="polite" aria-label="Messages">
        {messages?.map((message) => <Part key={message._id} message={message} />)}
      </ol>
    </div>
  );
}

function Part({ message }: { message: Doc<"ai_messages"> }) {
  const streams = message.status === "streaming";
  // While it is busy an answer is not read aloud; it is once it is whole.
  return (
    <li className={message.role === "user" ? "mine" : undefined} aria-busy={streams} data-status={message.status}>
      <span className="by">
        <strong>{message.role === "user" ? "you" : "assistant"}</strong>
      </span>
      <span className="said">
        {message.content}
        {streams && <span className="caret" aria-hidden="true" />}
      </span>
      {message.status === "failed" && (
        <span className="failed small">{message.error ?? "The answer broke off."}</span>
      )}
    </li>
  );
}
