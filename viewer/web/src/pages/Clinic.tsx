/** Did they see it, what do I do? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act, CaseMark, Section, TierMark, Unconfirmed } from "../parts/bits";
import { useLoaded } from "../parts/load";
import { SendForm } from "../parts/SendForm";
import { TaskActs } from "../parts/Tasks";
import { adviceSeen } from "../state/acts";
import { headline, hourMinute, patientLine, timeOfDay } from "../state/format";
import { board, rows } from "../state/live";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
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
  const [chosen, setChosen] = useState<string | null>(null);
  const parts = board.value;
  const open = [...parts.now, ...parts.urgent, ...parts.rest].sort((a, b) =>
    b.opened_at.localeCompare(a.opened_at),
  );
  const row = (chosen === null ? undefined : rows.value.cases.get(chosen)) ?? open[0];
  return (
    <main class="page clinic">
      {row && <Card key={row.case_id} row={row} />}
      {may("send", me.value?.user.role) && <SendForm onSent={setChosen} />}
      {open.length > 1 && (
        <Section title={t("myCases")}>
          <ul class="case-list">
            {open.map((each) => (
              <li key={each.case_id} data-testid={`row-${each.case_id}`}>
                <button type="button" aria-pressed={each === row} onClick={() => setChosen(each.case_id)}>
                  <span class="num">{hourMinute(each.opened_at)}</span> {patientLine(each)}{" "}
                  <TierMark tier={each.tier} />
                </button>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </main>
  );
}

function Card({ row }: { row: Row }): JSX.Element {
  const { value: ecg } = useLoaded<Ecg>(row.ecg_id && `/ecgs/${encodeURIComponent(row.ecg_id)}`, row.seq);
  const own = row.tasks.filter((task) => task.role === "clinic" && task.done_at === null);
  const unanswered = row.state === "open" && row.alert?.state === "open" && row.alert.exhausted;
  return (
    <section class="card clinic-card" data-testid={`case-${row.case_id}`}>
      <p class="muted num">
        {patientLine(row)} · {hourMinute(row.opened_at)}
      </p>
      {unanswered && <Unanswered />}
      <h2 class="headline">
        <CaseMark row={row} /> {headline(row)} {row.tier === "NONE" && t("notNormal")}{" "}
        <Unconfirmed row={row} />
      </h2>
      {row.record_again && (
        <p class="record-again" role="status" data-testid="record-again">
          ↻ <b>{t("recordAgain")}</b> {say(row.record_again)}
        </p>
      )}
      {row.reading && <Advice row={row} seen={ecg?.states.acted ?? null} />}
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
      <a class="act act-link" href={`/case/${encodeURIComponent(row.case_id)}`} data-testid="open-case">
        {t("openCase")} ▸
      </a>
    </section>
  );
}

function Unanswered(): JSX.Element {
  const hospital = me.value?.fallback;
  return (
    <div class="nobody" role="alert" data-testid="nobody-answers">
      <h2>■ {t("nobodyAnswers")}</h2>
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

/** As the doctor wrote it. */
function Advice({ row, seen }: { row: Row; seen: string | null }): JSX.Element | null {
  const [told, setTold] = useState(seen !== null);
  const reading = row.reading;
  if (!reading) return null;
  const ecgId = reading.ecg_id ?? row.ecg_id;
  return (
    <div class="advice" data-testid="advice">
      <h3>{t("doctorAdvice")}</h3>
      <p class="advice-text">{reading.advice ?? t("adviceNone")}</p>
      <p>{reading.text}</p>
      {ecgId && !told && may("adviceSeen", me.value?.user.role) && (
        <Act
          name={`seen ${ecgId}`}
          kind="strong"
          big
          testid="advice-seen"
          run={async () => setTold(await adviceSeen(ecgId))}
        >
          {t("adviceSeen")}
        </Act>
      )}
      {told && <p role="status">✓ {t("adviceSeen")}</p>}
    </div>
  );
}
