import { useMutation } from "convex/react";
import { type ChangeEvent, useState } from "react";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { useAttempt } from "./trouble";

interface LogoProps {
  projectId: Id<"projects">;
  name: string;
  url: string | null;
  mayChange: boolean;
}

/** A project's picture, or its initial; a click on it sends another one. */
export function Logo({ projectId, name, url, mayChange }: LogoProps) {
  const generateUrl = useMutation(api.logos.generateLogoUrl);
  const setLogo = useMutation(api.logos.setLogo);
  const [busy, setBusy] = useState(false);
  const attempt = useAttempt();

  async function upload(file: File) {
    // The file goes to the storage by a URL made for it; the mutation then looks at what arrived.
    const response = await fetch(await generateUrl({ projectId }), {
      method: "POST",
      headers: { "Content-Type": file.type },
      body: file,
    });
    if (!response.ok) throw new Error(`The upload failed: ${await response.text()}`);
    const { storageId } = (await response.json()) as { storageId: string };
    await setLogo({ projectId, storageId });
  }

  async function choose(event: ChangeEvent<HTMLInputElement>) {
    const file = event.target.files?.[0];
    event.target.value = ""; // so that the same file can be chosen again
    if (!file) return;
    setBusy(true);
    await attempt(upload(file));
    setBusy(false);
  }

  const picture = url ? (
    <img src={url} alt={`Logo of ${name}`} />
  ) : (
    <span aria-hidden="true">{name.slice(0, 1).toUpperCase()}</span>
  );
  if (!mayChange) return <div className="logo">{picture}</div>;
  return (
    <label className="logo" aria-busy={busy} title="Choose a logo">
      {picture}
      <span className="unseen">Choose a logo</span>
      <input type="file" className="unseen" accept="image/*" onChange={choose} disabled={busy} />
    </label>
  );
}
