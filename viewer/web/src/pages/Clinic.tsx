/** Did they see it, what do I do? */
import { computed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { CaseMark, Section } from "../parts/bits";
import { CallDoctor, ClinicCard } from "../parts/ClinicCard";
import { firstWords } from "../parts/Headline";
import { UntoldResults } from "../parts/ImageCalls";
import { SendForm } from "../parts/SendForm";
import { Waiting } from "../parts/Waiting";
import { trouble } from "../state/acts";
import {
  clinicOrder,
  hasUnseen,
  isUnanswered,
  readFeedback,
  unreadFeedback,
  unseenAdvice,
} from "../state/clinic";
import { isDrill } from "../state/drill";
import { hourMinute, patientLine } from "../state/format";
import { keepShell } from "../state/keepShell";
import { line, rows } from "../state/live";
import { titleNote } from "../state/news";
import type { Kept } from "../state/outbox";
import { lang } from "../state/prefs";
import { droppedWords } from "../state/refusal";
import { may, me } from "../state/session";
import { ring } from "../state/sound";
import { startWaiting } from "../state/waiting";
import { t } from "../texts";
import type { Row } from "../wire";
import "../styles/clinic.css";

const EMERGENCY = "120";
/** Advice that nobody takes note of is heard again for this long. */
const RING_MS = 120_000;

/** What the form is for: a new patient, one more ECG of a case, something refused that is put right; null: folded away. */
type Writing = { into: string | null; fix: Kept | null } | null;
const NEW: NonNullable<Writing> = { into: null, fix: null };

const keyOf = (form: NonNullable<Writing>): string => form.fix?.id ?? form.into ?? "new";
const sameForm = (one: NonNullable<Writing>, other: NonNullable<Writing>): boolean =>
  keyOf(one) === keyOf(other);

export function Clinic(): JSX.Element {
  const [shown, setShown] = useState<string | null>(null);
  const [writing, setWriting] = useState<Writing>(null);
  /** What was refused while its form is still there is put right in it. */
  const [held, setHeld] = useState<string | null>(null);
  /** How often something was kept that waits: it is then shown where it stands. */
  const [kept, setKept] = useState(0);
  /** Something stands in the form that was not sent. */
  const begun = useRef(false);
  /** What was asked for while it did. */
  const [asked, setAsked] = useState<Writing>(null);
  const live = clinicOrder(rows.value.cases.values());
  const [first, ...others] = live;
  const sending = may("send", me.value?.user.role);
  useEffect(startWaiting, []);
  useEffect(keepShell, []);
  useAdviceSound();
  const done = (): void => {
    setWriting(null);
    setHeld(null);
    begun.current = false;
    setAsked(null);
  };
  const turn = (next: Writing): void => {
    done();
    setWriting(next);
  };
  /** What is half filled in, for one patient, is never put away for another without a question. */
  const turnTo = (next: NonNullable<Writing>): void => {
    if (begun.current && !sameForm(next, writing ?? NEW)) setAsked(next);
    else setWriting(next);
  };
  const record = (row: Row): (() => void) | undefined =>
    sending && row.state === "open" && !isDrill(row)
      ? () => turnTo({ into: row.case_id, fix: null })
      : undefined;
  const putRight = (one: Kept): void => turnTo({ into: null, fix: one });
  const form = writing ?? (live.length === 0 ? NEW : null);
  return (
    <main class="page clinic">
      <UntoldResults />
      <Unanswered cases={live.filter(isUnanswered)} />
      <Waiting fixing={writing?.fix?.id ?? held} kept={kept} calm={writing === null} fix={putRight} />
      <Offline />
      {first && <ClinicCard key={first.case_id} row={first} recordAgain={record(first)} />}
      {sending && form === null && (
        <button
          type="button"
          class="act act-strong act-big send-big"
          data-testid="send-another"
          onClick={() => setWriting(NEW)}
        >
          ＋ {t("sendNew")}
        </button>
      )}
      {asked !== null && <HalfFilled keep={() => setAsked(null)} drop={() => turn(asked)} />}
      {sending && form !== null && (
        <SendForm
          key={keyOf(form)}
          caseId={form.into}
          into={(form.into !== null && rows.value.cases.get(form.into)) || null}
          fix={form.fix}
          touched={() => {
            setWriting(form);
            begun.current = true;
          }}
          hold={setHeld}
          putRight={(one) => turn({ into: null, fix: one })}
          leave={(waits) => {
            done();
            if (waits) setKept(kept + 1);
          }}
          onSent={({ case_id, dropped }) => {
            if (dropped?.length) trouble.value = { words: droppedWords(dropped), details: "" };
            done();
            setShown(case_id);
          }}
        />
      )}
      {(line.value.open || rows.value.seq > 0) && !live.some(isUnanswered) && <CallDoctor />}
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
                {shown === row.case_id && <ClinicCard row={row} recordAgain={record(row)} />}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Former />
    </main>
  );
}

/** Asked where the form is, which stays as it is until somebody has chosen. */
function HalfFilled({ keep, drop }: { keep: () => void; drop: () => void }): JSX.Element {
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => here.current?.scrollIntoView({ block: "center" }), []);
  return (
    <div ref={here} class="half-filled" role="alert" data-testid="half-filled">
      <p>
        <b>! {t("halfFilled")}</b>
      </p>
      <p class="acts">
        <button type="button" class="act act-strong" data-testid="half-keep" onClick={keep}>
          {t("halfKeep")}
        </button>
        <button type="button" class="act act-plain" data-testid="half-drop" onClick={drop}>
          {t("halfDrop")}
        </button>
      </p>
    </div>
  );
}

function Line({ row, open, toggle }: { row: Row; open: boolean; toggle: () => void }): JSX.Element {
  const here = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (open) here.current?.scrollIntoView({ block: "start" });
  }, [open]);
  return (
    <button type="button" ref={here} aria-expanded={open} onClick={toggle}>
      <span>
        <span class="num">{hourMinute(row.opened_at)}</span> {patientLine(row)} <CaseMark row={row} />
        {isUnanswered(row) && <b class="exhausted"> ! {t("nobodyAnswers")}</b>}
        {hasUnseen(row) && (
          <b class="exhausted"> ! {t(row.advice_withdrawn ? "adviceWithdrawnShort" : "adviceTitle")}</b>
        )}
      </span>
      <span class="clamp">{firstWords(row)}</span>
    </button>
  );
}

const unseen = computed(() =>
  may("adviceSeen", me.value?.user.role) ? unseenAdvice(rows.value.cases.values()).join("\n") : "",
);

/** New advice is heard, and stands in the title, until somebody has said that they have seen it. */
function useAdviceSound(): void {
  useSignalEffect(() => {
    if (unseen.value === "") return undefined;
    const stop = ring("medium");
    const timer = setTimeout(stop, RING_MS);
    titleNote.value = `(!) ${t("adviceTitle")} · ${t("clinicTitle")}`;
    return () => {
      clearTimeout(timer);
      stop();
      titleNote.value = null;
    };
  });
}

/** Without a line there is nothing to show of the cases, and somebody to telephone. */
function Offline(): JSX.Element | null {
  if (line.value.open || rows.value.seq > 0) return null;
  return (
    <section class="card offline-card" data-testid="offline-cases">
      <p>{t("offlineCases")}</p>
      <p class="acts">
        <CallDoctor />
        <a class="act act-plain call-doctor" href={`tel:${EMERGENCY}`}>
          ☎ {t("call120")}
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

/** What became of patients that were sent away: first what nobody here has read yet. */
function Former(): JSX.Element | null {
  const fresh = unreadFeedback(rows.value.cases.values());
  const read = readFeedback(rows.value.cases.values());
  if (fresh.length + read.length === 0) return null;
  return (
    <section class="card">
      <h2>{t("formerPatients")}</h2>
      {fresh.length > 0 && (
        <div data-testid="feedback-new">
          <p>
            <b>✉ {t("feedbackNew")}</b>
          </p>
          <Outcomes cases={fresh} word={t("formerNew")} />
        </div>
      )}
      {read.length > 0 && (
        <div data-testid="feedback-read">
          <Outcomes cases={read} word={t("formerRead")} />
        </div>
      )}
    </section>
  );
}

function Outcomes({ cases, word }: { cases: Row[]; word: string }): JSX.Element {
  return (
    <ul>
      {cases.map((row) => (
        <li key={row.case_id}>
          <a class="act act-plain former" href={`/case/${encodeURIComponent(row.case_id)}`}>
            <span>
              <span class="num">{hourMinute(row.opened_at)}</span> {patientLine(row)}
            </span>
            <span class="muted">{word} ▸</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
