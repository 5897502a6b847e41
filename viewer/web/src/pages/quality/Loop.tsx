/** The closed loop: alerts and what they were worth, readers, recordings, clocks, transmission. */
import type { JSX } from "preact";
import { minutes, percent, span } from "../../state/quality";
import { say } from "../../texts";
import { tq } from "../../textsQuality";
import type { Rate, RateTable, Loop as Told } from "../../wireQuality";
import { CaseLinks, useQuality, Waiting } from "./shared";

export function Loop(): JSX.Element {
  const loaded = useQuality<Told>("loop");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  return (
    <>
      <section class="card">
        <h3>{tq("loopCounts")}</h3>
        <ul class="counts" data-testid="loop-counts">
          {told.counts.map((one) => (
            <li key={one.id} data-testid={`count-${one.id}`}>
              <b class="num">{one.n}</b>
              <CaseLinks ids={one.case_ids} more={one.more}>
                <span>{say(one)}</span>
              </CaseLinks>
            </li>
          ))}
        </ul>
      </section>
      <div class="loop-tables">
        {told.tables.map((table) => (
          <Rates key={table.id} table={table} />
        ))}
      </div>
    </>
  );
}

const SHOWN_ROWS = 10;

function Rates({ table }: { table: RateTable }): JSX.Element {
  const rest = table.rows.slice(SHOWN_ROWS);
  return (
    <section class="card" data-testid={`loop-${table.id}`}>
      <h3>{say(table)}</h3>
      {table.rows.length === 0 ? (
        <p class="muted">{tq("loopNone")}</p>
      ) : (
        <RateRows rows={table.rows.slice(0, SHOWN_ROWS)} />
      )}
      {rest.length > 0 && (
        <details>
          <summary>{tq("more", { n: rest.length })}</summary>
          <RateRows rows={rest} />
        </details>
      )}
    </section>
  );
}

function RateRows({ rows }: { rows: Rate[] }): JSX.Element {
  const timed = rows.filter((one) => one.median_min !== null).length;
  const heading = timed === 0 ? "rate" : timed === rows.length ? "medianTime" : "result";
  return (
    <div class="wide-table">
      <table class="plain num">
        <thead>
          <tr>
            <th scope="col">{tq("name")}</th>
            <th scope="col">{tq(heading)}</th>
            <td class="bar-cell bar-small" />
            <th scope="col">{tq("n")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.id} data-testid={`rate-${one.id}`}>
              <th scope="row">{say(one)}</th>
              <td>
                <b>
                  {one.median_min !== null ? `${minutes(one.median_min)} ${tq("min")}` : percent(one.share)}
                </b>{" "}
                <span class="muted">{span(one.low, one.high, percent)}</span>
              </td>
              <td class="bar-cell bar-small" aria-hidden="true">
                {one.share !== null && (
                  <span class="bar-track">
                    <span class="bar" style={{ left: "0%", width: `${100 * one.share}%` }} />
                  </span>
                )}
              </td>
              <td>
                <CaseLinks ids={one.case_ids} more={one.more}>
                  {tq("of", { n: one.n, of: one.of })}
                </CaseLinks>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
