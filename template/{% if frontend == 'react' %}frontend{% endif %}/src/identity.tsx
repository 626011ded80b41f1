// Who you are: a name in this window, and a development token for it. In production people sign in
// at a provider (backend/auth_config.py); then its React package gives `useAuth` to the
// ConvexProviderWithAuth in main.tsx, and this file goes.
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";

interface Identity {
  person: string | null;
  signIn: (name: string) => Promise<void>;
  signOut: () => void;
}

const IdentityContext = createContext<Identity | null>(null);
const server = import.meta.env.VITE_CONVEX_URL ?? window.location.origin;

async function developmentToken(subject: string): Promise<string> {
  const response = await fetch(`${server}/dev/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subject }),
  });
  if (!response.ok) {
    throw new Error(
      "This server gives no development tokens: only `headwater dev` does. " +
        "In production people sign in at a provider; backend/auth_config.py says which.",
    );
  }
  return ((await response.json()) as { token: string }).token;
}

/** Remembers the person in this window: a second window is a second person, if you like. */
export function IdentityProvider({ children }: { children: ReactNode }) {
  const [person, setPerson] = useState(() => sessionStorage.getItem("person"));
  const identity = useMemo<Identity>(
    () => ({
      person,
      signIn: async (name) => {
        await developmentToken(name); // says at once if there are none
        sessionStorage.setItem("person", name);
        setPerson(name);
      },
      signOut: () => {
        sessionStorage.removeItem("person");
        setPerson(null);
      },
    }),
    [person],
  );
  return <IdentityContext value={identity}>{children}</IdentityContext>;
}

export function useIdentity(): Identity {
  const identity = useContext(IdentityContext);
  if (identity === null) throw new Error("useIdentity needs an IdentityProvider around it");
  return identity;
}

/** What ConvexProviderWithAuth asks for: whether somebody is signed in, and a token when it needs one. */
export function useDevIdentity() {
  const { person } = useIdentity();
  const fetchAccessToken = useCallback(async () => {
    if (person === null) return null;
    return developmentToken(person).catch(() => null);
  }, [person]);
  return useMemo(
    () => ({ isLoading: false, isAuthenticated: person !== null, fetchAccessToken }),
    [person, fetchAccessToken],
  );
}
