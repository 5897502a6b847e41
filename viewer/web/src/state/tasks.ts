/** What one's own role has to do, over all cases. Pure. */
import type { Me, Role, Row, Task } from "../wire";
import type { ListedTask, TaskCase } from "../wireCare";

export interface TaskGroup {
  readonly about: TaskCase;
  readonly tasks: readonly ListedTask[];
}

/** The tasks of one case stand together; cases in the order of their first task, which is the service's. */
export function byCase(tasks: readonly ListedTask[]): TaskGroup[] {
  const groups = new Map<string, { about: TaskCase; tasks: ListedTask[] }>();
  for (const task of tasks) {
    const group = groups.get(task.case.case_id);
    if (group) group.tasks.push(task);
    else groups.set(task.case.case_id, { about: task.case, tasks: [task] });
  }
  return [...groups.values()];
}

/**
 * What the page shows: a task that was done stays where it is, ticked, as long as its case has others, so that nothing
 * comes to where the hand is. While the list is held no case moves either; what is new comes last.
 */
export function heldTasks(
  shown: readonly ListedTask[],
  listed: readonly ListedTask[],
  rowOf: (caseId: string) => Row | undefined,
  holding: boolean,
): ListedTask[] {
  const fresh = new Map(listed.map((task) => [task.task_id, task]));
  const abouts = new Map(listed.map((task) => [task.case.case_id, task.case]));
  const kept: ListedTask[] = [];
  for (const task of shown) {
    const row = rowOf(task.case.case_id);
    const said = row?.tasks.find((each) => each.task_id === task.task_id);
    const isOpen = row?.state === "open" && row.green_channel.state === "open";
    const now = fresh.get(task.task_id);
    const about = abouts.get(task.case.case_id) ?? { ...task.case, name: null };
    if (said?.state === "done" && isOpen) kept.push({ ...task, ...now, ...said, case: about });
    else if (now) kept.push(now);
  }
  const before = new Set(kept.map((task) => task.task_id));
  const all = [...kept, ...listed.filter((task) => !before.has(task.task_id))];
  if (holding) return all;
  return [...abouts.keys()].flatMap((id) => all.filter((task) => task.case.case_id === id));
}

/** What comes before a duty of the lab or the ward: who says it without that is asked back. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  patient_in_cathlab: ["receive_patient"],
  start_angiography: ["patient_in_cathlab"],
  pass_wire: ["patient_in_cathlab", "start_angiography"],
  receive_ccu: ["receive_patient"],
};

/** The first duty of the same case that nobody has said is done, though this one comes after it. */
export function saidTooEarly(task: Task, among: readonly Task[]): Task | null {
  for (const kind of BEFORE[task.kind] ?? []) {
    const before = among.find((each) => each.kind === kind);
    if (before && before.state !== "done") return before;
  }
  return null;
}

/** Changes whenever the service's list of tasks may have changed: with every event of a case whose channel was opened. */
export function tasksStamp(rows: Iterable<Row>): string {
  return [...rows]
    .filter((row) => row.green_channel.channel_id !== null)
    .map((row) => `${row.case_id}:${row.seq}`)
    .sort()
    .join(" ");
}

/** Seconds until a task should be done; negative beyond it; null where it has no target yet. */
export function secondsLeft(dueAt: string | null, nowMs: number | null): number | null {
  return dueAt === null || nowMs === null ? null : (Date.parse(dueAt) - nowMs) / 1000;
}

export interface OfCase {
  readonly row: Row;
  readonly tasks: readonly Task[];
}

/** Somebody was told of it, and it is neither done nor taken away. */
export const isToDo = (task: Task): boolean =>
  task.given_at !== null && (task.state === "given" || task.state === "accepted");

/** The first of a role's tasks in one case that is still to be done. */
export const nextOwn = (tasks: readonly Task[], role: Role | undefined): Task | undefined =>
  tasks.find((task) => task.role === role && isToDo(task));

/** Tasks of a role in one of these states, by case, the newest first. */
function inState(rows: Iterable<Row>, role: Role | undefined, state: Task["state"]): OfCase[] {
  return [...rows]
    .map((row) => ({ row, tasks: row.tasks.filter((task) => task.role === role && task.state === state) }))
    .filter(({ tasks }) => tasks.length > 0)
    .sort((a, b) => b.row.last_event_at.localeCompare(a.row.last_event_at));
}

/** What a stand-down took away, so that nobody goes on with it. */
export function cancelledOf(rows: Iterable<Row>, role: Role | undefined): OfCase[] {
  return inState(rows, role, "cancelled").filter(({ row }) => row.green_channel.state === "stood_down");
}

export const doneOf = (rows: Iterable<Row>, role: Role | undefined): OfCase[] => inState(rows, role, "done");

/** How many open tasks the rows name for a role. Some of them others may take, too: the service's list is the word. */
export function openCount(rows: Iterable<Row>, role: Role | undefined): number {
  let count = 0;
  for (const row of rows) {
    if (row.green_channel.state !== "open") continue;
    for (const task of row.tasks)
      if (task.role === role && (task.state === "given" || task.state === "accepted")) count += 1;
  }
  return count;
}

/** Channels with tasks for this person that somebody else has opened and whose tasks nobody has taken. */
export function callingChannels(rows: Iterable<Row>, who: Me | null | undefined): Row[] {
  if (!who) return [];
  return [...rows].filter(
    (row) =>
      row.green_channel.state === "open" &&
      row.green_channel.opened_by?.person !== who.user.id &&
      row.tasks.some((task) => task.role === who.user.role && task.state === "given"),
  );
}
