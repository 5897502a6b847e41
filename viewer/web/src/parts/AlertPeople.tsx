/** Who was called, on which channel, and how far each of it has come. */
import type { JSX } from "preact";
import { nowMs } from "../state/clock";
import { span, timeOfDay } from "../state/format";
import { type Called, calledPeople, type Reached, reachedOn } from "../state/people";
import { lang } from "../state/prefs";
import { shiftName, TEXTS, type TextKey, t } from "../texts";
import type { Alert, AlertPerson, Row } from "../wire";

export const SIGNS: Record<Reached, string> = {
  waiting: "○",
  sent: "→",
  delivered: "◑",
  seen: "◉",
  acknowledged: "✓",
  declined: "–",
  unreachable: "✕",
};

export function AlertPeople({ row }: { row: Row }): JSX.Element | null {
  const { alert } = row;
  if (!alert || alert.people.length === 0) return null;
  const open = alert.state === "open";
  return (
    <details class="card" open={open} data-testid="alert-people">
      <summary>
        <b>{t("alertPeople")}</b>
        <span class="muted num">
          {alert.round > 1 && `${t("alertRound", { n: alert.round })} · `}
          {t("alertStep", { n: alert.step + 1, all: alert.steps })}
        </span>
      </summary>
      <Round alert={alert} />
      <ul class="called">
        {calledPeople(alert).map((one) => (
          <Person key={one.person} one={one} />
        ))}
      </ul>
    </details>
  );
}

/** An alert that came back says why; one that may come back, until when something must have followed. */
export function Round({ alert }: { alert: Alert }): JSX.Element | null {
  if (alert.state === "open") {
    return alert.round > 1 ? (
      <p class="late" data-testid="alert-round">
        ↻ {t("alertRoundLong", { n: alert.round })}
      </p>
    ) : null;
  }
  const left = followUpLeft(alert);
  return left === null ? null : (
    <p class="late num" data-testid="follow-up">
      ! {t("followUpLeft", { for: span(left) })}
    </p>
  );
}

/** Seconds until an answer that nothing followed makes the alert ring again; null where it will not. */
export function followUpLeft(alert: Alert): number | null {
  const now = nowMs.value;
  if (alert.state !== "acknowledged" || alert.follow_up_at === null || now === null) return null;
  return (Date.parse(alert.follow_up_at) - now) / 1000;
}

function Person({ one }: { one: Called }): JSX.Element {
  return (
    <li class={`called-${one.reached}`} data-testid={`called-${one.person}`} data-state={one.reached}>
      <span>
        <b>{one.name ?? one.person}</b> <span class="muted">{one.role && shiftName(one.role)}</span>
      </span>
      <span class="num">
        <b>
          <span aria-hidden="true">{SIGNS[one.reached]}</span> {t(`reached_${one.reached}`)}
        </b>{" "}
        {one.at && timeOfDay(one.at)}
      </span>
      <ul class="called-channels">
        {one.channels.map((channel) => (
          <Channel key={channel.channel} one={channel} />
        ))}
      </ul>
    </li>
  );
}

function Channel({ one }: { one: AlertPerson }): JSX.Element {
  const { reached, at } = reachedOn(one);
  const why = reached === "unreachable" ? one.unreachable?.[lang.value] : null;
  return (
    <li class="num">
      {channelName(one.channel)} <span aria-hidden="true">{SIGNS[reached]}</span> {t(`reached_${reached}`)}{" "}
      {at && timeOfDay(at)}
      {why && ` · ${why}`}
      {one.rings > 1 && <span class="muted"> · {t("rings", { n: one.rings })}</span>}
    </li>
  );
}

/** A channel that the pages do not know is shown as the service names it. */
export function channelName(channel: string): string {
  const key = `channel_${channel}`;
  return key in TEXTS ? t(key as TextKey) : channel;
}
