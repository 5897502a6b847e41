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

const STATES = { given: "told", accepted: "accepted", done: "done", cancelled: "cancelled" } as const;

const stateOf = (task: Task): "not-told" | (typeof STATES)[Task["state"]] =>
  task.given_at === null ? "not-told" : STATES[task.state];

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
  /** Across the page, for the thumb. */
  wide?: boolean;
  /** What comes next stands out. */
  next?: boolean;
}

export function TaskActs({ task, accepted, where = "", wide, next = !wide }: TaskActsProps): JSX.Element {
  return (
    <span class={wide ? "acts acts-wide" : "acts"}>
      {!accepted && (
        <Act
          name={`accept ${task.task_id}`}
          kind={wide && next ? "strong" : "plain"}
          big={wide === true}
          testid={`${where}task-accept-${task.kind}`}
          run={() => acceptTask(task.task_id)}
        >
          {t("accept")}
        </Act>
      )}
      <Act
        name={`done ${task.task_id}`}
        kind={accepted && next ? "strong" : "plain"}
        big={wide === true}
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
  if (task.cancelled_at !== null) {
    return <span>■ {t("taskCancelled", { at: timeOfDay(task.cancelled_at) })}</span>;
  }
  if (task.given_at === null) return <span>○ {t("taskNotTold")}</span>;
  const now = nowMs.value;
  const waited = now === null ? "—" : duration((now - Date.parse(task.given_at)) / 1000);
  return <span>○ {t("taskTold", { for: waited })}</span>;
}
