/** By which rules is each site read, and who is rung when? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { followList } from "../../state/admin";
import { lang } from "../../state/prefs";
import { shiftName, tierWord } from "../../texts";
import { ta } from "../../textsAdmin";
import type { Tier } from "../../wire";
import type { AdminRules, AdminStep } from "../../wireAdmin";
import { Fact } from "./Sites";

export function Rules(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const { value, problem } = useLoaded<AdminRules>("/admin/rules", changes);
  return (
    <>
      <h2>{ta("rules")}</h2>
      <p class="muted">{ta("rulesHow")}</p>
      {problem && <p class="trouble">{problem.words}</p>}
      {value && (
        <>
          <section class="card">
            <dl class="facts">
              <Fact name={ta("ruleVersion")} said={ta("rulesNewest", { version: value.newest })} />
              <Fact name={ta("paging")} said={value.paging_tiers.map(tierSaid).join("、")} />
              <Fact name={ta("waitingTiers")} said={waits(value.waiting_s)} />
            </dl>
          </section>
          <ul class="admin-list">
            {value.sites.map((site) => (
              <li key={site.site} class="card" data-testid={`rules-${site.site}`}>
                <p>
                  <b>{lang.value === "zh" ? site.name_zh : site.name_en}</b> ·{" "}
                  <a href={`/rules/${encodeURIComponent(site.version)}`}>
                    {ta("ruleVersion")} {site.version}
                  </a>
                </p>
                <ChooseList
                  site={site.site}
                  chosen={site.chosen_list}
                  lists={value.lists}
                  changed={() => setChanges((count) => count + 1)}
                />
                <p class="muted">
                  {ta("steps")}({ta(site.own_steps ? "stepsOwn" : "stepsNetwork")})
                </p>
                <ol class="admin-steps">
                  {site.steps.map((step) => (
                    <li key={step.after_s}>
                      <span class="num">{ta("stepAt", { n: step.after_s })}</span> {stepSaid(step)}
                    </li>
                  ))}
                </ol>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function ChooseList(props: {
  site: string;
  chosen: string | null;
  lists: AdminRules["lists"];
  changed: () => void;
}): JSX.Element {
  const [saved, setSaved] = useState(false);
  const choose = async (name: string): Promise<void> => {
    setSaved(await followList(props.site, name === "" ? null : name));
    props.changed();
  };
  return (
    <label>
      {ta("criticalList")}{" "}
      <select
        data-testid={`list-${props.site}`}
        value={props.chosen ?? ""}
        onChange={(event) => void choose(event.currentTarget.value)}
      >
        <option value="">{ta("listConfigured")}</option>
        {props.lists.map((one) => (
          <option key={one.name} value={one.name}>
            {lang.value === "zh" ? one.zh : one.en}
          </option>
        ))}
      </select>
      <span role="status" class="muted">
        {saved && ` ${ta("listSaved")}`}
      </span>
    </label>
  );
}

const tierSaid = (tier: string): string => `${tier} ${tierWord(tier as Tier)}`;

const waits = (waiting: Record<string, number>): string =>
  Object.entries(waiting)
    .map(([tier, seconds]) => `${tierSaid(tier)} ${ta("minutes", { n: Math.round(seconds / 60) })}`)
    .join("、") || "–";

const person = (role: string): string => (role === "everybody" ? ta("everybody") : shiftName(role));

const stepSaid = (step: AdminStep): string =>
  [
    person(step.role),
    ...step.again.map((who) => ta("stepAgain", { who: person(who) })),
    ...step.call.map((who) => ta("stepCall", { who: person(who) })),
  ].join(" · ");
