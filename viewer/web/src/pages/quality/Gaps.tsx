/** What the national form still lacks, by who can say it: each gap leads to the form of its case. */
import type { JSX } from "preact";
import { dateTime } from "../../state/format";
import { hrefOf, percent } from "../../state/quality";
import { say } from "../../texts";
import { tq } from "../../textsQuality";
import type { Counted, Gaps as Told } from "../../wireQuality";
import { formHref } from "./Cases";
import { asked, useQuality, Waiting } from "./shared";

export function Gaps(): JSX.Element {
  const loaded = useQuality<Told>("gaps");
  const told = loaded.value;
  if (!told) return <>{Waiting({ loaded })}</>;
  if (told.required === 0) return <p class="muted">{tq("noCases")}</p>;
  return (
    <>
      <section class="card">
        <p class="gaps-filled num" data-testid="gaps-filled">
          {tq("gapsFilled", {
            filled: told.filled,
            required: told.required,
            share: percent(told.filled / told.required),
            untyped: told.untyped,
          })}
        </p>
        <p class="bar-track gaps-bar" aria-hidden="true">
          <span
            class="bar bar-light"
            style={{ left: "0%", width: `${(100 * told.filled) / told.required}%` }}
          />
          <span class="bar" style={{ left: "0%", width: `${(100 * told.untyped) / told.required}%` }} />
        </p>
      </section>
      <div class="loop-tables">
        <Counts name="owner" rows={told.owners} />
        <Counts name="field" rows={told.fields} />
      </div>
      <section class="card">
        <h3>
          {tq("gapsList")} <span class="muted num">{told.total}</span>
        </h3>
        {told.total === 0 && <p>✓ {tq("gapsNone")}</p>}
        {told.gaps.length < told.total && <p class="muted">{tq("gapsShown", { n: told.gaps.length })}</p>}
        <ul class="case-lines">
          {told.gaps.map((one) => (
            <li key={`${one.case_id}${one.field.id}`} data-testid="gap">
              <b>{say(one.field)}</b>
              <span class="num">
                {dateTime(one.opened_at).slice(0, 16)} · {say(one.site)}
              </span>
              <span class="muted">{ownerWord(told.owners, one.owner)}</span>
              <span class="case-links">
                <a href={`${formHref(one.case_id)}#${one.field.id}`} data-testid="gap-open">
                  {tq("openForm")} ▸
                </a>
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

const ownerWord = (owners: readonly Counted[], id: string): string => {
  const found = owners.find((one) => one.id === id);
  return found ? say(found) : id;
};

/** A press shows only those; another press shows all again. */
function Counts({ name, rows }: { name: "owner" | "field"; rows: Counted[] }): JSX.Element {
  const most = Math.max(...rows.map((one) => one.n), 1);
  const chosen = asked.value[name] ?? "";
  return (
    <section class="card" data-testid={`gaps-${name}`}>
      <h3>{tq(name === "owner" ? "gapsByOwner" : "gapsByField")}</h3>
      <ul class="gap-counts">
        {rows.map((one) => (
          <li key={one.id}>
            <a
              href={hrefOf("gaps", asked.value, { [name]: chosen === one.id ? "" : one.id })}
              data-testid={`${name}-${one.id}`}
              aria-current={chosen === one.id ? "true" : undefined}
            >
              {chosen === one.id && "✓ "}
              {say(one)}
            </a>
            <span class="bar-track" aria-hidden="true">
              <span class="bar" style={{ left: "0%", width: `${(100 * one.n) / most}%` }} />
            </span>
            <b class="num">{one.n}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
