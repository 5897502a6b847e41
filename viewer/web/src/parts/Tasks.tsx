/** A tile for each duty: not told, told, accepted, done; with the person and how long it took. */
import type { JSX } from "preact";
import { acceptTask, finishTask } from "../state/acts";
import { nowMs } from "../state/clock";
import { duration, elapsed, personName, timeOfDay } from "../state/format";
import { me } from "../state/session";
import { roleName, say, t } from "../texts";
import type { Task } from "../wire";
import { Act } from "./bits";

export function Tasks({ tasks }: { tasks: Task[] }): JSX.Element {
  if (tasks.length === 0) return <p class="muted">{t("tasksNone")}</p>;
  const role = me.value?.user.role;
  // One's own duties come first; within them the order of the site's table.
  const own = tasks.filter((task) => task.role === role);
  return (
    <ul class="tiles">
      {[...own, ...tasks.filter((task) => task.role !== role)].map((task) => (
        <Tile key={task.task_id} task={task} mine={task.role === role} />
      ))}
    </ul>
  );
}

const stateOf = (task: Task): "not-told" | "told" | "accepted" | "done" => {
  if (task.done_at !== null) return "done";
  if (task.accepted_at !== null) return "accepted";
  return task.given_at === null ? "not-told" : "told";
};

function Tile({ task, mine }: { task: Task; mine: boolean }): JSX.Element {
  const state = stateOf(task);
  return (
    <li class={`tile tile-${state}`} data-testid={`task-${task.kind}`} data-state={state}>
      <b>{roleName(task.role)}</b>
      <span>{say(task)}</span>
      <span class="num muted">
        <TaskState task={task} />
      </span>
      {mine && (state === "told" || state === "accepted") && (
        <TaskActs task={task} accepted={state === "accepted"} />
      )}
    </li>
  );
}

interface TaskActsProps {
  task: Task;
  accepted: boolean;
  where?: string;
}

export function TaskActs({ task, accepted, where = "" }: TaskActsProps): JSX.Element {
  return (
    <span class="acts">
      {!accepted && (
        <Act
          name={`accept ${task.task_id}`}
          testid={`${where}task-accept-${task.kind}`}
          run={() => acceptTask(task.task_id)}
        >
          {t("accept")}
        </Act>
      )}
      <Act
        name={`done ${task.task_id}`}
        kind={accepted ? "strong" : "plain"}
        testid={`${where}task-done-${task.kind}`}
        run={() => finishTask(task.task_id)}
      >
        {t("done")}
      </Act>
    </span>
  );
}

function TaskState({ task }: { task: Task }): JSX.Element {
  if (task.done_at !== null) {
    return (
      <span title={timeOfDay(task.done_at)}>
        ✓ {t("taskDone")} {personName(task.done_by)} {timeOfDay(task.done_at)}{" "}
        {elapsed(task.given_at, task.done_at)}
      </span>
    );
  }
  if (task.accepted_at !== null) {
    return (
      <span title={timeOfDay(task.accepted_at)}>
        ◐ {t("taskAccepted")} {personName(task.accepted_by)} {elapsed(task.given_at, task.accepted_at)}
      </span>
    );
  }
  if (task.given_at === null) return <span>○ {t("taskNotTold")}</span>;
  const now = nowMs.value;
  const waited = now === null ? "—" : duration((now - Date.parse(task.given_at)) / 1000);
  return <span>○ {t("taskTold", { for: waited })}</span>;
}
