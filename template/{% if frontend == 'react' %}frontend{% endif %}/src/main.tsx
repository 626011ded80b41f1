import "./style.css"; // first, so that what components import can build on it
import { ConvexProviderWithAuth, ConvexReactClient } from "convex/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { IdentityProvider, useDevIdentity } from "./identity";
import { TroubleProvider } from "./trouble";

// The server that gives the page also answers its calls, in development and in production.
const convex = new ConvexReactClient(import.meta.env.VITE_CONVEX_URL ?? window.location.origin);

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <IdentityProvider>
      <ConvexProviderWithAuth client={convex} useAuth={useDevIdentity}>
        <TroubleProvider>
          <App />
        </TroubleProvider>
      </ConvexProviderWithAuth>
    </IdentityProvider>
  </StrictMode>,
);
