/** An alert that calls this person: banner, sound and the page's title, until somebody has answered. */
import { computed, signal, untracked, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { acknowledge, quicker, silence } from "../state/acts";
import { callingRows, mayDecline } from "../state/alerts";
import { nowMs } from "../state/clock";
import { drillHere, realFirst } from "../state/drill";
import { bestEvidence, evidenceLine } from "../state/evidence";
import { duration, personName, siteName, timeOfDay } from "../state/format";
import { board, rowSignal, rows } from "../state/live";
import { News, titleNote, unlooked } from "../state/news";
import { me } from "../state/session";
import { type Priority, ring, soundOnce } from "../state/sound";
import { TIERS, t } from "../texts";
import type { Alert } from "../wire";
import { Act, Since } from "./bits";
import { Decline } from "./Decline";
import { firstWords } from "./Headline";
import { arrivals } from "./heldOrder";

const MUTE_MS = 120_000;

/** In worklist order, drills behind all others: the first is what the banner names. */
export const calling = computed(() =>
  realFirst(callingRows([...board.value.now, ...board.value.urgent, ...board.value.rest], me.value)),
);

/**
 * Calls muted on this device, and until when (local milliseconds). Muting never stops the escalation; what becomes louder,
 * or begins a new round, is another call.
 */
const muted = signal<ReadonlyMap<string, number>>(new Map());

const callOf = (alert: Alert): string =>
  `${alert.alert_id} ${alert.tier} ${alert.round} ${alert.given_to?.person ?? ""}`;

const mutedFor = (alert: Alert): number => (muted.value.get(callOf(alert)) ?? 0) - performance.now();

/** The priority that must be heard now; null for silence. */
const ringing = computed<Priority | null>(() => {
  void nowMs.value; // a mute runs out
  const loud = calling.value.filter((row) => row.alert && mutedFor(row.alert) <= 0);
  if (loud.length === 0) return null;
  return loud.some((row) => row.alert?.tier === "ACT" || row.alert?.tier === "CRIT") ? "high" : "medium";
});

export function Banner(): JSX.Element {
  useSignalEffect(() => (ringing.value === null ? undefined : ring(ringing.value)));
  useSignalEffect(blinkTitle);
  useNews();
  return (
    <>
      <Arrivals />
      <Quicker />
      <Calling />
    </>
  );
}

/** New red cases that call somebody else: one burst of sound, and the title where nobody looks at the page. */
function useNews(): void {
  const news = useRef(new News());
  useSignalEffect(() => {
    const who = me.value;
    if (!who) news.current.forget();
    if (!who || rows.value.seq === 0) return;
    const fresh = news.current.take(board.value.now, who);
    if (fresh.length === 0) return;
    untracked(() => {
      soundOnce("high");
      if (document.visibilityState !== "visible") unlooked.value = [...unlooked.value, ...fresh];
    });
  });
  useEffect(() => {
    const looked = (): void => {
      if (document.visibilityState === "visible") unlooked.value = [];
    };
    document.addEventListener("visibilitychange", looked);
    return () => document.removeEventListener("visibilitychange", looked);
  }, []);
}

/** Cases that came while a pointer holds the list: named here, since here they move nothing. */
function Arrivals(): JSX.Element | null {
  const came = arrivals.value.flatMap((id) => rowSignal(id).value ?? []);
  const [first] = came;
  if (!first) return null;
  const tier = first.tier === null ? "" : `${TIERS[first.tier].shape} `;
  return (
    <p class="arrivals" role="status" data-testid="arrivals">
      <a href={`/case/${encodeURIComponent(first.case_id)}`}>
        {t("arrived", { n: came.length, what: `${tier}${siteName(first)} · ${firstWords(first)}` })}
      </a>{" "}
      <span class="muted wide-only">{t("arrivedWait")}</span>
    </p>
  );
}

/** Two answered at once: the second is told who was first. */
function Quicker(): JSX.Element | null {
  const first = quicker.value;
  if (first === null) return null;
  return (
    <div class="quicker" role="status" data-testid="quicker">
      <b>{t("quicker", { who: personName(first.who), at: timeOfDay(first.at) })}</b>
      <button
        type="button"
        class="act act-plain"
        onClick={() => {
          quicker.value = null;
        }}
      >
        {t("close")}
      </button>
    </div>
  );
}

function Calling(): JSX.Element | null {
  const row = calling.value[0];
  const alert = row?.alert;
  if (!row || !alert) return null;
  const evidence = bestEvidence(row);
  const quiet = mutedFor(alert);
  const urgent = alert.tier === "ACT" || alert.tier === "CRIT";
  return (
    <div class={urgent ? "banner banner-high" : "banner banner-medium"} data-testid="alert-banner">
      <p class="unseen" role="alert">
        {/* Without the ticking time: a screen reader says it once. */}
        {t("bannerTitle")} {siteName(row)} {firstWords(row)}
      </p>
      <a class="banner-text" href={`/case/${encodeURIComponent(row.case_id)}`}>
        <strong>
          {TIERS[alert.tier].shape} {t("bannerTitle")} <Since at={alert.opened_at} />
        </strong>{" "}
        {calling.value.length > 1 && <span>{t("bannerMore", { n: calling.value.length - 1 })} · </span>}
        <span>
          {siteName(row)} · {firstWords(row)}
        </span>
        {evidence && <span class="num wide-only"> · {evidenceLine(evidence)}</span>}
      </a>
      <div class="banner-acts">
        <button
          type="button"
          class="act act-quiet"
          disabled={quiet > 0}
          onClick={() => {
            muted.value = new Map(muted.value).set(callOf(alert), performance.now() + MUTE_MS);
            void silence(alert.alert_id);
          }}
        >
          {quiet > 0 ? t("silenced", { for: duration(quiet / 1000) }) : t("silence")}
        </button>
        {mayDecline(alert, me.value) && (
          <span class="wide-only">
            <Decline key={alert.alert_id} alert={alert} where="banner-" />
          </span>
        )}
        <Act
          name={`ack ${alert.alert_id}`}
          kind="strong"
          big
          testid="banner-ack"
          run={() => acknowledge(alert.alert_id)}
        >
          {t("ack")}
        </Act>
      </div>
    </div>
  );
}

const BLINK_MS = 1000;

/**
 * The count stands in the title for as long as somebody is called, and for what came while nobody looked; without either
 * what the page itself has to say. Nothing else writes the title.
 */
export function blinkTitle(): () => void {
  const usual = `${drillHere.value ? t("drillMark") : ""}${t("product")} · ${t("centre")}`;
  const called = calling.value;
  const [first] = called.length > 0 ? called : unlooked.value;
  const count = called.length > 0 ? called.length : unlooked.value.length;
  document.title = titleNote.value ?? usual;
  if (!first) return () => {};
  const words = called.length > 0 ? t("bannerTitle") : t("newReds");
  const urgent = `(${count}) ${words} ${siteName(first)}`;
  document.title = urgent;
  const timer = setInterval(() => {
    document.title = document.title === urgent ? `(${count}) ${usual}` : urgent;
  }, BLINK_MS);
  return () => {
    clearInterval(timer);
    document.title = usual;
  };
}
