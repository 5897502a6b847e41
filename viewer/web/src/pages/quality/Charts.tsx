/** Control charts: those that say something first, each signal in words; how often chance alone would say so. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { lang } from "../../state/prefs";
import { minutes, percent } from "../../state/quality";
import { say } from "../../texts";
import { type QualityText, tq } from "../../textsQuality";
import type { ControlChart, ControlCharts } from "../../wireQuality";
import { Chart, type Plotted } from "./Chart";
import { useQuality, Waiting } from "./shared";

export function Charts(): JSX.Element {
  const loaded = useQuality<ControlCharts>("charts");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  if (told.charts.length === 0) return <p class="muted">{tq("chartsNone")}</p>;
  const loud = told.charts.filter((one) => one.signals.length > 0);
  const quiet = told.charts.filter((one) => one.signals.length === 0);
  return (
    <>
      <p class="num" role="status" data-testid="charts-signals">
        <b>{loud.length > 0 ? `▲ ${tq("chartsSignals", { n: loud.length })}` : tq("chartsQuiet")}</b>{" "}
        <span class="muted">
          {tq("chartsVain", {
            month: told.watch_month,
            charts: told.watched,
            points: told.points,
            n: minutes(told.vain),
          })}
        </span>
      </p>
      <ul class="charts">
        {loud.map((chart) => (
          <One key={chart.id} chart={chart} />
        ))}
      </ul>
      {quiet.length > 0 && (
        <details open={loud.length === 0} class="charts-quiet">
          <summary>
            {tq("chartsOthers")} ({quiet.length})
          </summary>
          <ul class="charts">
            {quiet.map((chart) => (
              <One key={chart.id} chart={chart} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function One({ chart }: { chart: ControlChart }): JSX.Element {
  const { unit, usual } = chart;
  const plot = useMemo<Plotted>(
    () => ({
      labels: chart.points.map((one) => one.at),
      values: chart.points.map((one) => one.value),
      signals: chart.points.map((one) => one.signal),
      write: (value) => minutes(value),
      centre: chart.centre,
      limits: [chart.lower, chart.upper],
    }),
    [chart, lang.value],
  );
  const said = chart.signals.map(say);
  return (
    <li class="card" data-testid={`chart-${chart.id}`}>
      <h3>
        {tq("chartFrame", { where: say(chart.where), name: say(chart) })}{" "}
        <span class="muted">
          {tq(`kind_${chart.kind}`)} · {tq(`unit_${unit}` as QualityText)}
        </span>
      </h3>
      {chart.signals.length > 0 && (
        <ul class="signals">
          {chart.signals.map((one) => (
            <li key={`${one.rule}${one.at}`}>
              <b>▲ {say(one)}</b>{" "}
              {one.case_ids.slice(0, 5).map((id, index) => (
                <a key={id} class="num" href={`/case/${encodeURIComponent(id)}`}>
                  {tq("caseN", { n: index + 1 })}{" "}
                </a>
              ))}
            </li>
          ))}
        </ul>
      )}
      <Chart plot={plot} label={[say(chart), ...said].join(" · ")} height={200} />
      <p class="muted num">
        {tq("chartUsual", {
          usual: usual === null ? "—" : chart.is_share ? percent(usual) : `${minutes(usual)} ${tq("min")}`,
          n: chart.baseline,
        })}{" "}
        {tq(unit === "min" ? "limitsMin" : "limitsSum", {
          lower: chart.lower === null ? "—" : minutes(chart.lower),
          upper: chart.upper === null ? "—" : minutes(chart.upper),
        })}
      </p>
    </li>
  );
}
