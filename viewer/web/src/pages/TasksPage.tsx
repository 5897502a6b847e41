/** What must I do now? The open tasks of one's role over all cases, for a hand that is busy. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { TierMark, tierClass } from "../parts/bits";
import { EtaLine } from "../parts/EtaLine";
import { useHeldTasks } from "../parts/heldTasks";
import { useLoaded } from "../parts/load";
import { TaskActs } from "../parts/Tasks";
import { nowMs } from "../state/clock";
import { drillClass } from "../state/drill";
import { hourMinute, patientLine, patientWords, personName, placeName, span } from "../state/format";
import { rows } from "../state/live";
import { may, me } from "../state/session";
import {
  byCase,
  cancelledOf,
  doneOf,
  type OfCase,
  secondsLeft,
  type TaskGroup,
  tasksStamp,
} from "../state/tasks";
import { roleName, say, type TextKey, t } from "../texts";
import type { ListedTask, TaskCase, TaskList } from "../wireCare";

export function TasksPage(): JSX.Element {
  const [names, setNames] = useState(false);
  const role = me.value?.user.role;
  const mine = may("task", role);
  const path = mine ? `/tasks?mine${names ? "&names" : ""}` : null;
  const cases = [...rows.value.cases.values()];
  const { value: list, problem } = useLoaded<TaskList>(path, tasksStamp(cases));
  const { tasks, onPointer } = useHeldTasks(list?.tasks ?? null);
  const groups = byCase(tasks);
  return (
    <main
      class="page tasks-page"
      data-testid="tasks-page"
      onPointerDown={onPointer}
      onPointerMove={onPointer}
    >
      <h2 class="tasks-head">
        {t("tasksPage")} {role && <span class="muted">{roleName(role)}</span>}
        {list && list.tasks.length > 0 && (
          <span class="num tasks-count" data-testid="tasks-count">
            {t("tasksOpen", { n: list.tasks.length })}
          </span>
        )}
      </h2>
      {!mine && <p class="card muted">{t("tasksNotYours")}</p>}
      {problem && <p class="trouble">{problem.words}</p>}
      <Cancelled found={cancelledOf(cases, role)} />
      {mine && !list && !problem && <p class="muted">{t("loading")}</p>}
      {list && groups.length === 0 && (
        <div class="card tasks-none" data-testid="tasks-none">
          <p>
            <b>✓ {t("tasksNoneOpen")}</b>
          </p>
          <p class="muted">{t("tasksNoneHint")}</p>
        </div>
      )}
      {groups.map((group) => (
        <Group key={group.about.case_id} group={group} />
      ))}
      <Done found={doneOf(cases, role)} />
      {groups.length > 0 && may("names", role) && (
        <p>
          <button
            type="button"
            class="act act-plain"
            data-testid="tasks-names"
            onClick={() => setNames(!names)}
          >
            {t(names ? "tasksHideNames" : "tasksNames")}
          </button>
        </p>
      )}
    </main>
  );
}

function Group({ group: { about, tasks } }: { group: TaskGroup }): JSX.Element {
  const mode = about.arrival_mode;
  const next = tasks.find((task) => task.state !== "done");
  return (
    <section
      class={`card task-case ${tierClass(about.tier)}${drillClass(about)}`}
      data-testid={`tasks-${about.case_id}`}
    >
      <p class="task-who">
        <TierMark tier={about.tier} /> <b>{placeName(about.site)}</b>{" "}
        <span class="num">{patientWords(about.age_years, about.sex)}</span>
        {mode !== null && <span> · {t(`arrivalMode${mode}` as TextKey)}</span>}
        {about.name && <b data-testid="task-name"> {about.name}</b>}
      </p>
      <p class="clamp">{say({ zh: about.headline_zh, en: about.headline_en })}</p>
      <Arrival about={about} />
      <ul class="task-list">
        {tasks.map((task) => (
          <One key={task.task_id} task={task} next={task === next} />
        ))}
      </ul>
      <p class="task-foot">
        <span class="muted num">
          {t("channelOpenedBy", { at: hourMinute(about.opened_at), who: personName(about.opened_by) })}
        </span>
        <a class="act act-link" href={`/case/${encodeURIComponent(about.case_id)}`} data-testid="open-case">
          {t("openCase")} ▸
        </a>
      </p>
    </section>
  );
}

/** When the patient comes; for one who comes by ambulance, that nobody knows is said, too. */
function Arrival({ about }: { about: TaskCase }): JSX.Element | null {
  const { scene, hub } = about.eta;
  const driven = about.arrival_mode === 1 || about.arrival_mode === 2;
  if (!scene && !hub) return driven ? <p class="muted">{t("etaUnknown")}</p> : null;
  return (
    <div class="etas">
      {scene && <EtaLine eta={scene} place="scene" />}
      {hub && <EtaLine eta={hub} place="hub" />}
    </div>
  );
}

/** Only the next one of a case stands out: a tap beside it would say what is not so. */
function One({ task, next }: { task: ListedTask; next: boolean }): JSX.Element {
  const accepted = task.accepted_at !== null;
  const done = task.state === "done";
  return (
    <li class="task-one" data-testid={`task-${task.kind}`} data-state={task.state}>
      <p class="task-name">
        <b>{say(task)}</b> {!done && <Due dueAt={task.due_at} />}
      </p>
      <p class="muted num task-how">
        {accepted ? (
          <>
            ◐ {t("taskAccepted")} {hourMinute(task.accepted_at)} {personName(task.accepted_by)}
          </>
        ) : (
          <Given at={task.given_at} />
        )}
      </p>
      {task.steps.length > 0 && (
        <ul class="task-steps" aria-label={t("taskSteps")}>
          {task.steps.map((step) => (
            <li key={step.id} title={step.source}>
              {say(step)}
            </li>
          ))}
        </ul>
      )}
      {done ? (
        <p class="acts acts-wide task-ticked" data-testid={`task-ticked-${task.kind}`}>
          <span class="act-was">
            ✓ {t("taskDone")} {hourMinute(task.done_at)} {personName(task.done_by)}
          </span>
          <a class="act-link" href={`/case/${encodeURIComponent(task.case.case_id)}`}>
            {t("taskCorrect")} ▸
          </a>
        </p>
      ) : (
        <TaskActs
          task={task}
          among={rows.value.cases.get(task.case.case_id)?.tasks ?? []}
          accepted={accepted}
          wide
          next={next}
        />
      )}
    </li>
  );
}

function Given({ at }: { at: string | null }): JSX.Element {
  const now = nowMs.value;
  const since = at === null || now === null ? "—" : span((now - Date.parse(at)) / 1000);
  return <>○ {t("taskGiven", { for: since })}</>;
}

function Due({ dueAt }: { dueAt: string | null }): JSX.Element | null {
  const left = secondsLeft(dueAt, nowMs.value);
  if (dueAt === null || left === null) return null;
  return (
    <span class={left < 0 ? "due num late" : "due num"} data-testid="task-due">
      {left < 0 ? `! ${t("taskLate", { for: span(-left) })}` : t("taskLeft", { for: span(left) })}{" "}
      <span class="muted">{t("taskDue", { at: hourMinute(dueAt) })}</span>
    </span>
  );
}

/** First of all what must not be gone on with. */
function Cancelled({ found }: { found: OfCase[] }): JSX.Element | null {
  if (found.length === 0) return null;
  return (
    <section class="card cancelled" data-testid="tasks-cancelled">
      <h2>■ {t("tasksCancelled")}</h2>
      <ul>
        {found.map(({ row, tasks }) => (
          <li key={row.case_id}>
            <p>
              <b>{placeName(row.site)}</b> {patientLine(row)} · {tasks.map(say).join(" · ")}
            </p>
            <p class="num">
              {t("cancelledWhy", {
                who: personName(row.green_channel.stood_down_by),
                at: hourMinute(row.green_channel.stood_down_at),
                why: row.green_channel.reason ?? "—",
              })}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Done({ found }: { found: OfCase[] }): JSX.Element | null {
  const all = found.flatMap(({ row, tasks }) => tasks.map((task) => ({ row, task })));
  if (all.length === 0) return null;
  all.sort((a, b) => (b.task.done_at ?? "").localeCompare(a.task.done_at ?? ""));
  return (
    <details class="card" data-testid="tasks-done">
      <summary>✓ {t("tasksDone", { n: all.length })}</summary>
      <ul class="done">
        {all.map(({ row, task }) => (
          <li key={task.task_id}>
            <span class="num">{hourMinute(task.done_at)}</span> {say(task)} · {placeName(row.site)}{" "}
            {patientLine(row)} · {personName(task.done_by)}
          </li>
        ))}
      </ul>
    </details>
  );
}
