import { useQuery } from "convex/react";
import { useState } from "react";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { Logo } from "./Logo";
import { People } from "./People";
import { ProjectTasks } from "./ProjectTasks";
import { Rooms } from "./Rooms";

/** One project: its tasks, its people, its rooms. */
export function ProjectPage({ projectId }: { projectId: Id<"projects"> }) {
  const page = useQuery(api.projects.getProject, { projectId });
  const [showsPeople, setShowsPeople] = useState(false);
  if (page === undefined) return <p className="empty">Loading…</p>;
  if (page === null) return <p className="card">This project does not exist, or you are not in it.</p>;
  const { project, role, logoUrl, openTasks, completedTasks } = page;
  const mayManage = role !== "member";
  return (
    <div className="project">
      <header className="card project-head">
        <Logo projectId={projectId} name={project.name} url={logoUrl} mayChange={mayManage} />
        <div className="grow">
          <h2>{project.name}</h2>
          <p className="soft small">
            {openTasks} open, {completedTasks} completed
          </p>
        </div>
        <button
          type="button"
          className="quiet"
          aria-expanded={showsPeople}
          onClick={() => setShowsPeople(!showsPeople)}
        >
          People
        </button>
      </header>
      {showsPeople && <People projectId={projectId} mayInvite={mayManage} />}
      <div className="columns">
        <ProjectTasks projectId={projectId} />
        <Rooms projectId={projectId} />
      </div>
    </div>
  );
}
