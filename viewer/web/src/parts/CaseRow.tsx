/** One row of the board: how long, where, who, what, on what evidence, who has it, and the one next act. */
import type { JSX } from "preact";
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
import { go } from "../state/route";
import { me } from "../state/session";
import { onPaper, shownTier, signedFirst } from "../state/verdict";
import { say, t } from "../texts";
import type { Row } from "../wire";
import { followUpLeft } from "./AlertPeople";
import { Act, CaseMark, Since, tierClass, Unconfirmed } from "./bits";
import { Below, firstWords } from "./Headline";
import { stands } from "./Proposal";
import { Thumb } from "./Thumb";

interface Props {
  row: Row;
  selected: boolean;
  open: () => void;
}

/** Since the newest ECG arrived; since the case opened where none did. */
const receivedAt = (row: Row): string =>
  row.ecgs.find((ecg) => ecg.ecg_id === row.ecg_id)?.received_at ?? row.opened_at;

export function CaseRow({ row, selected, open }: Props): JSX.Element {
  const evidence = bestEvidence(row);
  const live = row.ecgs.some((ecg) => ecg.ecg_id === row.ecg_id && ecg.live);
  const calls = callsMe(row.alert, me.value);
  return (
    <li
      class={`row ${tierClass(shownTier(row))}${selected ? " selected" : ""}${calls ? " calls" : ""}${drillClass(row)}`}
      data-testid={`row-${row.case_id}`}
      data-case={row.case_id}
      data-tier={row.tier ?? ""}
    >
      <span class="row-age" title={`${t("rowAge")} ${timeOfDay(receivedAt(row))}`}>
        {row.state === "open" ? (
          <Since at={receivedAt(row)} />
        ) : (
          <time class="num" dateTime={row.opened_at} title={dateTime(row.opened_at)}>
            {hourMinute(row.opened_at)}
          </time>
        )}
        <CaseMark row={row} />
      </span>
      <button type="button" class="row-open" aria-expanded={selected} onClick={open} data-testid="open-row">
        <span class="row-who">
          <b>{siteName(row)}</b>{" "}
          {row.site.distance_km !== null && (
            <span class="num">{t("km", { n: Math.round(row.site.distance_km) })}</span>
          )}{" "}
          <span class="num row-patient">{patientLine(row)}</span>{" "}
          {live && <span class="live">◉ {t("live")}</span>}
        </span>
        <span class="row-what">
          <span class="headline clamp">{firstWords(row)}</span>
          {signedFirst(row) === null && row.tier !== null && (
            <span class="evidence-line num">
              {evidence && evidenceLine(evidence)} <Unconfirmed row={row} />
            </span>
          )}
          <Below row={row} />
          {row.record_again && row.tier !== "REC" && (
            <span class="again clamp">↻ {gathered(say(row.record_again))}</span>
          )}
          {row.identity_conflicts.length + row.patient_doubts.length > 0 && (
            <span class="late">▲ {t("identityConflict")}</span>
          )}
          {row.note && <span class="muted">{noteText(row.note)}</span>}
        </span>
      </button>
      <Thumb ecgId={row.ecg_id} worst={row.worst_leads} live={live} paper={onPaper(row)} />
      <span class="row-state">
        <AlertState row={row} />
        <GreenState row={row} />
        {row.diagnosed_at && (
          <span class="done">
            ✓ {t("signed")} {timeOfDay(row.diagnosed_at)}
          </span>
        )}
      </span>
      <span class="row-act">
        <NextAct row={row} />
        <a class="act act-link" href={`/case/${encodeURIComponent(row.case_id)}`} data-testid="open-case">
          {t("openCase")} ▸
        </a>
      </span>
    </li>
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
  if (alert === null) return ended ? null : <span class="muted">{t("alertNone")}</span>;
  if (alert.state === "acknowledged") {
    const left = followUpLeft(alert);
    return (
      <span class="done">
        ✓ {t("alertAcked", { who: personName(alert.held_by ?? alert.acknowledged_by) })}
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
