/** Where are we, who is late? */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { AlertPeople } from "../parts/AlertPeople";
import { Ambulance } from "../parts/Ambulance";
import { Act, Section, signedTierWord, TierMark } from "../parts/bits";
import { CaseHead } from "../parts/CaseHead";
import { CaseImages } from "../parts/CaseImages";
import { NextAct } from "../parts/CaseRow";
import { EnterMilestone } from "../parts/EnterMilestone";
import { Facts } from "../parts/Facts";
import { signature } from "../parts/Headline";
import { IdentityQuestions } from "../parts/IdentityQuestions";
import { useLoaded } from "../parts/load";
import { Milestones } from "../parts/Milestones";
import { MoveOut } from "../parts/MoveOut";
import { OrderImages } from "../parts/OrderImages";
import { OutcomeCard } from "../parts/OutcomeCard";
import { Proposal, stands } from "../parts/Proposal";
import { ReperfusionPanel } from "../parts/Reperfusion";
import { TapMilestones } from "../parts/TapMilestones";
import { TaskActs, Tasks } from "../parts/Tasks";
import { Thumb } from "../parts/Thumb";
import { Track } from "../parts/Track";
import { closeCase, standDown } from "../state/acts";
import { actorText, dateTime, localTimes, peopleOf, timeOfDay } from "../state/format";
import { rows, showCase } from "../state/live";
import { homeOf, may, me } from "../state/session";
import { nextOwn } from "../state/tasks";
import { signedOf } from "../state/verdict";
import { say, t, tierWord } from "../texts";
import type { CaseDetail, EcgSummary, OrderProblem, Reading, Row } from "../wire";
import type { Forms } from "../wireCare";

export function CasePage({ id }: { id: string }): JSX.Element {
  const live = rows.value.cases.get(id);
  useEffect(() => showCase(id), [id]);
  const { value: detail, problem } = useLoaded<CaseDetail>(`/cases/${encodeURIComponent(id)}`, live?.seq);
  const { value: forms } = useLoaded<Forms>(`/cases/${encodeURIComponent(id)}/forms`, live?.seq);
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
  const hasReadings = row.state === "open" || row.ecgs.length > 0;
  return (
    <main class="page case" data-testid={`case-${id}`}>
      <Crumbs />
      <CaseHead row={row} detail={detail} />
      <Proposal row={row} />
      <IdentityQuestions row={row} />
      <AlertPeople row={row} />
      {problem && <p class="trouble">{problem.words}</p>}
      {detail && <Problems problems={detail.timeline.problems} />}
      {detail && <Track timeline={detail.timeline} />}
      <div class="columns">
        {detail && hasClock(row, detail) && <ReperfusionPanel caseId={id} clock={detail.reperfusion} />}
        <Ambulance row={row} />
      </div>
      {(row.tasks.length > 0 || (row.state === "open" && !stands(row))) && (
        <Section title={t("tasks")}>
          <Tasks tasks={row.tasks} />
        </Section>
      )}
      <div class="columns">
        <div>
          {forms && row.state === "open" && <TapMilestones caseId={id} forms={forms.milestones} />}
          {hasReadings && (
            <Section title={t("ecgs")}>
              <Ecgs row={row} />
            </Section>
          )}
          <CaseImages images={detail?.images ?? []} stamp={live?.seq} />
          {row.state === "open" && <OrderImages caseId={id} />}
          {hasReadings && (
            <Section title={t("advice")}>
              <Readings readings={detail?.readings ?? []} />
            </Section>
          )}
          {detail && forms && (
            <EnterMilestone caseId={id} milestones={detail.timeline.milestones} forms={forms} />
          )}
          {detail && forms && <Facts caseId={id} facts={detail.timeline.facts} mine={forms.facts} />}
          {detail && <OutcomeCard row={row} outcome={detail.outcome} />}
          {detail && <MoveOut row={row} images={detail.images ?? []} />}
          <Ending row={row} />
        </div>
        {detail && <Milestones milestones={detail.timeline.milestones} names={peopleOf(row)} />}
      </div>
      {detail && <History detail={detail} names={peopleOf(row)} />}
      <BottomBar row={row} />
    </main>
  );
}

/** An infarction, or a channel: of any other case the clock would say nothing that is asked for. */
const hasClock = (row: Row, detail: CaseDetail): boolean =>
  row.tier === "ACT" || row.green_channel.channel_id !== null || detail.reperfusion.state !== "running";

function Crumbs(): JSX.Element {
  const home = homeOf(me.value?.user.role);
  return (
    <nav class="crumbs">
      <a class="act act-link" href={home}>
        ◂ {t(home === "/tasks" ? "tasksPage" : "back")}
      </a>
    </nav>
  );
}

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
              <EcgTier row={row} ecg={ecg} /> <span class="num">{timeOfDay(ecg.received_at)}</span>
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

/** A doctor's tier where one has signed; the machine's stays beside it where it was another. */
function EcgTier({ row, ecg }: { row: Row; ecg: EcgSummary }): JSX.Element {
  const signed = signedOf(row, ecg.ecg_id);
  if (signed === null) return <TierMark tier={ecg.tier} />;
  return (
    <>
      <TierMark tier={signed.tier} signed />
      {ecg.tier !== null && ecg.tier !== signed.tier && (
        <span class="muted">
          {" "}
          {t("machine")} {tierWord(ecg.tier)}
        </span>
      )}
    </>
  );
}

function Readings({ readings }: { readings: Reading[] }): JSX.Element {
  if (readings.length === 0) return <p class="muted">{t("adviceNone")}</p>;
  return (
    <>
      {readings.map((reading) => (
        <ReadingView
          key={`${reading.at}${reading.text}`}
          reading={reading}
          over={readings.some((one) => takesBack(one, reading))}
        />
      ))}
    </>
  );
}

const takesBack = (later: Reading, earlier: Reading): boolean =>
  later.withdraws === true && later.ecg_id === earlier.ecg_id && (later.seq ?? 0) > (earlier.seq ?? 0);

/** `over`: a later reading took its advice back. */
function ReadingView({ reading, over }: { reading: Reading; over: boolean }): JSX.Element {
  return (
    <div class="signed" data-testid="reading">
      <p>
        <b>{t("reading")}</b> {reading.text} <span class="muted">{signedTierWord(reading.tier)}</span>
      </p>
      {reading.advice && (
        <p>
          <b>{t("advice")}</b> {over ? <s>{reading.advice}</s> : reading.advice}
          {over && <b class="late"> {t("adviceOver")}</b>}
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
    <details class="card screen-only">
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
  const mine = nextOwn(row.tasks, me.value?.user.role);
  return (
    <div class="bottom-bar phone-only">
      <NextAct row={row} big where="bottom-" />
      {mine && (
        <span class="bottom-task">
          {say(mine)}{" "}
          <TaskActs
            key={mine.task_id}
            task={mine}
            among={row.tasks}
            accepted={mine.accepted_at !== null}
            where="bottom-"
          />
        </span>
      )}
    </div>
  );
}
