/** Did they see it, what do I do? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act, CaseMark, Section, Unconfirmed } from "../parts/bits";
import { Below, firstWords } from "../parts/Headline";
import { useLoaded } from "../parts/load";
import { SendForm } from "../parts/SendForm";
import { TaskActs } from "../parts/Tasks";
import { adviceSeen } from "../state/acts";
import { clinicOrder, isUnanswered, unreadFeedback } from "../state/clinic";
import { drillClass } from "../state/drill";
import { gathered, hourMinute, patientLine, timeOfDay } from "../state/format";
import { rows } from "../state/live";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import { signedFirst } from "../state/verdict";
import { say, type TextKey, t } from "../texts";
import type { Ecg, EcgState, Row } from "../wire";

/** The states that a village doctor waits for, in their order. */
const STATES: readonly (readonly [EcgState, TextKey])[] = [
  ["received", "stateReceived"],
  ["opened", "stateOpened"],
  ["diagnosed", "stateDiagnosed"],
  ["advised", "stateAdvised"],
];
const EMERGENCY = "120";

export function Clinic(): JSX.Element {
  const [shown, setShown] = useState<string | null>(null);
  const [again, setAgain] = useState<string | null>(null);
  const live = clinicOrder(rows.value.cases.values());
  const [first, ...others] = live;
  const sending = may("send", me.value?.user.role);
  const record = (row: Row): (() => void) | undefined =>
    sending && row.state === "open" ? () => setAgain(row.case_id) : undefined;
  return (
    <main class="page clinic">
      <Unanswered cases={live.filter(isUnanswered)} />
      <Told cases={unreadFeedback(rows.value.cases.values())} />
      {first && <Card key={first.case_id} row={first} recordAgain={record(first)} />}
      {others.length > 0 && (
        <Section title={t("otherCases")}>
          <ul class="case-list">
            {others.map((row) => (
              <li key={row.case_id} data-testid={`row-${row.case_id}`}>
                <Line
                  row={row}
                  open={shown === row.case_id}
                  toggle={() => setShown(shown === row.case_id ? null : row.case_id)}
                />
                {shown === row.case_id && <Card row={row} recordAgain={record(row)} />}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {sending && (
        <SendForm
          into={live.find((row) => row.case_id === again) ?? null}
          leave={() => setAgain(null)}
          onSent={(caseId) => {
            setAgain(null);
            setShown(caseId);
          }}
        />
      )}
    </main>
  );
}

function Line({ row, open, toggle }: { row: Row; open: boolean; toggle: () => void }): JSX.Element {
  return (
    <button type="button" aria-expanded={open} onClick={toggle}>
      <span>
        <span class="num">{hourMinute(row.opened_at)}</span> {patientLine(row)} <CaseMark row={row} />
        {isUnanswered(row) && <b class="exhausted"> ! {t("nobodyAnswers")}</b>}
      </span>
      <span class="clamp">{firstWords(row)}</span>
    </button>
  );
}

function Card({ row, recordAgain }: { row: Row; recordAgain: (() => void) | undefined }): JSX.Element {
  const { value: ecg } = useLoaded<Ecg>(row.ecg_id && `/ecgs/${encodeURIComponent(row.ecg_id)}`, row.seq);
  const own = row.tasks.filter((task) => task.role === "clinic" && task.done_at === null);
  return (
    <section class={`card clinic-card${drillClass(row)}`} data-testid={`case-${row.case_id}`}>
      <p class="muted num">
        {patientLine(row)} · {hourMinute(row.opened_at)}
      </p>
      <h2 class="headline">
        <CaseMark row={row} /> {firstWords(row)} {signedFirst(row) === null && <Unconfirmed row={row} />}
      </h2>
      <p class="below">
        <Below row={row} />
      </p>
      {row.record_again && (
        <p class="record-again" role="status" data-testid="record-again">
          ↻ <b>{t("recordAgain")}</b> {gathered(say(row.record_again))}
        </p>
      )}
      {row.newest_advice?.advice && <Advice row={row} />}
      <ol class="states">
        {STATES.map(([state, name]) => {
          const at = ecg?.states[state] ?? null;
          return (
            <li key={state} class={at ? "reached" : ""} data-testid={`state-${state}`}>
              <span aria-hidden="true">{at ? "✓" : "○"}</span> {t(name)}{" "}
              <span class="num">{at ? timeOfDay(at) : t("statePending")}</span>
            </li>
          );
        })}
      </ol>
      {own.map((task) => (
        <p key={task.task_id} class="own-task">
          <b>{say(task)}</b> <TaskActs task={task} accepted={task.accepted_at !== null} />
        </p>
      ))}
      <p class="acts">
        {recordAgain && (
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

/** On top of the page, whichever case is looked at: what nobody has answered, and whom to telephone. */
function Unanswered({ cases }: { cases: Row[] }): JSX.Element | null {
  if (cases.length === 0) return null;
  const hospital = me.value?.fallback;
  return (
    <div class="nobody" role="alert" data-testid="nobody-answers">
      <h2>■ {t("nobodyAnswers")}</h2>
      <ul>
        {cases.map((row) => (
          <li key={row.case_id} data-testid={`nobody-${row.case_id}`}>
            <span class="num">{hourMinute(row.opened_at)}</span> {patientLine(row)} <CaseMark row={row} />{" "}
            {firstWords(row)}
          </li>
        ))}
      </ul>
      <p>{t("nobodyDo")}</p>
      <p class="acts">
        {hospital?.phone && (
          <a class="act act-urgent act-big" href={`tel:${hospital.phone}`} data-testid="call-hospital">
            {t("callHospital", { who: lang.value === "zh" ? hospital.name_zh : hospital.name_en })}{" "}
            <b class="num">{hospital.phone}</b>
          </a>
        )}
        <a class="act act-urgent act-big" href={`tel:${EMERGENCY}`} data-testid="call-120">
          {t("call120")}
        </a>
      </p>
    </div>
  );
}

/** What became of patients that were sent away: nobody here has read it yet. */
function Told({ cases }: { cases: Row[] }): JSX.Element | null {
  if (cases.length === 0) return null;
  return (
    <section class="card" data-testid="feedback-new">
      <h2>✉ {t("feedbackNew")}</h2>
      <ul>
        {cases.map((row) => (
          <li key={row.case_id}>
            <a class="act act-plain" href={`/case/${encodeURIComponent(row.case_id)}`}>
              <span class="num">{hourMinute(row.opened_at)}</span> {patientLine(row)} ▸
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** As the doctor wrote it. Seen only when somebody here has said so, of the newest advice. */
function Advice({ row }: { row: Row }): JSX.Element | null {
  const reading = row.newest_advice;
  if (!reading?.advice) return null;
  const ecgId = reading.ecg_id ?? row.ecg_id;
  const seen = row.ecgs.find((each) => each.ecg_id === ecgId)?.advice_seen_at ?? null;
  return (
    <div class="advice" data-testid="advice">
      <h3>{t("doctorAdvice")}</h3>
      <p class="advice-text">{reading.advice}</p>
      {seen !== null && (
        <p role="status" data-testid="advice-was-seen">
          ✓ {t("adviceSeen")}
        </p>
      )}
      {seen === null && ecgId && may("adviceSeen", me.value?.user.role) && (
        <Act name={`seen ${ecgId}`} kind="strong" big testid="advice-seen" run={() => adviceSeen(ecgId)}>
          {t("adviceSeen")}
        </Act>
      )}
    </div>
  );
}
