/** One rule as people read it: its term, how urgent it can be, where it looks, what it asks, and its numbers. */
import type { JSX } from "preact";
import { lang } from "../state/prefs";
import { tableNumber } from "../state/quantities";
import { rulesHref } from "../state/rules";
import { conductionName, leadPhrase, say, t } from "../texts";
import type { RuleNumber, RuleSet, RuleText } from "../wire";
import { TierMark, tierClass } from "./bits";

/** What undoes a lowering that can be undone. */
const RESTORING = ["STE-RECIP", "EQV-TQRSD", "STE-SERIAL"] as const;

export function RuleCard({ rule, rules }: { rule: RuleText; rules: RuleSet }): JSX.Element {
  const zh = lang.value === "zh";
  const comma = zh ? "、" : ", ";
  return (
    <article
      class={`card rule ${tierClass(rule.tier)}`}
      id={rule.id}
      tabIndex={-1}
      data-testid={`rule-${rule.id}`}
    >
      <header class="rule-head">
        <h3>
          <a href={rulesHref(rules.version, rule.id)}>{rule.id}</a> {zh ? rule.zh : sentence(rule.en)}
        </h3>
        <p class="rule-other" lang={zh ? "en" : "zh-CN"}>
          {zh ? sentence(rule.en) : rule.zh}
        </p>
        <p class="rule-tier">
          {rule.lowers.length === 0 && <span class="muted">{t("tierMost")}</span>}
          {rule.lowers.length === 0 && <TierMark tier={rule.tier} />}
        </p>
      </header>
      <p class="rule-formula">{zh ? rule.formula_zh : sentence(rule.formula)}</p>
      <dl class="rule-facts">
        {rule.lowers.length > 0 && (
          <div>
            <dt>{t("rulesEffect")}</dt>
            <dd>
              {t("tierLowersTo", { what: rule.lowers.map((name) => sectionName(name, rules)).join(comma) })}{" "}
              <TierMark tier={rule.tier} />
              {rule.restorable && <Restored rules={rules} comma={comma} />}
            </dd>
          </div>
        )}
        <div>
          <dt>{t("rulesLeads")}</dt>
          <dd>{leadPhrase(rule.leads)}</dd>
        </div>
        <div>
          <dt>{t("conductionWhere")}</dt>
          <dd>
            {rule.conduction.length === 0
              ? t("conductionAny")
              : rule.conduction.map(conductionName).join(comma)}
          </dd>
        </div>
        <div>
          <dt>{t("rulesSource")}</dt>
          <dd>
            <Mark mark={rule.mark} rules={rules} /> <span lang="en">{rule.source}</span>
          </dd>
        </div>
      </dl>
      {rule.numbers.length > 0 && (
        <ul class="rule-numbers" aria-label={t("rulesNumbers")}>
          {rule.numbers.map((number) => (
            <NumberView key={number.name} number={number} rule={rule} rules={rules} />
          ))}
        </ul>
      )}
    </article>
  );
}

function Restored({ rules, comma }: { rules: RuleSet; comma: string }): JSX.Element {
  const [before = "", after = ""] = t("tierRestored").split("{by}");
  return (
    <span>
      {lang.value === "zh" ? ";" : "; "}
      {before}
      {RESTORING.map((id, index) => (
        <span key={id}>
          {index > 0 && comma}
          <a href={rulesHref(rules.version, id)}>{id}</a>
        </span>
      ))}
      {after}
    </span>
  );
}

/** The source is said where it is another than the rule's. */
function NumberView(props: { number: RuleNumber; rule: RuleText; rules: RuleSet }): JSX.Element {
  const { number, rule, rules } = props;
  return (
    <li>
      <code>{number.name}</code> <b class="num">{tableNumber(number.name, number.value)}</b>{" "}
      <Mark mark={number.mark} rules={rules} />
      {number.source !== rule.source && (
        <span class="muted" lang="en">
          {" "}
          {number.source}
        </span>
      )}
    </li>
  );
}

/** The letter, and for who listens instead of looking what it means; the legend says it to all. */
export function Mark({ mark, rules }: { mark: string; rules: RuleSet }): JSX.Element {
  const meaning = rules.marks[mark];
  return (
    <abbr class="mark" title={meaning ? say(meaning) : undefined}>
      {mark}
    </abbr>
  );
}

/** The tables begin English words small, since they also stand inside sentences. */
const sentence = (en: string): string =>
  en.replace(/^[a-z](?=[a-z]*[\s,:;?]|[a-z]*$)/, (first) => first.toUpperCase());

function sectionName(name: string, rules: RuleSet): string {
  const section = rules.sections.find((each) => each.section === name);
  return section ? say(section) : name;
}
