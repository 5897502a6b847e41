/** What several rules share: tiers and marks, the thresholds of STE-1, the mirrored leads, single numbers. */
import type { JSX } from "preact";
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

/** One row for equal leads and source, in it each sex and age with its threshold. */
export function Thresholds({ rules }: Props): JSX.Element {
  const rows = new Map<string, SteThreshold[]>();
  for (const one of rules.thresholds) {
    const key = [one.leads.join(), one.mark, one.source].join("\n");
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  return (
    <section class="card" id={THRESHOLDS} tabIndex={-1}>
      <h2>{t("rulesThresholds")}</h2>
      <table class="rules-table">
        <thead>
          <tr>
            <th scope="col">{t("rulesLeads")}</th>
            <th scope="col">{t("rulesThresholdOf")}</th>
            <th scope="col">{t("rulesSource")}</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </section>
  );
}

const ageRange = ({ age_from_years: from, age_below_years: to }: SteThreshold): string =>
  to === null ? t("ageFrom", { from }) : t("ageFromTo", { from, to });

export function Reciprocals({ rules }: Props): JSX.Element {
  return (
    <section class="card" id={RECIPROCAL} tabIndex={-1}>
      <h2>{t("rulesReciprocal")}</h2>
      <table class="rules-table">
        <thead>
          <tr>
            <th scope="col">{t("rulesElevation")}</th>
            <th scope="col">{t("rulesDepression")}</th>
            <th scope="col">{t("rulesDepth")}</th>
            <th scope="col">{t("rulesSource")}</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </section>
  );
}

export function Shared({ rules }: Props): JSX.Element {
  return (
    <section class="card" id={SHARED} tabIndex={-1}>
      <h2>{t("rulesShared")}</h2>
      <table class="rules-table">
        <thead>
          <tr>
            <th scope="col">{t("rulesName")}</th>
            <th scope="col">{t("value")}</th>
            <th scope="col">{t("rulesSource")}</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </section>
  );
}

function Source({ of, rules }: { of: Sourced; rules: RuleSet }): JSX.Element {
  return (
    <td data-name={t("rulesSource")} class="rules-source">
      <Mark mark={of.mark} rules={rules} /> <span lang="en">{of.source}</span>
    </td>
  );
}
