import { useMutation, useQuery } from "convex/react";
import { api } from "./_generated/api";
import { LineForm } from "./LineForm";
import { ASSISTANT, HOME, hrefOf, type Place } from "./place";
import { useAttempt } from "./trouble";

export function Navigation({ place }: { place: Place }) {
  const projects = useQuery(api.projects.getProjects);
  const createProject = useMutation(api.projects.createProject);
  const acceptInvitation = useMutation(api.invitations.acceptInvitation);
  const attempt = useAttempt();
  const here = place.kind === "project" ? hrefOf(place.projectId) : place.kind === "home" ? HOME : ASSISTANT;

  async function goTo(project: ReturnType<typeof createProject>) {
    window.location.hash = hrefOf(await project);
  }

  return (
    <nav aria-label="Places" className="places">
      <ul>
        <Link href={HOME} here={here} text="My day" />
        <Link href={ASSISTANT} here={here} text="Assistant" />
      </ul>
      <h2 id="projects-title">Projects</h2>
      <ul aria-labelledby="projects-title">
        {projects?.map((project) => (
          <Link key={project._id} href={hrefOf(project._id)} here={here} text={project.name} />
        ))}
      </ul>
      {projects?.length === 0 && <p className="soft small">None yet.</p>}
      <details>
        <summary>New or join</summary>
        <LineForm
          label="New project"
          button="Create"
          placeholder="Project name"
          maxLength={100}
          onLine={(name) => attempt(goTo(createProject({ name })))}
        />
        <LineForm
          label="Invitation code"
          button="Join"
          placeholder="Invitation code"
          maxLength={100}
          onLine={(code) => attempt(goTo(acceptInvitation({ code })))}
        />
      </details>
    </nav>
  );
}

function Link({ href, here, text }: { href: string; here: string; text: string }) {
  return (
    <li>
      <a href={href} aria-current={href === here ? "page" : undefined}>
        {text}
      </a>
    </li>
  );
}
