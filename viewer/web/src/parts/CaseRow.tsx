/** One row of the board: how long, where, who, what, on what evidence, who has it, and the one next act. */
import type { JSX, RefObject } from "preact";
import { useRef } from "preact/hooks";
import { acknowledge, openGreen } from "../state/acts";
import { callsMe, nextAct } from "../state/alerts";
import { nowMs } from "../state/clock";
import { drillClass } from "../state/drill";
import { bestEvidence, evidenceLine } from "../state/evidence";
import {
  dateTime,
  duration,
  gathered,
  hourMinute,
  noteText,
  patientLine,
  personName,
  siteName,
  span,
  timeOfDay,
} from "../state/format";
import { rowSignal } from "../state/live";
import { calledPeople } from "../state/people";
import { go } from "../state/route";
import { me } from "../state/session";
import { onPaper, shownTier, signedFirst } from "../state/verdict";
import { say, t } from "../texts";
import type { Alert, Row } from "../wire";
import { followUpLeft, SIGNS } from "./AlertPeople";
import { Act, CaseMark, Since, tierClass, Unconfirmed } from "./bits";
import { Below, firstWords } from "./Headline";
import { UntoldWord } from "./ImageCalls";
import { useNear } from "./near";
import { stands } from "./Proposal";
import { Thumb } from "./Thumb";

interface Props {
  id: string;
  selected: boolean;
  /** The same function for all rows and at all times: a new one would draw the row anew. */
  open: (caseId: string) => void;
}

/** Since the newest ECG arrived; since the case opened where none did. */
const receivedAt = (row: Row): string =>
  row.ecgs.find((ecg) => ecg.ecg_id === row.ecg_id)?.received_at ?? row.opened_at;

const isLiveStream = (row: Row): boolean => row.ecgs.some((ecg) => ecg.ecg_id === row.ecg_id && ecg.live);

/**
 * Drawn anew when its own case changes, and by no other. Far from the screen it is its words alone: what ticks, the
 * thumbnail and the acts come when it is near.
 */
export function CaseRow({ id, selected, open }: Props): JSX.Element {
  const item = useRef<HTMLLIElement>(null);
  const near = useNear(item);
  // A case that has left the board keeps its row for as long as the list is held.
  const last = useRef<Row | undefined>(undefined);
  const row = rowSignal(id).value ?? last.current;
  last.current = row;
  if (row === undefined) return <li ref={item} class="row far" />;
  return <RowItem item={item} row={row} near={near} selected={selected} open={open} />;
}

interface ItemProps {
  row: Row;
  near: boolean;
  selected: boolean;
  open: (caseId: string) => void;
  item?: RefObject<HTMLLIElement | null>;
}

/** A row as it is drawn. */
export function RowItem({ item, row, near, selected, open }: ItemProps): JSX.Element {
  const id = row.case_id;
  const calls = callsMe(row.alert, me.value);
  return (
    <li
      {...(item && { ref: item })}
      class={`row ${tierClass(shownTier(row))}${selected ? " selected" : ""}${calls ? " calls" : ""}${near ? "" : " far"}${drillClass(row)}`}
      data-testid={`row-${row.case_id}`}
      data-case={row.case_id}
      data-seq={row.seq}
      data-tier={row.tier ?? ""}
    >
      <span class="row-age">
        {near && <Age row={row} />}
        <CaseMark row={row} />
      </span>
      <button
        type="button"
        class="row-open"
        aria-expanded={selected}
        onClick={() => open(id)}
        data-testid="open-row"
      >
        {near ? (
          <Words row={row} />
        ) : (
          <>
            <b>{siteName(row)}</b> <span class="headline clamp">{firstWords(row)}</span>
          </>
        )}
      </button>
      {near && (
        <>
          <Thumb ecgId={row.ecg_id} worst={row.worst_leads} live={isLiveStream(row)} paper={onPaper(row)} />
          <span class="row-state">
            <AlertState row={row} />
            <Reach alert={row.alert} />
            <GreenState row={row} />
            {row.diagnosed_at && (
              <span class="done">
                ✓ {t("signed")} {timeOfDay(row.diagnosed_at)}
              </span>
            )}
          </span>
          <span class="row-act">
            <NextAct row={row} />
            <CallSite row={row} />
            <a class="act act-link" href={`/case/${encodeURIComponent(id)}`} data-testid="open-case">
              {t("openCase")} ▸
            </a>
          </span>
        </>
      )}
    </li>
  );
}

function Age({ row }: { row: Row }): JSX.Element {
  if (row.state !== "open") {
    return (
      <time class="num" dateTime={row.opened_at} title={dateTime(row.opened_at)}>
        {hourMinute(row.opened_at)}
      </time>
    );
  }
  return (
    <span title={`${t("rowAge")} ${timeOfDay(receivedAt(row))}`}>
      <Since at={receivedAt(row)} />
    </span>
  );
}

/** What the row says. What a person must look at comes before evidence: a row of the wall shows one line of it. */
function Words({ row }: { row: Row }): JSX.Element {
  const evidence = bestEvidence(row);
  return (
    <>
      <span class="row-who">
        <b>{siteName(row)}</b>{" "}
        {row.site.distance_km !== null && (
          <span class="num">{t("km", { n: Math.round(row.site.distance_km) })}</span>
        )}{" "}
        <span class="num row-patient">{patientLine(row)}</span>{" "}
        {isLiveStream(row) && <span class="live">◉ {t("live")}</span>} <ShortEta row={row} />
      </span>
      <span class="row-what">
        <span class="headline clamp">{firstWords(row)}</span>
        <span class="row-more">
          <UntoldWord caseId={row.case_id} />
          {row.identity_conflicts.length + row.patient_doubts.length > 0 && (
            <span class="late">▲ {t("identityConflict")}</span>
          )}
          {signedFirst(row) === null && row.tier !== null && (
            <span class="evidence-line num">
              {evidence && evidenceLine(evidence)} <Unconfirmed row={row} />
            </span>
          )}
          <Below row={row} />
          {row.record_again && row.tier !== "REC" && (
            <span class="again clamp">↻ {gathered(say(row.record_again))}</span>
          )}
          {row.note && <span class="muted">{noteText(row.note)}</span>}
        </span>
      </span>
    </>
  );
}

/** When the ambulance will be there, where somebody has said so; unknown is said once the channel is open. */
function ShortEta({ row }: { row: Row }): JSX.Element | null {
  const { hub, scene } = row.eta;
  const eta = hub ?? scene;
  if (eta === null) {
    const driven = row.arrival_mode === 1 || row.arrival_mode === 2;
    const expected = row.state === "open" && driven && row.green_channel.state === "open" && !arrived(row);
    return expected ? <span class="muted row-eta">{t("etaUnknown")}</span> : null;
  }
  if (row.state !== "open" || arrived(row)) return null;
  const now = nowMs.value;
  const left = now === null ? null : (Date.parse(eta.at) - now) / 1000;
  return (
    <span class="num row-eta" data-testid="row-eta">
      {t(hub ? "etaShort" : "etaSceneShort", { at: hourMinute(eta.at) })}
      {left !== null && ` · ${t(left < 0 ? "etaOver" : "etaLeft", { for: shortly(Math.abs(left)) })}`}
    </span>
  );
}

/** Whole minutes; the seconds of the last one. */
const shortly = (seconds: number): string =>
  seconds < 60 ? span(seconds) : t("minutes", { n: Math.floor(seconds / 60) });

/** Whoever received the patient has said so. */
const arrived = (row: Row): boolean =>
  row.tasks.some((task) => task.kind === "receive_patient" && task.done_at !== null);

/** Who is called now and how far it has reached them; the others are on the page of the case. */
function Reach({ alert }: { alert: Alert | null }): JSX.Element | null {
  if (alert === null || alert.state !== "open") return null;
  const called = calledPeople(alert).filter((one) => one.person !== "all" && one.reached !== "waiting");
  const newest = called.at(-1);
  if (!newest) return null;
  const others = called.length - 1;
  return (
    <span class="num muted row-reach" data-testid="row-reach">
      <span aria-hidden="true">{SIGNS[newest.reached]}</span> {newest.name ?? newest.person}{" "}
      {t(`reached_${newest.reached}`)}
      {others > 0 && ` +${others}`}
    </span>
  );
}

/** The doctor rings the village at once: its number is a link. */
function CallSite({ row }: { row: Row }): JSX.Element | null {
  const { phone } = row.site;
  if (phone === null || row.state !== "open") return null;
  return (
    <a
      class="act act-link call-site"
      href={`tel:${phone}`}
      aria-label={t("callSite", { who: siteName(row), number: phone })}
      title={phone}
      data-testid="call-site"
    >
      <span aria-hidden="true">☎</span>
      <span class="num call-number">{phone}</span>
    </a>
  );
}

interface NextActProps {
  row: Row;
  big?: boolean;
  /** Before the test id, where the same act stands on the page twice. */
  where?: string;
}

/** Confirm, then open the channel; opening the case is always there as a link. */
export function NextAct({ row, big, where = "" }: NextActProps): JSX.Element | null {
  const act = nextAct(row, me.value);
  const alert = row.alert;
  if (act === "ack" && alert) {
    const kind = alert.tier === "ACT" || alert.tier === "CRIT" ? "urgent" : "amber";
    return (
      <Act
        name={`ack ${alert.alert_id}`}
        kind={kind}
        testid={`${where}ack`}
        big={big === true}
        run={() => acknowledge(alert.alert_id)}
      >
        {t("ack")}
      </Act>
    );
  }
  if (act === "openGreen") {
    return (
      <Act
        name={`green ${row.case_id}`}
        kind="urgent"
        testid={`${where}open-green`}
        big={big === true}
        run={async () => {
          if (await openGreen(row.case_id)) go(`/case/${encodeURIComponent(row.case_id)}`);
        }}
      >
        {t("openGreen")}
      </Act>
    );
  }
  return null;
}

export function AlertState({ row }: { row: Row }): JSX.Element | null {
  const { alert } = row;
  const ended = row.state !== "open";
  if (alert === null) {
    if (ended) return null;
    return row.rings_at ? <RingsIn at={row.rings_at} /> : <span class="muted">{t("alertNone")}</span>;
  }
  if (alert.state === "acknowledged") {
    const left = followUpLeft(alert);
    return (
      <span class="done">
        {alert.given_to
          ? `→ ${t("alertGiven", { who: personName(alert.given_to) })}`
          : `✓ ${t("alertAcked", { who: personName(alert.held_by ?? alert.acknowledged_by) })}`}
        {left !== null && !ended && (
          <span class="num late"> · {t("followUpShort", { for: span(left) })}</span>
        )}
      </span>
    );
  }
  if (ended) return <span class="muted">{t("endedUnanswered")}</span>;
  const now = nowMs.value;
  const waited = now === null ? null : (now - Date.parse(alert.opened_at)) / 1000;
  const left =
    now === null || alert.next_due_at === null ? null : (Date.parse(alert.next_due_at) - now) / 1000;
  return (
    <span class={alert.exhausted ? "unanswered exhausted" : "unanswered"}>
      <b class="num">
        ! {alert.round > 1 ? `${t("alertRound", { n: alert.round })} ` : ""}
        {alert.exhausted ? `${t("alertExhausted")} ` : ""}
        {t("alertUnanswered", { for: waited === null ? "—" : duration(waited) })}
      </b>
      {!alert.exhausted && left !== null && (
        <span class="num muted">
          {left > 0 ? t("alertNext", { for: duration(left) }) : t("alertNextNow")}
        </span>
      )}
    </span>
  );
}

/** What waits to be read has a clock: when it runs out, the person on duty is called. */
function RingsIn({ at }: { at: string }): JSX.Element {
  const now = nowMs.value;
  const left = now === null ? null : (Date.parse(at) - now) / 1000;
  return (
    <b class="num rings-in" data-testid="rings-in" title={timeOfDay(at)}>
      {left !== null && left > 0 ? t("ringsIn", { for: duration(left) }) : t("ringsNow")}
    </b>
  );
}

export function GreenState({ row }: { row: Row }): JSX.Element | null {
  const channel = row.green_channel;
  if (channel.state === "open")
    return <span class="info">▶ {t("greenOpen", { at: timeOfDay(channel.opened_at) })}</span>;
  if (channel.state === "stood_down") {
    return (
      <span class="muted">
        ■ {t("greenDown", { at: timeOfDay(channel.stood_down_at) })} {channel.reason}
      </span>
    );
  }
  if (!stands(row)) return null;
  return <span class="info">◇ {t("proposalShort")}</span>;
}
