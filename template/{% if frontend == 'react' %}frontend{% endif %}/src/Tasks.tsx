import type { OptimisticLocalStore } from "convex/browser";
import { useMutation, useQuery } from "convex/react";
import type { ReactNode } from "react";
import { api } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { LineForm } from "./LineForm";
import { useAttempt } from "./trouble";

/** The signed-in person's tasks: pushed by the server whenever one of them changes. */
export function MyTasks() {
  const tasks = useQuery(api.tasks.getTasks);
  const createTask = useMutation(api.tasks.createTask).withOptimisticUpdate(optimisticCreate);
  const toggleTask = useMutation(api.tasks.toggleTask).withOptimisticUpdate(
    (localStore, { taskId }) => {
      // Shown at once, before the server knows; taken back by itself when it refuses.
      const current = localStore.getQuery(api.tasks.getTasks, {});
      if (current === undefined) return;
      localStore.setQuery(api.tasks.getTasks, {}, withToggled(current, taskId));
    },
  );
  const attempt = useAttempt();
  const open = tasks?.filter((task) => !task.completed).length;

  return (
    <section className="card" aria-labelledby="tasks-title">
      <div className="heading">
        <h2 id="tasks-title">Your tasks</h2>
        <span className="soft small">{open !== undefined && `${open} open`}</span>
      </div>
      <LineForm
        label="New task"
        button="Add"
        placeholder="What is to be done?"
        maxLength={200}
        onLine={(title) => attempt(createTask({ title }))}
      />
      <TaskList
        tasks={tasks}
        onToggle={(taskId) => attempt(toggleTask({ taskId }))}
        empty="Nothing to do. Add a task above."
      />
    </section>
  );
}

/** The new task on top of the list, until the server has answered. */
function optimisticCreate(store: OptimisticLocalStore, { title }: { title: string }) {
  const tasks = store.getQuery(api.tasks.getTasks, {});
  if (tasks === undefined) return;
  const guess: Doc<"tasks"> = {
    _id: `optimistic-${crypto.randomUUID()}` as Id<"tasks">,
    _creationTime: Date.now(),
    title,
    completed: false,
    assignee: "",
  };
  store.setQuery(api.tasks.getTasks, {}, [guess, ...tasks]);
}

/** A task the server has not heard of yet: it is shown, and nothing can be done to it. */
function isGuess(taskId: Id<"tasks">): boolean {
  return taskId.startsWith("optimistic-");
}

/** The same tasks, one of them completed or open again. */
export function withToggled<T extends { _id: Id<"tasks">; completed: boolean }>(
  tasks: T[],
  taskId: Id<"tasks">,
): T[] {
  return tasks.map((task) => (task._id === taskId ? { ...task, completed: !task.completed } : task));
}

interface TaskListProps {
  tasks: Doc<"tasks">[] | undefined;
  onToggle: (taskId: Id<"tasks">) => void;
  empty: string;
  /** What a row shows beside its title. */
  note?: (task: Doc<"tasks">) => ReactNode;
}

export function TaskList({ tasks, onToggle, empty, note }: TaskListProps) {
  const deleteTask = useMutation(api.tasks.deleteTask);
  const attempt = useAttempt();
  if (tasks === undefined) return <p className="empty">Loading…</p>;
  if (tasks.length === 0) return <p className="empty">{empty}</p>;
  return (
    <ul className="tasks">
      {tasks.map((task) => (
        <li key={task._id} className={task.completed ? "done" : undefined}>
          <label className="grow">
            <input
              type="checkbox"
              checked={task.completed}
              disabled={isGuess(task._id)}
              onChange={() => onToggle(task._id)}
            />
            <span className="title">{task.title}</span>
          </label>
          {note?.(task)}
          <button
            type="button"
            className="quiet danger"
            aria-label={`Delete ${task.title}`}
            disabled={isGuess(task._id)}
            onClick={() => attempt(deleteTask({ taskId: task._id }))}
          >
            Delete
          </button>
        </li>
      ))}
    </ul>
  );
}
