/** One number, group by group, against the network; each leads to its cases. */
import type { JSX } from "preact";
import {
  casesHref,
  hrefOf,
  judgedBy,
  percent,
  span,
  targetText,
  valueText,
  verdict,
} from "../../state/quality";
import { go } from "../../state/route";
import { say } from "../../texts";
import { type QualityText, tq } from "../../textsQuality";
import type { GroupRow, Metric, Groups as Told } from "../../wireQuality";
import { Definition } from "./Overview";
import { asked, useQuality, Waiting } from "./shared";

const ORDERS = ["n", "value", "share", "missing"] as const;
type Order = (typeof ORDERS)[number];
/** Below so many cases a number is of little weight, and is said so. */
const FEW = 10;

export function Groups(): JSX.Element {
  const loaded = useQuality<Told & { metrics?: never }>("groups");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  const chosen = ORDERS.find((one) => one === asked.value.sort) ?? "n";
  const rows = inOrder(told.rows, told.metric, chosen);
  const network = told.metric.without;
  const longest = Math.max(
    ...rows.map((row) => judgedBy(told.metric, row.number) ?? 0),
    judgedBy(told.metric, network) ?? 0,
    0.001,
  );
  const middle = judgedBy(told.metric, network);
  return (
    <section class="card">
      <h3 class="groups-title">
        {say(told.metric)} <span class="muted num">{targetText(told.metric)}</span>
      </h3>
      <p>
        <Definition metric={told.metric} />
      </p>
      <label class="groups-order">
        {tq("sort")}
        <select
          value={chosen}
          data-testid="groups-sort"
          onChange={(event) =>
            go(hrefOf("groups", asked.value, { metric: told.metric.id, sort: event.currentTarget.value }))
          }
        >
          {ORDERS.map((one) => (
            <option key={one} value={one}>
              {tq(`sort_${one}`)}
            </option>
          ))}
        </select>
      </label>
      <div class="wide-table">
        <table class="plain num groups-table" data-testid="groups">
          <thead>
            <tr>
              <th scope="col">{tq("name")}</th>
              <th scope="col">{tq(told.metric.statistic as QualityText)}</th>
              <td class="bar-cell" />
              <th scope="col">{tq("shareMet")}</th>
              <th scope="col">{tq("n")}</th>
              <th scope="col">{tq("missing")}</th>
              <th scope="col">{tq("excluded")}</th>
            </tr>
          </thead>
          <tbody>
            <tr class="network">
              <th scope="row">{tq("network")}</th>
              <Cells
                metric={told.metric}
                row={{ ...told.metric, number: network }}
                longest={longest}
                middle={middle}
              />
            </tr>
            {rows.map((row) => (
              <tr key={row.id} data-testid={`group-${row.id}`}>
                <th scope="row">{say(row)}</th>
                <Cells metric={told.metric} row={row} group={row.id} longest={longest} middle={middle} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface CellsProps {
  metric: Metric;
  row: GroupRow;
  group?: string;
  longest: number;
  middle: number | null;
}

function Cells({ metric, row, group, longest, middle }: CellsProps): JSX.Element {
  const { number } = row;
  const value = judgedBy(metric, number);
  const to = (set: Parameters<typeof casesHref>[2]): string =>
    casesHref(asked.value, metric.id, set, group === undefined ? { group: "" } : { group });
  const missed = verdict(metric, number) === "missed";
  return (
    <>
      <td>
        <b>{valueText(metric, number)}</b> {missed && <span class="late">▲ {tq("verdict_missed")}</span>}
        {number.n > 0 && number.n < FEW && <span class="muted few"> {tq("fewCases")}</span>}
      </td>
      <td class="bar-cell" aria-hidden="true">
        <span class="bar-track">
          {value !== null && (
            <span class="bar" style={{ left: "0%", width: `${(100 * value) / longest}%` }} />
          )}
          {middle !== null && <span class="bar-line" style={{ left: `${(100 * middle) / longest}%` }} />}
        </span>
      </td>
      <td>
        {number.share === null ? "" : percent(number.share)}{" "}
        <span class="muted">{span(number.share_low, number.share_high, percent)}</span>
      </td>
      <td>
        <a href={to("counted")}>{number.n}</a>
      </td>
      <td>{row.missing > 0 ? <a href={to("missing")}>{row.missing}</a> : 0}</td>
      <td>{row.excluded > 0 ? <a href={to("excluded")}>{row.excluded}</a> : 0}</td>
    </>
  );
}

/** What is not known comes last in any order. */
export function inOrder(rows: readonly GroupRow[], metric: Metric, order: Order): GroupRow[] {
  const up = metric.statistic === "share" ? 1 : -1; // the worst first
  const key: Record<Order, (row: GroupRow) => number | null> = {
    n: (row) => -row.number.n,
    value: (row) => times(judgedBy(metric, row.number), up),
    share: (row) => row.number.share,
    missing: (row) => -row.missing,
  };
  const of = key[order];
  return [...rows].sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x - y;
  });
}

const times = (value: number | null, by: number): number | null => (value === null ? null : value * by);
