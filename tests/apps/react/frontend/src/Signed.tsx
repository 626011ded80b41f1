import {
  Authenticated,
  ConvexProviderWithAuth,
  type ConvexReactClient,
  Unauthenticated,
  useConvexAuth,
  useQuery,
} from "convex/react";
import { createContext, useCallback, useContext, useMemo, useState } from "react";
import { api } from "./_generated/api";

declare global {
  interface Window {
    /** Gives the test's next token; it counts how often it was asked, and whether by force. */
    nextToken: (forced: boolean) => Promise<string | null>;
    /** Every state of authentication this page has been in. */
    states: string[];
  }
}
window.states = [];

const Session = createContext({ signedIn: true, signOut: () => {} });

// Stands for an identity provider's hook.
function useSession() {
  const { signedIn } = useContext(Session);
  const fetchAccessToken = useCallback(
    ({ forceRefreshToken }: { forceRefreshToken: boolean }) => window.nextToken(forceRefreshToken),
    [],
  );
  return useMemo(
    () => ({ isLoading: false, isAuthenticated: signedIn, fetchAccessToken }),
    [signedIn, fetchAccessToken],
  );
}

function Shown() {
  const { signOut } = useContext(Session);
  const auth = useConvexAuth();
  const who = useQuery(api.people.whoami);
  const state = `${auth.isLoading ? "loading" : auth.isAuthenticated ? "in" : "out"} ${who}`;
  if (window.states.at(-1) !== state) window.states.push(state);
  return (
    <main>
      <h1>Who is here</h1>
      <p role="status">{who === undefined ? "Loading" : (who ?? "nobody")}</p>
      <Authenticated>
        <button onClick={signOut}>Sign out</button>
      </Authenticated>
      <Unauthenticated>
        <p>Signed out.</p>
      </Unauthenticated>
    </main>
  );
}

export function Signed({ client }: { client: ConvexReactClient }) {
  const [signedIn, setSignedIn] = useState(true);
  const session = useMemo(() => ({ signedIn, signOut: () => setSignedIn(false) }), [signedIn]);
  return (
    <Session value={session}>
      <ConvexProviderWithAuth client={client} useAuth={useSession}>
        <Shown />
      </ConvexProviderWithAuth>
    </Session>
  );
}
