import { type ReactNode, useLayoutEffect, useRef } from "react";
import type { Doc } from "./_generated/dataModel";
import { useIdentity } from "./identity";

interface MessagesProps {
  /** Oldest first. */
  messages: Doc<"messages">[];
  /** Stands above the oldest one. */
  above?: ReactNode;
  empty: string;
}

/** A conversation that keeps its end in view, unless you have scrolled up; new lines are read aloud. */
export function Messages({ messages, above, empty }: MessagesProps) {
  const { person } = useIdentity();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = messages.at(-1)?._id;
  useLayoutEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [last]);

  function noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = box.current!;
    atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
  }

  return (
    <div ref={box} className="messages" onScroll={noteScroll} tabIndex={0} role="region" aria-label="Conversation">
      {above}
      <ol role="log" aria-live="polite" aria-label="Messages">
        {messages.map((message) => (
          <li key={message._id} className={message.userId === person ? "mine" : undefined}>
            <span className="by">
              <strong>{message.userId}</strong> <Time at={message.timestamp} />
            </span>
            <span className="said">{message.content}</span>
          </li>
        ))}
      </ol>
      {messages.length === 0 && <p className="empty">{empty}</p>}
    </div>
  );
}

function Time({ at }: { at: number }) {
  const when = new Date(at);
  const sameDay = when.toDateString() === new Date().toDateString();
  const options: Intl.DateTimeFormatOptions = sameDay
    ? { hour: "2-digit", minute: "2-digit" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return <time dateTime={when.toISOString()}>{when.toLocaleString([], options)}</time>;
}
