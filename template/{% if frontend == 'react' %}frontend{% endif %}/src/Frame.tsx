import { useConvexAuth, useConvexConnectionState } from "convex/react";
import type { ReactNode } from "react";
import { useIdentity } from "./identity";
import { LineForm } from "./LineForm";
import { Trouble, useAttempt } from "./trouble";

/** The bar on top, and below it the page for whoever is signed in. */
export function Frame({ children }: { children: ReactNode }) {
  const { person, signOut } = useIdentity();
  const { isAuthenticated } = useConvexAuth();
  return (
    <>
      <header className="bar">
        <h1>{document.title}</h1>
        <Connection />
        {person !== null && (
          <p className="who">
            <span>
              signed in as <strong>{person}</strong>
            </span>
            <button type="button" className="quiet" onClick={signOut}>
              Sign out
            </button>
          </p>
        )}
      </header>
      <main>
        <Trouble />
        {person === null ? <SignIn /> : isAuthenticated ? children : <p className="empty">Signing in…</p>}
      </main>
    </>
  );
}

function SignIn() {
  const { signIn } = useIdentity();
  const attempt = useAttempt();
  return (
    <section className="card sign-in" aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Who are you?</h2>
      <p className="soft">
        Any name will do here. Take another name in a second window, and watch both.
      </p>
      <LineForm
        label="Name"
        button="Sign in"
        placeholder="ana"
        maxLength={40}
        onLine={(name) => attempt(signIn(name))}
      />
    </section>
  );
}

function Connection() {
  const { isWebSocketConnected, hasEverConnected, hasInflightRequests } = useConvexConnectionState();
  const waiting = hasInflightRequests ? ", changes to send" : "";
  const words = isWebSocketConnected ? "live" : hasEverConnected ? `reconnecting${waiting}` : "connecting";
  return (
    <p role="status" className="connection" data-live={isWebSocketConnected}>
      {words}
    </p>
  );
}
