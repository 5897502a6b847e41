/** The page rings for studies: reports that are due, and critical results that nobody was told. */
import { computed, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { patientLine, placeName } from "../state/format";
import {
  type ImageCalls as Calls,
  imageCalls,
  isUntold,
  putAway,
  ringingCalls,
  ringsToTell,
  untoldOf,
} from "../state/imageCalls";
import { imagesChanged, line, rowSignal, tellStudy } from "../state/live";
import { acted } from "../state/reading";
import { route } from "../state/route";
import { may, me } from "../state/session";
import { ring } from "../state/sound";
import { say, t } from "../texts";
import { useLoaded } from "./load";

/** The line says when something has changed; this is for a line that is cut. */
const AGAIN_MS = 60_000;

const lookedAt = (): string | null => (route.value.page === "study" ? route.value.id : null);
const ringing = computed(() =>
  ringingCalls(imageCalls.value, putAway.value, me.value?.user.role, lookedAt()),
);
const loud = computed(() => ringing.value.length > 0);
const pathOf = (uid: string): string => `/study/${encodeURIComponent(uid)}`;

/** A page behind another shows nothing to anybody: what it says of a study waits until somebody looks. */
function tellRings(): void {
  const looked = document.visibilityState === "visible" ? lookedAt() : null;
  for (const { type, ring } of ringsToTell(imageCalls.value, looked)) tellStudy(type, ring);
}

export function ImageCalls(): JSX.Element | null {
  const turn = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => {
      turn.value += 1;
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [turn]);
  const path = may("imageReport", me.value?.user.role) ? "/imaging/calls" : null;
  const { value } = useLoaded<Calls>(path, `${turn.value} ${acted.value} ${imagesChanged.value}`);
  useEffect(() => {
    imageCalls.value = value;
  }, [value]);
  useSignalEffect(() => {
    if (line.value.open) tellRings();
  });
  useEffect(() => {
    document.addEventListener("visibilitychange", tellRings);
    return () => document.removeEventListener("visibilitychange", tellRings);
  }, []);
  useSignalEffect(() => (loud.value ? ring("high") : undefined));
  const [first, ...others] = ringing.value;
  if (!first) return null;
  return (
    <div class="banner banner-high banner-row" data-testid="image-call">
      <p class="unseen" role="alert">
        {t(isUntold(first) ? "imageCallUntold" : "imageCallDue")} {first.site ? placeName(first.site) : ""}
      </p>
      <a class="banner-text" href={pathOf(first.study_uid)}>
        <strong>
          ■ {t(isUntold(first) ? "imageCallUntold" : "imageCallDue")}
          {isUntold(first) && `: ${first.critical.map(say).join(" · ")}`}
        </strong>{" "}
        {others.length > 0 && <span>{t("bannerMore", { n: others.length })} · </span>}
        <span>{first.site ? placeName(first.site) : t("unknown")}</span>
      </a>
      <div class="banner-acts">
        <button
          type="button"
          class="act act-quiet"
          data-testid="image-call-away"
          onClick={() => {
            putAway.value = new Set([...putAway.value, first.key]);
          }}
        >
          {t("imageCallAway")}
        </button>
      </div>
    </div>
  );
}

/** On the row of a case: what was found in its images, and nobody has said back. */
export function UntoldWord({ caseId }: { caseId: string }): JSX.Element | null {
  const text = useComputed(() =>
    untoldOf(imageCalls.value, caseId)
      .flatMap((one) => one.critical.map(say))
      .join(" · "),
  ).value;
  if (text === "") return null;
  return (
    <b class="late" data-testid="row-untold">
      ■ {t("imageCallUntold")}: {text}
    </b>
  );
}

/** On top of the clinic's page until somebody has said it back, whatever was put away. */
export function UntoldResults(): JSX.Element | null {
  const untold = imageCalls.value?.untold ?? [];
  if (untold.length === 0) return null;
  return (
    <div class="nobody" role="alert" data-testid="clinic-untold">
      <h2>■ {t("imageCallUntold")}</h2>
      <ul>
        {untold.map((one) => (
          <li key={one.study_uid}>
            <a href={one.case_id ? `/case/${encodeURIComponent(one.case_id)}` : pathOf(one.study_uid)}>
              <b>{one.critical.map(say).join(" · ")}</b> <Patient caseId={one.case_id} />{" "}
              {one.site ? placeName(one.site) : ""} ▸
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Patient({ caseId }: { caseId: string | null }): JSX.Element | null {
  const row = caseId === null ? undefined : rowSignal(caseId).value;
  return row ? <span class="num">{patientLine(row)}</span> : null;
}
