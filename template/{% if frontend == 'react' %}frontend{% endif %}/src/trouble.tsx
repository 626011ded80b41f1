// Errors in the backend's own words: one place on the page where they are shown, and read aloud.
import { ConvexError } from "convex/values";
import { Component, createContext, type ReactNode, useCallback, useContext, useState } from "react";

/** What an AppError of the backend carries: a code for programs, a message for people. */
interface Refusal {
  code?: string;
  message?: string;
  retry_after_ms?: number;
}

export function inWords(error: unknown): string {
  if (error instanceof ConvexError) {
    if (typeof error.data === "string") return error.data;
    const { code, message, retry_after_ms: wait } = error.data as Refusal;
    if (code === "RATE_LIMITED" && wait !== undefined) {
      return `Not so fast: try again in ${Math.max(1, Math.ceil(wait / 1000))} s.`;
    }
    if (message !== undefined) return message;
  }
  return error instanceof Error ? error.message : String(error);
}

type Attempt = (work: Promise<unknown>) => Promise<boolean>;

const TroubleContext = createContext<{ trouble: string | null; attempt: Attempt } | null>(null);

export function TroubleProvider({ children }: { children: ReactNode }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const attempt = useCallback<Attempt>(async (work) => {
    setTrouble(null); // a new try; an older one's success must not hide its trouble
    try {
      await work;
      return true;
    } catch (error) {
      setTrouble(inWords(error));
      return false;
    }
  }, []);
  const context = { trouble, attempt };
  return <TroubleContext value={context}>{children}</TroubleContext>;
}

function useTroubleContext() {
  const context = useContext(TroubleContext);
  if (context === null) throw new Error("this needs a TroubleProvider around it");
  return context;
}

/** Awaits a call and shows what went wrong; true if nothing did. */
export function useAttempt(): Attempt {
  return useTroubleContext().attempt;
}

export function Trouble() {
  const { trouble, attempt } = useTroubleContext();
  return (
    <div role="alert" className="alerts">
      {trouble !== null && (
        <p className="trouble">
          <span className="grow">{trouble}</span>
          <button type="button" className="quiet" onClick={() => attempt(Promise.resolve())}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

interface BoundaryProps {
  /** Another key, another try: say what the children show, so that going elsewhere begins anew. */
  resetKey: string;
  children: ReactNode;
}

/** `useQuery` throws what a query raises: this shows it in place of what it was for. */
export class Boundary extends Component<BoundaryProps, { error: unknown; of: string }> {
  override state = { error: null as unknown, of: this.props.resetKey };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: BoundaryProps, state: { of: string }) {
    return props.resetKey === state.of ? null : { error: null, of: props.resetKey };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <div role="alert" className="card">
        <p className="trouble">{inWords(this.state.error)}</p>
        <div>
          <button type="button" onClick={() => this.setState({ error: null })}>
            Try again
          </button>
        </div>
      </div>
    );
  }
}
