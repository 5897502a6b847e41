/** Six numbers that a committee reads from the back of the room; beneath them all others of the edition. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { lang } from "../../state/prefs";
import {
  casesHref,
  hrefOf,
  judgedBy,
  minutes,
  percent,
  span,
  targetText,
  valueText,
  verdict,
} from "../../state/quality";
import { say } from "../../texts";
import { tq } from "../../textsQuality";
import type { Metric, Overview as Told } from "../../wireQuality";
import { Chart, type Plotted } from "./Chart";
import { asked, useQuality, Waiting } from "./shared";

export function Overview(): JSX.Element {
  const loaded = useQuality<Told>("overview");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  if (told.frame.cases === 0) return <p class="muted">{tq("noCases")}</p>;
  const first = told.metrics.filter((one) => one.first);
  const others = told.metrics.filter((one) => !one.first);
  return (
    <>
      <ul class="six" data-testid="six">
        {first.map((metric) => (
          <Six key={metric.id} metric={metric} />
        ))}
      </ul>
      {others.length > 0 && (
        <section class="card">
          <h3>{tq("allMetrics")}</h3>
          <ul class="metric-list">
            {others.map((metric) => (
              <Line key={metric.id} metric={metric} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

const SHAPES = { met: "✓", missed: "▲", none: "·", unknown: "—" } as const;

function Verdict({ metric }: { metric: Metric }): JSX.Element {
  const said = verdict(metric, metric.without);
  return (
    <span class={said === "missed" ? "six-verdict late" : "six-verdict muted"}>
      <span aria-hidden="true">{SHAPES[said]}</span> {tq(`verdict_${said}`)}
    </span>
  );
}

function Six({ metric }: { metric: Metric }): JSX.Element {
  const plot = useMemo(() => plotOf(metric), [metric, lang.value]);
  const isShare = metric.statistic === "share";
  return (
    <li class="card six-one" data-testid={`metric-${metric.id}`}>
      <h3>
        {say(metric)} <span class="muted metric-label">{metric.label}</span>
      </h3>
      <p class="six-number">
        <a href={casesHref(asked.value, metric.id, "counted")} class="num" data-testid={`value-${metric.id}`}>
          {valueText(metric, metric.without)}
        </a>{" "}
        {!isShare && judgedBy(metric, metric.without) !== null && <span class="six-unit">{tq("min")}</span>}{" "}
        <span class="six-stat muted">{tq(metric.statistic)}</span>
      </p>
      <p class="six-target num">
        <Verdict metric={metric} /> {targetText(metric)}
      </p>
      <Facts metric={metric} />
      <Chart
        plot={plot}
        height={150}
        label={`${say(metric)} ${tq("trend")}: ${metric.trend.map((m) => `${m.month} ${m.value === null ? "—" : plot.write(m.value)}`).join(", ")}`}
      />
      <p class="six-more">
        <a href={hrefOf("groups", asked.value, { metric: metric.id })} data-testid={`groups-${metric.id}`}>
          {tq("byGroup")} ▸
        </a>
        <Definition metric={metric} />
      </p>
    </li>
  );
}

/** What else a committee asks of a number: the other statistic, how many are in it and who is not. */
export function Facts({ metric }: { metric: Metric }): JSX.Element {
  const { without, with_all } = metric;
  const to = (set: Parameters<typeof casesHref>[2]): string => casesHref(asked.value, metric.id, set);
  return (
    <ul class="six-facts num">
      {metric.statistic !== "share" && (
        <li>
          {metric.statistic === "mean"
            ? `${tq("median")} ${minutes(without.median_min)}`
            : `${tq("mean")} ${minutes(without.mean_min)}`}{" "}
          · {tq("iqr")} {span(without.q1_min, without.q3_min, minutes)}
        </li>
      )}
      {without.share !== null && (
        <li>
          {metric.statistic !== "share" && `${tq("shareMet")} ${percent(without.share)} `}
          <span class="muted">
            ({tq("interval95")} {span(without.share_low, without.share_high, percent)})
          </span>
        </li>
      )}
      <li>
        <a href={to("counted")}>{tq("countedCases", { n: without.n })}</a> ·{" "}
        <a href={to("missing")} data-testid={`missing-${metric.id}`}>
          {tq("missingCases", { n: metric.missing })}
        </a>
        {without.late !== null && without.late > 0 && (
          <>
            {" · "}
            <a href={to("late")} data-testid={`late-${metric.id}`}>
              {tq("set_late")} {without.late}
            </a>
          </>
        )}
      </li>
      <li>
        <a href={to("excluded")}>{tq("excludedCases", { n: metric.excluded })}</a>
        {metric.reasons.length > 0 && ` (${metric.reasons.map((one) => `${say(one)} ${one.n}`).join(", ")})`}
        {metric.excluded > 0 && ` · ${tq("withAll")} ${valueText(metric, with_all)}`}
      </li>
      {metric.negative > 0 && (
        <li>
          <a href={to("negative")}>▲ {tq("negativeCases", { n: metric.negative })}</a>
        </li>
      )}
      {metric.uncertain > 0 && (
        <li>
          <a href={to("uncertain")}>{tq("uncertainCases", { n: metric.uncertain })}</a>
        </li>
      )}
      {metric.possibly > 0 && (
        <li>
          <a href={to("possibly")}>{tq("possiblyCases", { n: metric.possibly })}</a>
        </li>
      )}
      {metric.half_width_min !== null && metric.half_width_min >= 0.05 && (
        <li class="muted">{tq("halfWidth", { n: minutes(metric.half_width_min) })}</li>
      )}
    </ul>
  );
}

/** Which two times, in which edition: the same label has other ends elsewhere. */
export function Definition({ metric }: { metric: Metric }): JSX.Element {
  return (
    <span class="muted definition">
      {metric.from && metric.to && `${tq("definition", { from: say(metric.from), to: say(metric.to) })} · `}
      {tq("source", { source: metric.source, mark: metric.mark })}
    </span>
  );
}

function Line({ metric }: { metric: Metric }): JSX.Element {
  return (
    <li data-testid={`metric-${metric.id}`}>
      <details>
        <summary>
          <span class="metric-name">
            {say(metric)} <span class="muted metric-label">{metric.label}</span>
          </span>
          <b class="num metric-value">
            {valueText(metric, metric.without)}
            {metric.statistic !== "share" && judgedBy(metric, metric.without) !== null && ` ${tq("min")}`}
          </b>
          <span class="muted num metric-target">{targetText(metric)}</span>
          <Verdict metric={metric} />
        </summary>
        <Facts metric={metric} />
        <p>
          <a href={hrefOf("groups", asked.value, { metric: metric.id })}>{tq("byGroup")} ▸</a>{" "}
          <Definition metric={metric} />
        </p>
      </details>
    </li>
  );
}

export function plotOf(metric: Metric): Plotted {
  const isShare = metric.statistic === "share";
  const at = isShare ? metric.target_share : metric.target_min;
  return {
    labels: metric.trend.map((one) => one.month),
    values: metric.trend.map((one) => one.value),
    counts: metric.trend.map((one) => one.n),
    write: isShare ? (value) => percent(value) : (value) => minutes(value),
    target: at === null ? null : { at, good: isShare ? "above" : "below" },
  };
}
