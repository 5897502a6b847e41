/** Which study is read next? In the order of the service, each with its clock. */
import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ImageClockView } from "../../parts/ImageClock";
import { useLoaded } from "../../parts/load";
import { nowMs } from "../../state/clock";
import { dateTime, personName, placeName } from "../../state/format";
import { imagesChanged } from "../../state/live";
import { acted } from "../../state/reading";
import { studyWords } from "../../state/studyWords";
import "../../styles/image.css";
import { say, t } from "../../texts";
import { type ImageText, ti } from "../../textsImage";
import type { Worklist, WorklistRow } from "../../wireImage";
import { Cards } from "./Detectors";
import { Orders } from "./Orders";

/** The line says when something has changed; the clocks run here, and this is for a line that is cut. */
const AGAIN_MS = 60_000;

export function ImagingPage(): JSX.Element {
  const [state, setState] = useState<"open" | "reported">("open");
  const turn = useComputed(() => Math.floor((nowMs.value ?? 0) / AGAIN_MS)).value;
  const { value, problem } = useLoaded<Worklist>(
    `/imaging/worklist?state=${state}`,
    `${turn} ${acted.value} ${imagesChanged.value}`,
  );
  return (
    <main class="page" data-testid="imaging-page">
      <p class="acts list-switch">
        {(["open", "reported"] as const).map((one) => (
          <button
            key={one}
            type="button"
            class="act act-plain"
            aria-pressed={state === one}
            data-testid={`imaging-${one}`}
            onClick={() => setState(one)}
          >
            {ti(one === "open" ? "listOpen" : "listReported")}
          </button>
        ))}
      </p>
      {problem && <p class="trouble">{problem.words}</p>}
      {value && value.studies.length === 0 && <p class="empty">{ti("listNone")}</p>}
      <ol class="worklist">
        {value?.studies.map((row) => (
          <Line key={row.study.study_uid} row={row} />
        ))}
      </ol>
      {value && value.total > value.studies.length && (
        <p class="muted">{ti("listMore", { n: value.total, shown: value.studies.length })}</p>
      )}
      <Orders />
      <Cards />
    </main>
  );
}

function Line({ row }: { row: WorklistRow }): JSX.Element {
  const { study, reading } = row;
  const raised = row.detected.find((one) => one.raised === true && one.status === "enabled");
  return (
    <li
      class={row.band === "upper" ? "card work upper" : "card work"}
      data-testid={`work-${study.study_uid}`}
    >
      <a href={`/study/${encodeURIComponent(study.study_uid)}`}>
        <span class="work-clock">
          <ImageClockView reading={reading} />
        </span>
        <span>
          <b>{study.modalities.join(" ") || t("unknown")}</b> {studyWords(study)}
          {(reading.stat_by || study.priority === "STAT") && <b class="late"> ▲ STAT</b>}
          {row.critical_indications.map((one) => (
            <span key={one.zh} class="indication">
              {" "}
              ▲ {say(one)}
            </span>
          ))}
          <br />
          <span class="muted num">
            {row.site ? placeName(row.site) : t("unknown")} ·{" "}
            {ti("received", { at: dateTime(study.received_at) })}
            {study.complete === false &&
              ` · ${t("imagesPartial", { n: study.instances, all: study.expected ?? t("unknown") })}`}
          </span>
          {raised && (
            <>
              <br />
              <span class="unvalidated" data-testid="unvalidated">
                ! {say(raised.banner)}
              </span>
            </>
          )}
          {row.why && (
            <>
              <br />
              <span class="muted">{say(row.why)}</span>
            </>
          )}
        </span>
        <span class="work-state">
          {ti(`state_${reading.state}` as ImageText)}
          {reading.claimed_by && reading.signed_at === null && ` · ${personName(reading.claimed_by)}`}
          {reading.untold.length > 0 && (
            <b class="critical-word" data-testid="work-untold">
              <br />■ {ti("criticalUntold")}
            </b>
          )}
        </span>
      </a>
    </li>
  );
}
