/** Where are we, who is late? */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Act, CaseMark, Section, Since, signedTierWord, TierMark, Unconfirmed } from "../parts/bits";
import { AlertState, GreenState, NextAct } from "../parts/CaseRow";
import { Decline } from "../parts/Decline";
import { Below, firstWords, signature } from "../parts/Headline";
import { IdentityQuestions } from "../parts/IdentityQuestions";
import { useLoaded } from "../parts/load";
import { EnterMilestone, Milestones } from "../parts/Milestones";
import { RuleLink } from "../parts/RuleLink";
import { TaskActs, Tasks } from "../parts/Tasks";
import { Thumb } from "../parts/Thumb";
import { Track } from "../parts/Track";
import { closeCase, openGreen, standDown } from "../state/acts";
import { mayDecline } from "../state/alerts";
import { bestEvidence, evidenceWords } from "../state/evidence";
import {
  actorText,
  dateTime,
  hourMinute,
  localTimes,
  noteText,
  patientLine,
  peopleOf,
  siteName,
  timeOfDay,
} from "../state/format";
import { rows, showCase } from "../state/live";
import { may, me } from "../state/session";
import { proposesChannel, signedFirst } from "../state/verdict";
import { say, sourceName, type TextKey, t } from "../texts";
import type { CaseDetail, Identity, OrderProblem, Reading, Row } from "../wire";

export function CasePage({ id }: { id: string }): JSX.Element {
  const live = rows.value.cases.get(id);
  useEffect(() => showCase(id), [id]);
  const { value: detail, problem } = useLoaded<CaseDetail>(`/cases/${encodeURIComponent(id)}`, live?.seq);
  // The line is newer than what was read; the reading holds what the line leaves out.
  const row = live ?? detail ?? undefined;
  if (!row) {
    return (
      <main class="page">
        <Crumbs />
        {problem ? <p class="trouble">{problem.words}</p> : <p class="muted">{t("loading")}</p>}
      </main>
    );
  }
  return (
    <main class="page case" data-testid={`case-${id}`}>
      <Crumbs />
      <CaseHead row={row} detail={detail} />
      <IdentityQuestions row={row} />
      {problem && <p class="trouble">{problem.words}</p>}
      {detail && <Problems problems={detail.timeline.problems} />}
      {detail && <Track timeline={detail.timeline} />}
      {(row.state === "open" || row.tasks.length > 0) && (
        <Section title={t("tasks")}>
          <Tasks tasks={row.tasks} />
        </Section>
      )}
      <div class="columns">
        <div>
          {(row.state === "open" || row.ecgs.length > 0) && (
            <>
              <Section title={t("ecgs")}>
                <Ecgs row={row} />
              </Section>
              <Section title={t("advice")}>
                <Readings readings={detail?.readings ?? []} />
              </Section>
            </>
          )}
          {detail && <EnterMilestone caseId={id} milestones={detail.timeline.milestones} />}
          <Ending row={row} />
        </div>
        {detail && <Milestones milestones={detail.timeline.milestones} names={peopleOf(row)} />}
      </div>
      {detail && <History detail={detail} names={peopleOf(row)} />}
      <BottomBar row={row} />
    </main>
  );
}

const Crumbs = (): JSX.Element => (
  <nav class="crumbs">
    <a class="act act-link" href="/">
      ◂ {t("back")}
    </a>
  </nav>
);

function CaseHead({ row, detail }: { row: Row; detail: CaseDetail | null }): JSX.Element {
  const evidence = bestEvidence(row);
  const signed = signedFirst(row);
  const mode = row.arrival_mode;
  const modeKey = `arrivalMode${mode}` as TextKey;
  return (
    <section class="card case-head">
      <div>
        <p class="muted num">
          {siteName(row)}
          {row.site.distance_km !== null && ` · ${t("km", { n: Math.round(row.site.distance_km) })}`} ·{" "}
          {patientLine(row)}
          {mode !== null && ` · ${t(modeKey)}`} · {dateTime(row.opened_at)}
          {row.state === "open" && (
            <>
              {" · "}
              <Since at={row.opened_at} />
            </>
          )}
        </p>
        <h2 class="headline">
          <CaseMark row={row} /> {firstWords(row)}
        </h2>
        <p class="below">
          <Below row={row} />
        </p>
        <p class="num">
          {evidence && (
            <>
              {evidenceWords(evidence)} <RuleLink id={evidence.rule} version={readBy(row)} />
            </>
          )}{" "}
          {signed === null && <Unconfirmed row={row} />}
        </p>
        {row.reading?.advice && (
          <p>
            <b>{t("advice")}</b> {row.reading.advice}
          </p>
        )}
        <CallClinic row={row} identity={detail?.identity ?? null} />
        {row.note && <p>{noteText(row.note)}</p>}
        <p>
          <AlertState row={row} />
        </p>
        {detail?.identity && <FromClinic identity={detail.identity} />}
      </div>
      <div class="case-act">
        <Channel row={row} detail={detail} />
        {row.alert?.state === "open" && <NextAct row={row} big />}
        {row.state === "open" && row.alert && mayDecline(row.alert, me.value) && (
          <Decline alert={row.alert} />
        )}
        {canOpen(row) && (
          <Act
            name={`green ${row.case_id}`}
            kind={proposesChannel(row) ? "urgent" : "plain"}
            big={proposesChannel(row)}
            testid="open-green"
            run={() => openGreen(row.case_id)}
          >
            {t("openGreen")}
          </Act>
        )}
      </div>
    </section>
  );
}

/** By which version of the rules the case's findings were made. */
const readBy = (row: Row): string | null =>
  row.ecgs.find((ecg) => ecg.ecg_id === row.ecg_id)?.rules_version ?? null;

const VITALS_SHOWN = 50;

/** Whom to telephone at the patient's side, for who decides on the case. */
function CallClinic({ row, identity }: { row: Row; identity: Identity | null }): JSX.Element | null {
  const phone = identity?.callback_phone ?? row.site.phone;
  if (row.state !== "open" || !phone || me.value?.user.role === "clinic") return null;
  return (
    <p>
      <a class="act act-plain" href={`tel:${phone}`} data-testid="call-clinic">
        ☎ {t("callClinic")} <span class="num">{phone}</span>
      </a>
    </p>
  );
}

/** What the clinic wrote of the patient. */
function FromClinic({ identity }: { identity: Identity }): JSX.Element {
  const vitals = Object.entries(identity.vitals ?? {}).slice(0, VITALS_SHOWN);
  const facts: [string, string | null | undefined][] = [
    [t("patientName"), identity.name],
    [t("patientPhone"), identity.phone],
    [t("callbackPhone"), identity.callback_phone],
    [t("patientHistory"), identity.history],
    [t("vitals"), vitals.map(([name, value]) => `${name} ${String(value)}`).join(" · ")],
  ];
  return (
    <details data-testid="identity">
      <summary>{t("fromClinic")}</summary>
      <dl class="facts">
        {facts.map(([name, said]) => (
          <div key={name} class="facts-line">
            <dt>{name}</dt>
            <dd class="num">{said || t("unknown")}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** A case that was entered from elsewhere may have a channel that this service never opened. */
function Channel({ row, detail }: { row: Row; detail: CaseDetail | null }): JSX.Element | null {
  if (row.green_channel.state !== "closed") return <GreenState row={row} />;
  const said = detail?.timeline.milestones.find((each) => each.id === "GREEN_OPEN" && each.known);
  if (said) {
    const by = said.source === "published_report" ? t("perReport") : sourceName(said.source);
    return (
      <span class="info" data-testid="green-reported">
        ▶ {t("greenReported", { at: hourMinute(said.at), by })}
      </span>
    );
  }
  if (row.state !== "open") return detail && <span class="muted">{t("greenNone")}</span>;
  return <span class="muted">{t("greenNot")}</span>;
}

/** On its own page the channel may be opened whatever the tier: the doctor decides, not the machine. */
const canOpen = (row: Row): boolean =>
  row.state === "open" && row.green_channel.state !== "open" && may("openChannel", me.value?.user.role);

function Problems({ problems }: { problems: OrderProblem[] }): JSX.Element | null {
  if (problems.length === 0) return null;
  return (
    <Section title={t("problems")}>
      <ul>
        {problems.map((each) => (
          <li key={`${each.before}${each.after}`} data-testid={`problem-${each.before}-${each.after}`}>
            <b>{each.level === "error" ? `✕ ${t("levelError")}` : `! ${t("levelWarning")}`}</b> {say(each)}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Ecgs({ row }: { row: Row }): JSX.Element {
  if (row.ecgs.length === 0) return <p class="muted">{t("noEcg")}</p>;
  return (
    <ul class="ecg-list">
      {row.ecgs.map((ecg) => (
        <li key={ecg.ecg_id}>
          <a href={`/ecg/${encodeURIComponent(ecg.ecg_id)}`} data-testid={`ecg-link-${ecg.ecg_id}`}>
            <Thumb
              ecgId={ecg.ecg_id}
              worst={row.worst_leads}
              live={ecg.live}
              paper={ecg.not_analysed !== null}
            />
            <span>
              <TierMark tier={ecg.tier} /> <span class="num">{timeOfDay(ecg.received_at)}</span>
              {ecg.live && <span class="live"> ◉ {t("live")}</span>}
              {ecg.acceptable === false && <span class="again"> ↻ {t("recordAgain")}</span>}
              {ecg.bad_leads.length > 0 && (
                <span class="muted"> {t("badLeads", { leads: ecg.bad_leads.join(" ") })}</span>
              )}
              {ecg.same_as && (
                <span class={ecg.same_as.other_patient ? "late" : "muted"} data-testid="same-as">
                  {" "}
                  = {say(ecg.same_as)}
                </span>
              )}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Readings({ readings }: { readings: Reading[] }): JSX.Element {
  if (readings.length === 0) return <p class="muted">{t("adviceNone")}</p>;
  return (
    <>
      {readings.map((reading) => (
        <ReadingView key={`${reading.at}${reading.text}`} reading={reading} />
      ))}
    </>
  );
}

function ReadingView({ reading }: { reading: Reading }): JSX.Element {
  return (
    <div class="signed" data-testid="reading">
      <p>
        <b>{t("reading")}</b> {reading.text} <span class="muted">{signedTierWord(reading.tier)}</span>
      </p>
      {reading.advice && (
        <p>
          <b>{t("advice")}</b> {reading.advice}
        </p>
      )}
      <p class="muted num">✓ {signature(reading)}</p>
    </div>
  );
}

/** What ends something asks for its reason. */
function Ending({ row }: { row: Row }): JSX.Element | null {
  const role = me.value?.user.role;
  if (row.state !== "open" || !may("close", role)) return null;
  return (
    <div>
      {row.green_channel.state === "open" && may("standDown", role) && (
        <WithReason
          title={t("standDown")}
          testid="stand-down"
          run={(reason) => standDown(row.case_id, reason)}
        />
      )}
      <WithReason
        title={t("closeCase")}
        testid="close-case"
        run={(reason) => closeCase(row.case_id, reason)}
      />
    </div>
  );
}

interface WithReasonProps {
  title: string;
  testid: string;
  run: (reason: string) => Promise<boolean>;
}

function WithReason({ title, testid, run }: WithReasonProps): JSX.Element {
  const [reason, setReason] = useState("");
  return (
    <details class="card">
      <summary data-testid={testid}>{title}</summary>
      <div class="form">
        <label>
          {t("reason")}
          <input
            value={reason}
            data-testid={`${testid}-reason`}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <Act
          name={testid}
          testid={`${testid}-send`}
          disabled={reason.trim() === ""}
          run={async () => {
            if (await run(reason.trim())) setReason("");
          }}
        >
          {title}
        </Act>
      </div>
    </details>
  );
}

function History({ detail, names }: { detail: CaseDetail; names: ReadonlyMap<string, string> }): JSX.Element {
  return (
    <details class="card">
      <summary>
        {t("history")} <span class="num">{detail.history.length}</span>
      </summary>
      <ol class="history">
        {detail.history.map((each) => (
          <li key={each.seq}>
            <time class="num">{dateTime(each.at)}</time> {localTimes(say(each))}{" "}
            <span class="muted">{actorText(each.actor, each.actor_name, names)}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

/** In the thumb's reach on a phone: the next act, be it an answer, the channel or one's own duty. */
function BottomBar({ row }: { row: Row }): JSX.Element {
  const mine = row.tasks.find((task) => task.role === me.value?.user.role && task.done_at === null);
  return (
    <div class="bottom-bar phone-only">
      <NextAct row={row} big where="bottom-" />
      {mine && (
        <span class="bottom-task">
          {say(mine)} <TaskActs task={mine} accepted={mine.accepted_at !== null} where="bottom-" />
        </span>
      )}
    </div>
  );
}
