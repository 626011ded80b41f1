import { useMutation, useQuery } from "convex/react";
import { useState } from "react";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { Chat } from "./Chat";
import { LineForm } from "./LineForm";
import { useAttempt } from "./trouble";

/** The rooms of a project, one of them open. */
export function Rooms({ projectId }: { projectId: Id<"projects"> }) {
  const rooms = useQuery(api.rooms.getRooms, { projectId });
  const createRoom = useMutation(api.rooms.createRoom);
  const [chosen, setChosen] = useState<Id<"rooms"> | null>(null);
  const attempt = useAttempt();
  const open = rooms?.find((room) => room._id === chosen) ?? rooms?.[0];

  async function create(name: string) {
    setChosen(await createRoom({ projectId, name }));
  }

  return (
    <section className="card" aria-labelledby="rooms-title">
      <div className="heading">
        <h2 id="rooms-title">Rooms</h2>
        <div className="tabs" role="group" aria-label="Rooms">
          {rooms?.map((room) => (
            <button
              key={room._id}
              type="button"
              className="tab"
              aria-pressed={room._id === open?._id}
              onClick={() => setChosen(room._id)}
            >
              {room.name}
            </button>
          ))}
        </div>
      </div>
      {open ? <Chat key={open._id} roomId={open._id} /> : rooms && <p className="empty">No room yet.</p>}
      <details open={rooms?.length === 0}>
        <summary>New room</summary>
        <LineForm
          label="New room"
          button="Open"
          placeholder="Its name"
          maxLength={100}
          onLine={(name) => attempt(create(name))}
        />
      </details>
    </section>
  );
}
