/** What goes to the meeting: the monthly report, and the files. */
import type { JSX } from "preact";
import { lang } from "../../state/prefs";
import { exportScope } from "../../state/quality";
import { tq } from "../../textsQuality";
import type { Overview } from "../../wireQuality";
import { useQuality, Waiting } from "./shared";

const FILES = [
  ["cases", ["xlsx", "csv"]],
  ["metrics", ["xlsx", "csv"]],
  ["national-form", ["xlsx", "csv", "xml", "json"]],
  ["research", ["zip", "xlsx", "csv", "json"]],
] as const;
const WORDS = {
  cases: ["export_cases", "export_casesIs"],
  metrics: ["export_metrics", "export_metricsIs"],
  "national-form": ["export_form", "export_formIs"],
  research: ["export_research", "export_researchIs"],
} as const;
const MOST_MONTHS = 12;

export function Report(): JSX.Element {
  const loaded = useQuality<Overview>("overview");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  const { view, months } = told.frame;
  const { query: scope, wider } = exportScope(view);
  const query = { standard: view.standard, ...scope, lang: lang.value };
  return (
    <>
      <section class="card">
        <h3>{tq("report")}</h3>
        <p class="muted">{tq("reportHow")}</p>
        <ul class="reports">
          {months
            .slice(-MOST_MONTHS)
            .reverse()
            .map((month) => (
              <li key={month}>
                <a
                  class="act act-plain"
                  href={`/api/v1/export/monthly-report?${new URLSearchParams({ standard: view.standard, month, format: "pdf", lang: lang.value })}`}
                  data-testid={`report-${month}`}
                  download
                >
                  {tq("reportMonth", { month })}
                </a>
              </li>
            ))}
        </ul>
      </section>
      <section class="card">
        <h3>{tq("export")}</h3>
        <p class="muted">{tq("exportNote")}</p>
        {wider && <p data-testid="export-wider">▲ {tq("exportWider")}</p>}
        <ul class="exports">
          {FILES.map(([name, formats]) => (
            <li key={name}>
              <span>
                <b>{tq(WORDS[name][0])}</b> <span class="muted">{tq(WORDS[name][1])}</span>
              </span>
              <span class="acts">
                {formats.map((format) => (
                  <a
                    key={format}
                    class="act act-plain"
                    href={`/api/v1/export/${name}?${new URLSearchParams({ ...query, ...(name === "metrics" && { by: view.by }), format })}`}
                    data-testid={`export-${name}-${format}`}
                    download
                  >
                    {format.toUpperCase()}
                  </a>
                ))}
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
