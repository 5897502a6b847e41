/** A tile for each duty: not told, told, accepted, done; with the person and how long it took. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { acceptTask, finishTask } from "../state/acts";
import { nowMs } from "../state/clock";
import { duration, elapsed, personName, timeOfDay } from "../state/format";
import { me } from "../state/session";
import { saidTooEarly } from "../state/tasks";
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
        <Tile key={task.task_id} task={task} among={tasks} mine={task.role === role} />
      ))}
    </ul>
  );
}

const STATES = { given: "told", accepted: "accepted", done: "done", cancelled: "cancelled" } as const;

const stateOf = (task: Task): "not-told" | (typeof STATES)[Task["state"]] =>
  task.given_at === null ? "not-told" : STATES[task.state];

function Tile({ task, among, mine }: { task: Task; among: Task[]; mine: boolean }): JSX.Element {
  const state = stateOf(task);
  return (
    <li class={`tile tile-${state}`} data-testid={`task-${task.kind}`} data-state={state}>
      <b>{roleName(task.role)}</b>
      <span>{say(task)}</span>
      <span class="num muted">
        <TaskState task={task} />
      </span>
      {mine && (state === "told" || state === "accepted") && (
        <TaskActs task={task} among={among} accepted={state === "accepted"} />
      )}
    </li>
  );
}

interface TaskActsProps {
  task: Task;
  /** All of its case. */
  among: readonly Task[];
  accepted: boolean;
  where?: string;
  /** Across the page, for the thumb. */
  wide?: boolean;
  /** What comes next stands out. */
  next?: boolean;
}

/** Each act has its own place, which no other takes: what was accepted says so where the act was. */
export function TaskActs(props: TaskActsProps): JSX.Element {
  const { task, among, accepted, where = "", wide = false, next = !wide } = props;
  const [asked, setAsked] = useState(false);
  const before = saidTooEarly(task, among);
  const asking = asked && before !== null;
  const done = (): unknown => (before === null || asking ? finishTask(task.task_id) : setAsked(true));
  return (
    <>
      <span class={wide ? "acts acts-wide" : "acts"}>
        {accepted ? (
          <span class="act-was">✓ {t("taskAccepted")}</span>
        ) : (
          <Act
            name={`accept ${task.task_id}`}
            kind={wide && next ? "strong" : "plain"}
            big={wide}
            testid={`${where}task-accept-${task.kind}`}
            run={() => acceptTask(task.task_id)}
          >
            {t("accept")}
          </Act>
        )}
        {asking ? (
          <Act name={`not yet ${task.task_id}`} big={wide} run={() => setAsked(false)}>
            {t("cancel")}
          </Act>
        ) : (
          <Act
            name={`done ${task.task_id}`}
            kind={accepted && next ? "strong" : "plain"}
            big={wide}
            testid={`${where}task-done-${task.kind}`}
            run={done}
          >
            {t("done")}
          </Act>
        )}
      </span>
      {asking && (
        <span class="task-early" role="alert" data-testid={`${where}task-early-${task.kind}`}>
          {t("taskEarly", { before: say(before), what: say(task) })}{" "}
          <Act
            name={`early ${task.task_id}`}
            kind="amber"
            big={wide}
            testid={`${where}task-early-sure-${task.kind}`}
            run={done}
          >
            {t("taskEarlySure", { what: say(task) })}
          </Act>
        </span>
      )}
    </>
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
