import {
  optimisticallyUpdateValueInPaginatedQuery,
  useMutation,
  usePaginatedQuery,
} from "convex/react";
import { type FormEvent, useRef } from "react";
import { api } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { TaskList, withToggled } from "./Tasks";
import { useAttempt } from "./trouble";

const PAGE = 20;

export function ProjectTasks({ projectId }: { projectId: Id<"projects"> }) {
  const { results, status, loadMore } = usePaginatedQuery(
    api.tasks.listTasks,
    { projectId },
    { initialNumItems: PAGE },
  );
  const toggleTask = useMutation(api.tasks.toggleTask).withOptimisticUpdate(
    (localStore, { taskId }) => {
      // Every list on the page that has the task; the server's own results take their place later.
      optimisticallyUpdateValueInPaginatedQuery(
        localStore,
        api.tasks.listTasks,
        { projectId },
        (task) => withToggled([task], taskId)[0] ?? task,
      );
      const mine = localStore.getQuery(api.tasks.getTasks, {});
      if (mine) localStore.setQuery(api.tasks.getTasks, {}, withToggled(mine, taskId));
    },
  );
  const attempt = useAttempt();

  return (
    <section className="card" aria-labelledby="tasks-title">
      <h2 id="tasks-title">Tasks</h2>
      <NewTask projectId={projectId} />
      <TaskList
        tasks={status === "LoadingFirstPage" ? undefined : results}
        onToggle={(taskId) => attempt(toggleTask({ taskId }))}
        empty="Nothing to do here. Add a task above."
        note={(task) => <Note task={task} />}
      />
      {status === "CanLoadMore" && (
        <button type="button" className="quiet" onClick={() => loadMore(PAGE)}>
          Load more
        </button>
      )}
    </section>
  );
}

function NewTask({ projectId }: { projectId: Id<"projects"> }) {
  const createTask = useMutation(api.tasks.createTask);
  const attempt = useAttempt();
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const given = new FormData(form.current!);
    const title = String(given.get("title")).trim();
    const priority = String(given.get("priority")) as "" | "low" | "medium" | "high";
    if (title === "") return;
    form.current!.reset();
    await attempt(createTask({ title, projectId, ...(priority && { priority }) }));
  }

  return (
    <form ref={form} className="row new-task" onSubmit={submit}>
      <label className="grow">
        <span className="unseen">New task</span>
        <input
          name="title"
          required
          maxLength={200}
          autoComplete="off"
          placeholder="What is to be done?"
        />
      </label>
      <label className="priority">
        <span className="unseen">Priority</span>
        <select name="priority">
          <option value="">Priority</option>
          <option value="low">low</option>
          <option value="medium">medium</option>
          <option value="high">high</option>
        </select>
      </label>
      <button type="submit">Add</button>
    </form>
  );
}

function Note({ task }: { task: Doc<"tasks"> }) {
  return (
    <span className="note">
      {task.priority && (
        <span className="badge" data-priority={task.priority}>
          {task.priority}
        </span>
      )}
      <span className="soft small">{task.assignee}</span>
    </span>
  );
}
