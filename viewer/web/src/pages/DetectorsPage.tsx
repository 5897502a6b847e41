/** May a detector be trusted to order studies here? What each said in silence, beside what the radiologist reported. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../parts/load";
import { dateTime, placeName } from "../state/format";
import { homeOf, may, me } from "../state/session";
import "../styles/image.css";
import { say, t } from "../texts";
import { td } from "../textsDetectors";
import { type ImageText, ti } from "../textsImage";
import type { SilentResult, SilentResults, SilentRuns } from "../wireImage";
import { Detectors } from "./image/Detectors";

const ASKED = { all: "", raised: "?raised=true", notRaised: "?raised=false" } as const;
type Asked = keyof typeof ASKED;

export function DetectorsPage(): JSX.Element {
  const role = me.value?.user.role;
  const [asked, setAsked] = useState<Asked>("all");
  const allowed = may("detectorResults", role);
  const runs = useLoaded<SilentRuns>(allowed ? "/admin/imaging/detectors" : null, 0);
  const { value, problem } = useLoaded<SilentResults>(
    allowed ? `/admin/imaging/detected${ASKED[asked]}` : null,
    0,
  );
  if (!allowed) {
    return (
      <main class="page">
        <p role="alert">{td("onlyThese")}</p>
      </main>
    );
  }
  return (
    <main class="page" data-testid="detectors-page">
      <nav class="crumbs">
        <a class="act act-link" href={role === "admin" ? "/admin" : homeOf(role)}>
          ◂ {t("back")}
        </a>
      </nav>
      <h2>{td("title")}</h2>
      <p class="muted">{td("intro")}</p>
      {runs.value && <Counts runs={runs.value} />}
      <p class="acts list-switch">
        {(Object.keys(ASKED) as Asked[]).map((one) => (
          <button
            key={one}
            type="button"
            class="act act-plain"
            aria-pressed={asked === one}
            data-testid={`silent-${one}`}
            onClick={() => setAsked(one)}
          >
            {td(one)}
          </button>
        ))}
      </p>
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {value?.results.length === 0 && <p class="empty">{td("none")}</p>}
      {value && value.results.length === value.most && <p class="muted">{td("listed", { n: value.most })}</p>}
      <ol class="worklist">
        {value?.results.map((one) => (
          <Result key={`${one.study_uid} ${one.detected.plugin}`} one={one} />
        ))}
      </ol>
    </main>
  );
}

function Counts({ runs }: { runs: SilentRuns }): JSX.Element {
  return (
    <details class="card" open data-testid="silent-counts">
      <summary>
        <b>{td("counts")}</b>
      </summary>
      <ul>
        {runs.runs.map((one) => (
          <li key={`${one.site} ${one.detector}`}>
            <b>{say(one.site_name)}</b> {say(one.title)} <span class="num">{one.version}</span> ·{" "}
            {ti(`status_${one.status}` as ImageText)} ·{" "}
            <span class="num">
              {td("countsOf", {
                looked: one.looked,
                raised: one.raised,
                not: Object.values(one.not_analysed).reduce((sum, n) => sum + n, 0),
                need: runs.silent_studies,
              })}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Result({ one }: { one: SilentResult }): JSX.Element {
  return (
    <li class="card silent-result" data-testid={`silent-${one.study_uid}`}>
      <p class="muted num">
        {one.site ? placeName(one.site) : t("unknown")} · {dateTime(one.wanted_at)}
        <br />
        <span class="long-id">{one.study_uid}</span>
      </p>
      <Detectors detected={[one.detected]} />
      <div data-testid="silent-reported">
        <b>{td(one.signed.length === 0 ? "notReported" : "reported")}</b>
        {one.signed.map((text) => (
          <p key={text.at}>
            {text.critical.length > 0 ? (
              <b class="late">■ {text.critical.map(say).join(" · ")}</b>
            ) : (
              <span class="muted">{td("noCritical")}</span>
            )}{" "}
            {text.impression ?? <span class="muted">{td("wordsNotYours")}</span>}{" "}
            <span class="muted num">{dateTime(text.at)}</span>
          </p>
        ))}
      </div>
    </li>
  );
}
