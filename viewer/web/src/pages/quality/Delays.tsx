/** Where time is lost: the way as a waterfall against the best quarter, the ranking with its doubt, and why it changed. */
import type { JSX } from "preact";
import { hrefOf, minutes, percent, change as plus, span } from "../../state/quality";
import { say } from "../../texts";
import { type QualityText, tq } from "../../textsQuality";
import type { Change, ChangePart, Segment, Waterfall } from "../../wireQuality";
import { asked, CaseLinks, earlier, useQuality, Waiting } from "./shared";

export function Delays(): JSX.Element {
  const loaded = useQuality<Waterfall>("delays");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  if (told.n === 0) return <p class="muted">{tq("noCases")}</p>;
  return (
    <>
      <Ranking told={told} />
      <Way told={told} />
      <WhySlower told={told} />
    </>
  );
}

const MOST_RANKED = 5;

function Ranking({ told }: { told: Waterfall }): JSX.Element {
  const ranked = told.ranking;
  return (
    <section class="card">
      <h3>{tq("ranking")}</h3>
      <p class="muted">{tq("rankingHow")}</p>
      {told.chance !== null && <p class="muted num">{tq("rankingChance", { p: percent(told.chance) })}</p>}
      {ranked.length === 0 && <p>{tq("noBest")}</p>}
      <ol class="ranking" data-testid="ranking">
        {ranked.slice(0, MOST_RANKED).map((segment, index) => (
          <li key={segment.id} data-testid={`rank-${index + 1}`}>
            <b class="rank-place num">{index + 1}</b>
            <span class="rank-name">{say(segment)}</span>
            <b class="rank-excess num">
              {plus(segment.excess_min)} {tq("min")}
            </b>
            <span class="rank-doubt num muted">
              {span(segment.excess_low_min, segment.excess_high_min, plus)}
              {segment.first_probability !== null &&
                ` · ${tq("firstSure", { p: percent(segment.first_probability) })}`}
              {segment.slow_probability !== null &&
                ` · ${tq("slowSure", { p: percent(segment.slow_probability) })}`}
              {` · ${tq((segment.excess_low_min ?? 0) > 0 ? "sure" : "unsure")}`}
            </span>
            {segment.explained.length > 0 && (
              <span class="rank-where">{tq("slowIn", { what: segment.explained.map(say).join(", ") })}</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Way({ told }: { told: Waterfall }): JSX.Element {
  const way = told.segments.filter((one) => one.on_the_way);
  const beside = told.segments.filter((one) => !one.on_the_way);
  const longest = Math.max(
    told.whole_min ?? 0,
    way.reduce((sum, one) => sum + (one.median_min ?? 0), 0),
    1,
  );
  let reached = 0;
  return (
    <section class="card">
      <h3>{tq("waterfall")}</h3>
      <nav class="acts sets" aria-label={tq("by")}>
        {told.modes.map((one) => (
          <a
            key={one.id}
            class="switch num"
            href={hrefOf("delays", asked.value, { mode: one.id })}
            data-testid={`mode-${one.id}`}
            aria-current={String(told.mode) === one.id ? "page" : undefined}
          >
            {say(one)} {one.n}
          </a>
        ))}
      </nav>
      <p class="num">
        <b>{tq("wholeWay", { n: minutes(told.whole_min), cases: told.n })}</b>{" "}
        <span class="muted">
          {told.best ? tq("waterfallHow", { best: told.best, n: told.best_n }) : tq("noBest")}
        </span>
      </p>
      <div class="wide-table">
        <table class="plain waterfall num" data-testid="waterfall">
          <thead>
            <tr>
              <th scope="col">{tq("segment")}</th>
              <td class="bar-cell" />
              <th scope="col">
                {tq("median")} ({tq("min")})
              </th>
              <th scope="col">{tq("shareOfWay")}</th>
              <th scope="col">{tq("bestQuarter")}</th>
              <th scope="col">{tq("excess")}</th>
              <th scope="col">{tq("n")}</th>
              <th scope="col">{tq("missing")}</th>
            </tr>
          </thead>
          <tbody>
            {way.map((segment) => {
              const start = reached;
              reached += segment.median_min ?? 0;
              return <Row key={segment.id} segment={segment} start={start} longest={longest} />;
            })}
            {beside.map((segment) => (
              <Row key={segment.id} segment={segment} start={0} longest={longest} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  segment: Segment;
  start: number;
  longest: number;
}

function Row({ segment, start, longest }: RowProps): JSX.Element {
  const at = (value: number): string => `${(100 * Math.min(longest, Math.max(0, value))) / longest}%`;
  const { median_min: median, low_min: low, high_min: high, best_min: best } = segment;
  return (
    <tr class={segment.on_the_way ? "" : "aside"} data-testid={`segment-${segment.id}`}>
      <th scope="row">
        {say(segment)}
        {!segment.on_the_way && <span class="muted"> ({tq("besides")})</span>}
      </th>
      <td class="bar-cell" aria-hidden="true">
        <span class="bar-track">
          {median !== null && <span class="bar" style={{ left: at(start), width: at(median) }} />}
          {low !== null && high !== null && (
            <span class="bar-doubt" style={{ left: at(start + low), width: at(high - low) }} />
          )}
          {best !== null && (
            <span class="bar-best" style={{ left: at(start + best) }}>
              ◆
            </span>
          )}
        </span>
      </td>
      <td>
        <b>{minutes(median)}</b> <span class="muted">{span(low, high, minutes)}</span>
      </td>
      <td>{segment.share === null ? "" : percent(segment.share)}</td>
      <td>{best === null ? "—" : minutes(best)}</td>
      <td>{segment.excess_min === null ? "—" : plus(segment.excess_min)}</td>
      <td>
        <CaseLinks ids={segment.case_ids}>{segment.n}</CaseLinks>
      </td>
      <td>{segment.missing}</td>
    </tr>
  );
}

function WhySlower({ told }: { told: Waterfall }): JSX.Element {
  const { view } = told.frame;
  const now = asked.value;
  return (
    <section class="card">
      <h3>{tq("whySlower")}</h3>
      <p class="acts">
        <span class="muted">{tq("compareWith")}</span>
        {([false, true] as const).map((years) => {
          const against = earlier(view, years);
          const here = now.against_from === against.against_from && now.against_to === against.against_to;
          return (
            <a
              key={String(years)}
              class="act act-plain"
              href={hrefOf("delays", now, { from: view.from_month, to: view.to_month, ...against })}
              data-testid={years ? "against-year" : "against-before"}
              aria-current={here ? "true" : undefined}
            >
              {tq(years ? "compareYear" : "comparePrevious")} ({against.against_from}–{against.against_to})
            </a>
          );
        })}
      </p>
      {told.change && <Changed told={told.change} />}
    </section>
  );
}

function Changed({ told }: { told: Change }): JSX.Element {
  if (told.change_min === null) return <p data-testid="why-slower">{tq("changeNone")}</p>;
  return (
    <div data-testid="why-slower">
      <p class="why-said num">
        {tq("changeSaid", {
          before: minutes(told.before_min),
          now: minutes(told.now_min),
          change: plus(told.change_min),
        })}{" "}
        <span class="muted">{span(told.low_min, told.high_min, plus)}</span>
      </p>
      {told.rest_min !== null && <p class="muted num">{tq("changeRest", { n: plus(told.rest_min) })}</p>}
      {(["segment", "mix", "beside"] as const).map((kind) => (
        <Parts key={kind} kind={kind} parts={told.parts.filter((one) => one.kind === kind)} />
      ))}
    </div>
  );
}

function Parts({ kind, parts }: { kind: ChangePart["kind"]; parts: ChangePart[] }): JSX.Element | null {
  if (parts.length === 0) return null;
  const most = Math.max(...parts.map((one) => Math.abs(one.change_min ?? 0)), 0.1);
  return (
    <>
      <h4>{tq(`kind_${kind}` as QualityText)}</h4>
      <div class="wide-table">
        <table class="plain num">
          <thead>
            <tr>
              <th scope="col">{tq("part")}</th>
              <th scope="col">{tq("changeMin")}</th>
              <td class="bar-cell" />
              <th scope="col">{tq("casesTwo")}</th>
            </tr>
          </thead>
          <tbody>
            {parts.map((one) => (
              <tr key={one.id}>
                <th scope="row">{say(one)}</th>
                <td>
                  <b>{plus(one.change_min)}</b>{" "}
                  <span class="muted">{span(one.low_min, one.high_min, plus)}</span>
                </td>
                <td class="bar-cell" aria-hidden="true">
                  <span class="bar-track">
                    <span class="bar-middle" />
                    <span
                      class="bar"
                      style={{
                        left: `${50 + Math.min(0, (50 * (one.change_min ?? 0)) / most)}%`,
                        width: `${(50 * Math.abs(one.change_min ?? 0)) / most}%`,
                      }}
                    />
                  </span>
                </td>
                <td>
                  {one.n_before} / {one.n_now}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
