/** Is a drill under way, and who starts or ends one? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act, Section } from "../parts/bits";
import { useLoaded } from "../parts/load";
import { attempt } from "../state/acts";
import { post } from "../state/api";
import { nowMs } from "../state/clock";
import { runningDrills } from "../state/drill";
import { hourMinute, placeName, span } from "../state/format";
import { lang } from "../state/prefs";
import "../styles/admin.css";
import { td } from "../textsDrillPage";
import type { Row, Site } from "../wire";

interface Drills {
  may_start: boolean;
  drills: { case_id: string; site: Site; started_at: string; started_by: string | null; ends_at: string }[];
  sites: { id: string; name_zh: string; name_en: string }[];
  scenarios: { name: string; zh: string; en: string }[];
  default_min: number;
  least_min: number;
  most_min: number;
}

export function DrillPage(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const stamp = `${changes} ${runningDrills.value.map((row) => row.case_id).join()}`;
  const { value, problem } = useLoaded<Drills>("/drills", stamp);
  const changed = (): void => setChanges((count) => count + 1);
  return (
    <main class="page admin" data-testid="drill-page">
      <h2>{td("title")}</h2>
      <p class="muted">{td("intro")}</p>
      {problem && <p class="trouble">{problem.words}</p>}
      <Section title={td("running")}>
        {value?.drills.length === 0 && <p class="muted">{td("none")}</p>}
        <ul class="admin-list">
          {value?.drills.map((one) => (
            <li key={one.case_id} class="drill-one" data-testid={`drill-${one.case_id}`}>
              <p>
                <b>{placeName(one.site)}</b>{" "}
                <span class="muted num">
                  {td("by", { who: one.started_by ?? "–", at: hourMinute(one.started_at) })} ·{" "}
                  {td("until", { at: hourMinute(one.ends_at), left: left(one.ends_at) })}
                </span>
              </p>
              <p class="acts">
                <a class="act act-plain" href={`/case/${encodeURIComponent(one.case_id)}`}>
                  {td("open")}
                </a>
                {value.may_start && (
                  <Act
                    name={`drill ${one.case_id}`}
                    kind="strong"
                    testid="drill-end"
                    run={async () => {
                      const path = `/drills/${encodeURIComponent(one.case_id)}/end`;
                      if (await attempt(`drill ${one.case_id}`, () => post<{ case: Row }>(path))) changed();
                    }}
                  >
                    {td("end")}
                  </Act>
                )}
              </p>
            </li>
          ))}
        </ul>
      </Section>
      {value && (
        <Section title={td("start")}>
          {value.may_start ? <Start drills={value} changed={changed} /> : <p>{td("mayNot")}</p>}
        </Section>
      )}
    </main>
  );
}

const left = (at: string): string =>
  nowMs.value === null ? "–" : span((Date.parse(at) - nowMs.value) / 1000);

function Start({ drills, changed }: { drills: Drills; changed: () => void }): JSX.Element {
  const [site, setSite] = useState("");
  const [scenario, setScenario] = useState(drills.scenarios[0]?.name ?? "");
  const [minutes, setMinutes] = useState(String(drills.default_min));
  const [sure, setSure] = useState(false);
  const length = Number(minutes);
  const ready = site !== "" && length >= drills.least_min && length <= drills.most_min;
  const send = async (): Promise<void> => {
    if (!sure) {
      setSure(true);
      return;
    }
    setSure(false);
    const body = { site, scenario, minutes: length };
    if (await attempt("drill", () => post<{ case: Row }>("/drills", body))) changed();
  };
  return (
    <form class="form admin-form" onSubmit={(event) => event.preventDefault()}>
      <label>
        {td("site")}
        <select
          value={site}
          data-testid="drill-site"
          onChange={(event) => setSite(event.currentTarget.value)}
        >
          <option value="" />
          {drills.sites.map((one) => (
            <option key={one.id} value={one.id}>
              {lang.value === "zh" ? one.name_zh : one.name_en}
            </option>
          ))}
        </select>
      </label>
      <label>
        {td("scenario")}
        <select value={scenario} onChange={(event) => setScenario(event.currentTarget.value)}>
          {drills.scenarios.map((one) => (
            <option key={one.name} value={one.name}>
              {one[lang.value]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {td("minutes", { least: drills.least_min, most: drills.most_min })}
        <input
          inputMode="numeric"
          value={minutes}
          data-testid="drill-minutes"
          onInput={(event) => setMinutes(event.currentTarget.value)}
        />
      </label>
      <p class="acts">
        <Act
          name="drill"
          kind={sure ? "amber" : "strong"}
          testid="drill-start"
          disabled={!ready}
          run={() => void send()}
        >
          {td(sure ? "startSure" : "start")}
        </Act>
        <span class="muted">{td("tell")}</span>
      </p>
    </form>
  );
}
