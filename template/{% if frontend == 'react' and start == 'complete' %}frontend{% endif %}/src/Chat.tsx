import { useMutation, usePaginatedQuery, useQuery } from "convex/react";
import { useEffect, useState } from "react";
import { api } from "./_generated/api";
import type { Doc } from "./_generated/dataModel";
import { LineForm } from "./LineForm";
import { Messages } from "./Messages";
import { useAttempt } from "./trouble";

const PAGE = 20;
const HEARTBEAT_MS = 5_000;

/** A room: who is in it, what was said, what is being looked for. */
export function Chat({ roomId }: { roomId: string }) {
  const [words, setWords] = useState("");
  const sendMessage = useMutation(api.messages.sendMessage);
  const attempt = useAttempt();
  const searching = words.trim() !== "";

  return (
    <div className="chat">
      <Present roomId={roomId} />
      <label>
        <span className="unseen">Search this room</span>
        <input
          type="search"
          value={words}
          maxLength={200}
          placeholder="Search this room"
          onChange={(event) => setWords(event.target.value)}
        />
      </label>
      {searching ? <Found roomId={roomId} words={words.trim()} /> : <Said roomId={roomId} />}
      <LineForm
        label="Message"
        button="Send"
        placeholder="Say something"
        maxLength={2000}
        onLine={(content) => attempt(sendMessage({ roomId, content }))}
      />
    </div>
  );
}

/** The room's messages, the newest page first; older ones come by asking for them. */
function Said({ roomId }: { roomId: string }) {
  const { results, status, loadMore } = usePaginatedQuery(
    api.messages.pageMessages,
    { roomId },
    { initialNumItems: PAGE },
  );
  const older = status === "CanLoadMore" && (
    <button type="button" className="quiet" onClick={() => loadMore(PAGE)}>
      Load older messages
    </button>
  );
  return (
    <Messages
      messages={results.toReversed()}
      above={older}
      empty={status === "LoadingFirstPage" ? "Loading…" : "Nobody has said anything yet."}
    />
  );
}

/** What has been found so far; while the next search is on its way, the last one stays. */
function Found({ roomId, words }: { roomId: string; words: string }) {
  const found = useQuery(api.messages.searchMessages, { roomId, words });
  const [last, setLast] = useState<Doc<"messages">[]>([]);
  useEffect(() => {
    if (found !== undefined) setLast(found);
  }, [found]);
  const shown = found ?? last;
  return (
    <>
      <p role="status" className="soft small">
        {found === undefined ? "Searching…" : `${shown.length} found`}
      </p>
      <Messages messages={shown} empty="Nothing found." />
    </>
  );
}

/** Says every few seconds that this window is in the room, and shows who else is. */
function Present({ roomId }: { roomId: string }) {
  const names = useQuery(api.presence.getPresent, { roomId });
  const heartbeat = useMutation(api.presence.heartbeat);
  const leave = useMutation(api.presence.leave);

  useEffect(() => {
    // One that fails is followed by the next; who may not be here is told so by the messages.
    const beat = () => void heartbeat({ roomId }).catch(() => undefined);
    beat();
    const timer = setInterval(beat, HEARTBEAT_MS);
    return () => {
      clearInterval(timer);
      void leave({ roomId }).catch(() => undefined);
    };
  }, [roomId, heartbeat, leave]);

  return (
    <p className="present" aria-label="Who is here" role="group">
      {names?.map((name) => <span key={name}>{name}</span>)}
    </p>
  );
}
