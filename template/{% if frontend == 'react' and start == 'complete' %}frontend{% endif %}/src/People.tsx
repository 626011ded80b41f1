import { useAction, useQuery } from "convex/react";
import { useState } from "react";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { useAttempt } from "./trouble";

/** Who works on a project, and how somebody else comes to. */
export function People({ projectId, mayInvite }: { projectId: Id<"projects">; mayInvite: boolean }) {
  const members = useQuery(api.members.getMembers, { projectId });
  const invite = useAction(api.invitations.invite);
  const [code, setCode] = useState<string | null>(null);
  const attempt = useAttempt();

  return (
    <section className="card" aria-labelledby="people-title">
      <h2 id="people-title">People</h2>
      <ul className="people">
        {members?.map((member) => (
          <li key={member.memberId}>
            {member.name} <span className="soft small">{member.role}</span>
          </li>
        ))}
      </ul>
      {mayInvite && (
        <div className="row">
          <button
            type="button"
            onClick={() => attempt(invite({ projectId, role: "member" }).then(setCode))}
          >
            Invite somebody
          </button>
        </div>
      )}
      <div role="status">
        {code !== null && (
          <label>
            <span className="small">
              Send this code to one person; it is shown only now, and lets them in for 7 days:
            </span>
            <input readOnly value={code} aria-label="Code" onFocus={(event) => event.target.select()} />
          </label>
        )}
      </div>
    </section>
  );
}
