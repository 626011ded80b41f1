import { useConvexAuth, useMutation } from "convex/react";
import { useEffect, useState } from "react";
import { api } from "./_generated/api";
import { Assistant } from "./Assistant";
import { Chat } from "./Chat";
import { Frame } from "./Frame";
import { Navigation } from "./Navigation";
import { ProjectPage } from "./ProjectPage";
import { type Place, usePlace } from "./place";
import { MyTasks } from "./Tasks";
import { Boundary, inWords } from "./trouble";
import "./workspace.css";

export function App() {
  return (
    <Frame>
      <Workspace />
    </Frame>
  );
}

/** Where to go on the left, and what is there. */
function Workspace() {
  const place = usePlace();
  const stored = useStoredUser();
  if (stored !== true) return <p className="empty">{stored === false ? "Signing in…" : stored}</p>;
  return (
    <div className="workspace">
      <Boundary resetKey="navigation">
        <Navigation place={place} />
      </Boundary>
      <Boundary resetKey={place.kind === "project" ? place.projectId : place.kind}>
        <Here place={place} />
      </Boundary>
    </div>
  );
}

function Here({ place }: { place: Place }) {
  if (place.kind === "project") return <ProjectPage key={place.projectId} projectId={place.projectId} />;
  if (place.kind === "assistant") return <Assistant />;
  return (
    <div className="columns">
      <MyTasks />
      <section className="card" aria-labelledby="lobby-title">
        <h2 id="lobby-title">Lobby</h2>
        <Chat roomId="general" />
      </section>
    </div>
  );
}

/** Whether the backend knows who has just signed in; a sentence if it would not. */
function useStoredUser(): boolean | string {
  const { isAuthenticated } = useConvexAuth();
  const storeUser = useMutation(api.users.storeUser);
  const [stored, setStored] = useState<boolean | string>(false);
  useEffect(() => {
    if (!isAuthenticated) return;
    let current = true;
    storeUser().then(
      () => current && setStored(true),
      (error: unknown) => current && setStored(inWords(error)),
    );
    return () => {
      current = false;
      setStored(false);
    };
  }, [isAuthenticated, storeUser]);
  return stored;
}
