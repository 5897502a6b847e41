/** What several rules share: tiers and marks, the thresholds of STE-1, the mirrored leads, single numbers. */
import type { ComponentChildren, JSX } from "preact";
import { digitsOf, tableNumber } from "../state/quantities";
import { RECIPROCAL, SHARED, THRESHOLDS } from "../state/rules";
import { say, t } from "../texts";
import type { RuleSet, Sourced, SteThreshold } from "../wire";
import { TierMark } from "./bits";
import { Mark } from "./RuleCard";

interface Props {
  rules: RuleSet;
}

export function Tiers({ rules }: Props): JSX.Element {
  return (
    <section class="rules-legends" id="tiers" tabIndex={-1}>
      <div class="card">
        <h2>{t("rulesTiers")}</h2>
        <dl class="legend legend-wide">
          {rules.tiers.map((each) => (
            <div key={each.tier}>
              <dt>
                <TierMark tier={each.tier} /> <code>{each.tier}</code>
              </dt>
              <dd>{say(each)}</dd>
            </div>
          ))}
        </dl>
      </div>
      <div class="card">
        <h2>{t("rulesMarks")}</h2>
        <dl class="legend">
          {Object.entries(rules.marks).map(([mark, meaning]) => (
            <div key={mark}>
              <dt>
                <span class="mark">{mark}</span>
              </dt>
              <dd>{say(meaning)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </section>
  );
}

interface Plain {
  id: string;
  title: string;
  heads: string[];
  children: ComponentChildren;
}

/** A titled table with the names of its columns; its rows are the children. */
function PlainTable({ id, title, heads, children }: Plain): JSX.Element {
  return (
    <section class="card" id={id} tabIndex={-1}>
      <h2>{title}</h2>
      <table class="rules-table">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** One row for equal leads and source, in it each sex and age with its threshold. */
export function Thresholds({ rules }: Props): JSX.Element {
  const rows = new Map<string, SteThreshold[]>();
  for (const one of rules.thresholds) {
    const key = [one.leads.join(), one.mark, one.source].join("\n");
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  return (
    <PlainTable
      id={THRESHOLDS}
      title={t("rulesThresholds")}
      heads={[t("rulesLeads"), t("rulesThresholdOf"), t("rulesSource")]}
    >
      {[...rows].map(([key, of]) => (
        <tr key={key}>
          <th scope="row">{of[0]?.leads.join(" ")}</th>
          <td>
            <ul>
              {of.map((one) => (
                <li key={`${one.sex}${one.age_from_years}`} class="threshold num">
                  <span>
                    {t(one.sex)} {ageRange(one)}
                  </span>{" "}
                  <b>≥ {digitsOf(one.threshold_mv, 2, false)} mV</b>
                </li>
              ))}
            </ul>
          </td>
          {of[0] && <Source of={of[0]} rules={rules} />}
        </tr>
      ))}
    </PlainTable>
  );
}

const ageRange = ({ age_from_years: from, age_below_years: to }: SteThreshold): string =>
  to === null ? t("ageFrom", { from }) : t("ageFromTo", { from, to });

export function Reciprocals({ rules }: Props): JSX.Element {
  return (
    <PlainTable
      id={RECIPROCAL}
      title={t("rulesReciprocal")}
      heads={[t("rulesElevation"), t("rulesDepression"), t("rulesDepth"), t("rulesSource")]}
    >
      {rules.reciprocal.map((row) => (
        <tr key={row.elevation.join() + row.depression.join()}>
          <th scope="row">{row.elevation.join(" ")}</th>
          <td data-name={t("rulesDepression")}>{row.depression.join(" ")}</td>
          <td data-name={t("rulesDepth")} class="num">
            ≤ {digitsOf(-row.depth_mv, 2, false)} mV
          </td>
          <Source of={row} rules={rules} />
        </tr>
      ))}
    </PlainTable>
  );
}

export function Shared({ rules }: Props): JSX.Element {
  return (
    <PlainTable id={SHARED} title={t("rulesShared")} heads={[t("rulesName"), t("value"), t("rulesSource")]}>
      {rules.shared.map((row) => (
        <tr key={row.name}>
          <th scope="row">
            <code>{row.name}</code>
          </th>
          <td data-name={t("value")} class="num">
            {tableNumber(row.name, row.value)}
          </td>
          <Source of={row} rules={rules} />
        </tr>
      ))}
    </PlainTable>
  );
}

function Source({ of, rules }: { of: Sourced; rules: RuleSet }): JSX.Element {
  return (
    <td data-name={t("rulesSource")} class="rules-source">
      <Mark mark={of.mark} rules={rules} /> <span lang="en">{of.source}</span>
    </td>
  );
}
