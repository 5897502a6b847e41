/** By what rules does the machine propose? Every rule with its formula and its numbers, version by version. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLoaded } from "../parts/load";
import { RuleCard } from "../parts/RuleCard";
import { Reciprocals, Shared, Thresholds, Tiers } from "../parts/RuleTables";
import { useKeydown } from "../parts/useKeydown";
import { useRules } from "../parts/useRules";
import { go, place } from "../state/route";
import { anchorOf, matches, RECIPROCAL, rulesHref, SHARED, THRESHOLDS } from "../state/rules";
import { say, t } from "../texts";
import type { RuleSection, RuleSet, RuleVersions } from "../wire";

export function RulesPage({ version }: { version: string | null }): JSX.Element {
  const { value: known, problem: unlisted } = useLoaded<RuleVersions>("/rules", null);
  const { rules, problem } = useRules(version ?? known?.newest ?? null);
  const trouble = problem ?? (rules === null ? unlisted : null);
  return (
    <main class="page rules-page">
      <nav class="crumbs">
        <a class="act act-link" href="/">
          ◂ {t("back")}
        </a>
      </nav>
      {known && <Versions known={known} shown={version ?? known.newest} />}
      {trouble && <p class="trouble">{trouble.words}</p>}
      {!rules && !trouble && <p class="muted">{t("loading")}</p>}
      {rules && <Whole key={rules.version} rules={rules} />}
    </main>
  );
}

function Versions({ known, shown }: { known: RuleVersions; shown: string }): JSX.Element {
  const there = known.versions.some((each) => each.version === shown);
  return (
    <header class="rules-head">
      <h2>{t("rulesPage")}</h2>
      <label class="rules-version">
        <span>{t("rulesVersionLabel")}</span>
        <select
          data-testid="rules-version"
          value={there ? shown : ""}
          onChange={(event) => go(rulesHref(event.currentTarget.value, place.value.id || null))}
        >
          {!there && <option value="">{shown}</option>}
          {[...known.versions].reverse().map(({ version }) => (
            <option key={version} value={version}>
              {version === known.newest ? t("rulesNewest", { v: version }) : version}
            </option>
          ))}
        </select>
      </label>
      <p class="muted">{t("rulesIntro")}</p>
      {there && shown !== known.newest && (
        <p class="rules-old" data-testid="rules-old">
          {t("rulesOld", { v: shown, newest: known.newest })}{" "}
          <a href={rulesHref(known.newest, place.value.id || null)}>
            {t("rulesNewest", { v: known.newest })} ▸
          </a>
        </p>
      )}
    </header>
  );
}

function Whole({ rules }: { rules: RuleSet }): JSX.Element {
  const [query, setQuery] = useState("");
  const box = useFilterKeys(setQuery);
  const missing = usePlace(rules, () => setQuery(""));
  const sections = rules.sections.map((section) => ({
    ...section,
    rules: section.rules.filter((rule) => matches(rule, query)),
  }));
  const count = (of: readonly RuleSection[]): number => of.reduce((sum, each) => sum + each.rules.length, 0);
  const all = query.trim() === "";
  return (
    <>
      <search class="rules-filter">
        <label>
          <span>{t("rulesFilter")}</span>
          <input
            ref={box}
            type="search"
            value={query}
            placeholder={t("rulesFilterHint")}
            data-testid="rules-filter"
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
        <p class="num muted" aria-live="polite" data-testid="rules-count">
          {t("rulesShown", { v: rules.version, n: count(sections), all: count(rules.sections) })}
        </p>
      </search>
      {missing !== null && (
        <p class="rules-old" role="status">
          {t("rulesNoPlace", { v: rules.version, id: missing })}
        </p>
      )}
      {all && (
        <>
          <Contents rules={rules} />
          <Tiers rules={rules} />
          <Thresholds rules={rules} />
          <Reciprocals rules={rules} />
        </>
      )}
      {count(sections) === 0 && <p class="empty">{t("rulesNone")}</p>}
      {sections.map(
        (section) =>
          section.rules.length > 0 && (
            <section key={section.section} class="rules-section" id={section.section} tabIndex={-1}>
              <h2>
                {say(section)} <span class="num muted">{section.rules.length}</span>
              </h2>
              {section.rules.map((rule) => (
                <RuleCard key={rule.id} rule={rule} rules={rules} />
              ))}
            </section>
          ),
      )}
      {all && <Shared rules={rules} />}
    </>
  );
}

function Contents({ rules }: { rules: RuleSet }): JSX.Element {
  const here = (id: string): string => rulesHref(rules.version, id);
  return (
    <nav class="rules-contents" aria-label={t("rulesSections")}>
      <ul>
        {rules.sections
          .filter(({ rules: held }) => held.length > 0)
          .map((section) => (
            <li key={section.section}>
              <a class="act act-link" href={here(section.section)}>
                {say(section)} <span class="num muted">{section.rules.length}</span>
              </a>
            </li>
          ))}
        <li>
          <a class="act act-link" href={here(THRESHOLDS)}>
            {t("rulesThresholds")}
          </a>
        </li>
        <li>
          <a class="act act-link" href={here(RECIPROCAL)}>
            {t("rulesReciprocal")}
          </a>
        </li>
        <li>
          <a class="act act-link" href={here(SHARED)}>
            {t("rulesShared")}
          </a>
        </li>
      </ul>
    </nav>
  );
}

/** A slash goes to the filter, Escape empties it. */
function useFilterKeys(setQuery: (query: string) => void) {
  const box = useRef<HTMLInputElement>(null);
  useKeydown((event) => {
    const typing = (event.target as HTMLElement).closest("input, textarea, select") !== null;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      box.current?.focus();
    } else if (event.key === "Escape" && event.target === box.current) setQuery("");
  });
  return box;
}

/** Shows the place that the address names. Gives its name back where this version does not know it. */
function usePlace(rules: RuleSet, showAll: () => void): string | null {
  const wanted = place.value;
  const anchor = wanted.id === "" ? null : anchorOf(wanted.id, rules);
  useEffect(() => {
    if (anchor === null) return;
    showAll();
    // The filter may have hidden it: look for it once everything is drawn again.
    const frame = requestAnimationFrame(() => {
      const element = document.getElementById(anchor);
      element?.scrollIntoView({ block: "start" });
      element?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [wanted, anchor]);
  return wanted.id !== "" && anchor === null ? wanted.id : null;
}
