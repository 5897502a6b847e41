/** The cases behind a number, the slowest first: each opens its times, their sources and what was corrected. */
import type { JSX } from "preact";
import { dateTime } from "../../state/format";
import { casesHref, hrefOf, minutes, targetText } from "../../state/quality";
import { say } from "../../texts";
import { tq } from "../../textsQuality";
import type { CaseLine, CaseSet, QualityCases } from "../../wireQuality";
import { Definition, Facts } from "./Overview";
import { asked, useQuality, Waiting } from "./shared";

const SETS: readonly CaseSet[] = [
  "counted",
  "met",
  "late",
  "possibly",
  "uncertain",
  "missing",
  "negative",
  "excluded",
];
const SHAPES: Record<CaseSet, string> = {
  counted: "",
  met: "✓",
  late: "▲",
  possibly: "≈",
  uncertain: "±",
  missing: "—",
  excluded: "○",
  negative: "↶",
};

export function Cases(): JSX.Element {
  const loaded = useQuality<QualityCases>("cases");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  const { metric } = told;
  return (
    <section class="card">
      {metric && (
        <>
          <h3 class="groups-title">
            {say(metric)} <span class="muted num">{targetText(metric)}</span>
          </h3>
          <Facts metric={metric} />
          <nav class="acts sets" aria-label={tq("part_cases")}>
            {SETS.map((one) => (
              <a
                key={one}
                class="switch"
                href={casesHref(asked.value, metric.id, one)}
                data-testid={`set-${one}`}
                aria-current={told.set === one ? "page" : undefined}
              >
                {SHAPES[one]} {tq(`set_${one}`)}
              </a>
            ))}
          </nav>
        </>
      )}
      <p class="num" data-testid="cases-total">
        <b>{tq("casesTotal", { n: told.total })}</b>{" "}
        {told.cases.length < told.total && tq("casesShown", { n: told.cases.length })}
      </p>
      <ul class="case-lines">
        {told.cases.map((one) => (
          <Line key={one.case_id} line={one} />
        ))}
      </ul>
      {metric && (
        <p>
          <Definition metric={metric} />
        </p>
      )}
    </section>
  );
}

function Line({ line }: { line: CaseLine }): JSX.Element {
  return (
    <li data-testid="case-line">
      <b class={line.set === "late" || line.set === "negative" ? "late num" : "num"}>
        <span aria-hidden="true">{SHAPES[line.set]}</span>{" "}
        {line.minutes === null ? tq(`set_${line.set}`) : `${minutes(line.minutes)} ${tq("min")}`}
        {line.uncertainty_min !== null && line.uncertainty_min >= 0.05 && (
          <span class="muted"> ±{minutes(line.uncertainty_min)}</span>
        )}
      </b>
      <span class="num">
        {dateTime(line.opened_at).slice(0, 16)} · {say(line.site)}
        {line.arrival_mode !== null && ` · ${tq("mode", { n: line.arrival_mode })}`}
      </span>
      <span class="muted">
        {line.lacks.length > 0 && `${tq("lacks", { what: line.lacks.map(say).join(", ") })} `}
        {line.reasons.length > 0 && `${tq("why", { what: line.reasons.map(say).join(", ") })} `}
        {line.corrected && `✎ ${tq("corrected")}`}
      </span>
      <span class="case-links">
        <a href={`/case/${encodeURIComponent(line.case_id)}`} data-testid="case-open">
          {tq("openCase")} ▸
        </a>
        <a href={formHref(line.case_id)} data-testid="form-open">
          {tq("openForm")} ▸
        </a>
      </span>
    </li>
  );
}

/** Of one case; the view goes along, so that one comes back to it. */
export const formHref = (id: string): string =>
  hrefOf("gaps", asked.value).replace("/quality/gaps", `/quality/form/${encodeURIComponent(id)}`);
