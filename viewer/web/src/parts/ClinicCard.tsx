/** One case as the clinic waits for it: how far it is, what to do, what the doctor advises. */
import type { JSX } from "preact";
import { adviceSeen, busy, finishTask } from "../state/acts";
import { adviceSeenAt, electrodesFirst, reached, STATES } from "../state/clinic";
import { drillClass, isDrill } from "../state/drill";
import { gathered, hourMinute, patientLine, timeOfDay } from "../state/format";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import { signedFirst } from "../state/verdict";
import { say, type TextKey, t } from "../texts";
import type { Ecg, Row, Task } from "../wire";
import { Act, CaseMark, Unconfirmed } from "./bits";
import { Below, firstWords } from "./Headline";
import { useLoaded } from "./load";

const NAMES: Record<(typeof STATES)[number], TextKey> = {
  sent: "stateSent",
  received: "stateReceived",
  opened: "stateOpened",
  diagnosed: "stateDiagnosed",
  advised: "stateAdvised",
};

interface Props {
  row: Row;
  recordAgain: (() => void) | undefined;
}

export function ClinicCard({ row, recordAgain }: Props): JSX.Element {
  const { value: ecg } = useLoaded<Ecg>(row.ecg_id && `/ecgs/${encodeURIComponent(row.ecg_id)}`, row.seq);
  const own = row.tasks.filter((task) => task.role === "clinic" && task.state !== "cancelled");
  return (
    <section class={`card clinic-card${drillClass(row)}`} data-testid={`case-${row.case_id}`}>
      <p class="muted num">
        {patientLine(row)} · {hourMinute(row.opened_at)}
      </p>
      <RecordAgain row={row} record={recordAgain} />
      <Advice row={row} />
      <States states={ecg?.states ?? null} />
      <h2 class="headline">
        <CaseMark row={row} /> {firstWords(row)} {signedFirst(row) === null && <Unconfirmed row={row} />}
      </h2>
      <p class="below">
        <Below row={row} />
      </p>
      {own.length > 0 && (
        <div>
          <h3>{t("ownTasks")}</h3>
          <ul class="ticks">
            {own.map((task) => (
              <Tick key={task.task_id} task={task} />
            ))}
          </ul>
        </div>
      )}
      {isDrill(row) && row.state === "open" && <p data-testid="drill-no-again">{t("drillNoAgain")}</p>}
      <p class="acts">
        {recordAgain && !row.record_again && (
          <Act name={`again ${row.case_id}`} testid="again" run={recordAgain}>
            ↻ {t("again")}
          </Act>
        )}
        <a class="act act-link" href={`/case/${encodeURIComponent(row.case_id)}`} data-testid="open-case">
          {t("openCase")} ▸
        </a>
      </p>
    </section>
  );
}

/** Which electrode, what to do, and the button for it. */
function RecordAgain({ row, record }: { row: Row; record: (() => void) | undefined }): JSX.Element | null {
  if (!row.record_again) return null;
  const { leads, rest } = electrodesFirst(gathered(say(row.record_again)));
  return (
    <div class="record-again" role="status" data-testid="record-again">
      <p>
        ↻ <b>{t("recordAgain")}</b>
      </p>
      {leads.map((one) => (
        <p key={one} class="record-again-what">
          {one}
        </p>
      ))}
      {rest.map((one) => (
        <p key={one}>{one}</p>
      ))}
      {record && (
        <Act name={`again ${row.case_id}`} kind="strong" big testid="again" run={record}>
          ↻ {t("again")}
        </Act>
      )}
    </div>
  );
}

/** The newest state large, all of them with their times below. */
function States({ states }: { states: Ecg["states"] | null }): JSX.Element {
  const now = reached(states);
  return (
    <ol class="states" data-reached={now ?? ""}>
      {STATES.map((state) => {
        const at = states?.[state] ?? null;
        return (
          <li
            key={state}
            class={at ? (state === now ? "reached newest" : "reached") : ""}
            data-testid={`state-${state}`}
          >
            <span aria-hidden="true">{at ? "✓" : "○"}</span> <span>{t(NAMES[state])}</span>{" "}
            <span class="num">{at ? timeOfDay(at) : t("statePending")}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** As the doctor wrote it, or that it holds no more. Seen only when somebody here has said so, of the newest. */
function Advice({ row }: { row: Row }): JSX.Element | null {
  const back = row.advice_withdrawn;
  const reading = back ?? row.newest_advice;
  if (!reading) return null;
  const ecgId = reading.ecg_id ?? row.ecg_id;
  const seen = adviceSeenAt(row, reading);
  return (
    <div class={back ? "advice advice-back" : "advice"} data-testid="advice">
      <h3>
        {t(back ? "adviceWithdrawn" : "doctorAdvice")}{" "}
        <span class="muted num">
          {t("adviceAt", { who: reading.name ?? "", at: reading.at ? timeOfDay(reading.at) : "" })}
        </span>
      </h3>
      {back && (
        <>
          <p class="advice-text">{t("adviceWithdrawnNow", { text: back.text })}</p>
          <p>
            <s data-testid="advice-struck">{back.withdrawn}</s>
          </p>
          {row.newest_advice && (
            <p data-testid="advice-still">{t("adviceStill", { text: row.newest_advice.advice ?? "" })}</p>
          )}
        </>
      )}
      {!back && <p class="advice-text">{reading.advice}</p>}
      {seen !== null && (
        <p role="status" data-testid="advice-was-seen">
          ✓ {t("adviceSeenAt", { at: timeOfDay(seen) })}
        </p>
      )}
      {seen === null && ecgId && may("adviceSeen", me.value?.user.role) && (
        <Act
          name={`seen ${ecgId}`}
          kind="strong"
          big
          testid="advice-seen"
          run={() => adviceSeen(ecgId, reading.seq)}
        >
          {t("adviceSeen")}
        </Act>
      )}
    </div>
  );
}

/** The whole line is the box to tick. */
function Tick({ task }: { task: Task }): JSX.Element {
  const done = task.done_at !== null;
  const line = (
    <>
      <span aria-hidden="true" class="tick-box">
        {done ? "✓" : ""}
      </span>
      <span>
        {say(task)}{" "}
        <span class="muted num">{done ? `${t("taskDone")} ${timeOfDay(task.done_at)}` : t("taskTick")}</span>
      </span>
    </>
  );
  if (done) {
    return (
      <li class="tick-line ticked" data-testid={`task-ticked-${task.kind}`}>
        {line}
      </li>
    );
  }
  return (
    <li>
      <button
        type="button"
        class="tick-line"
        disabled={busy.value.has(`done ${task.task_id}`)}
        data-testid={`task-done-${task.kind}`}
        onClick={() => void finishTask(task.task_id)}
      >
        {line}
      </button>
    </li>
  );
}

/** The hospital whose doctor is on duty, one tap away. */
export function CallDoctor(): JSX.Element | null {
  const hospital = me.value?.fallback;
  if (!hospital?.phone) return null;
  return (
    <a class="act act-plain call-doctor" href={`tel:${hospital.phone}`} data-testid="call-doctor">
      ☎ {t("callDoctor", { who: lang.value === "zh" ? hospital.name_zh : hospital.name_en })}{" "}
      <b class="num">{hospital.phone}</b>
    </a>
  );
}
