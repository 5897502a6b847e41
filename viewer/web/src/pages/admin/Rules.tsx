/** By which rules is each site read, and who is rung when? Shown; set in the service's configuration. */
import type { JSX } from "preact";
import { useLoaded } from "../../parts/load";
import { lang } from "../../state/prefs";
import { shiftName, tierWord } from "../../texts";
import { ta } from "../../textsAdmin";
import type { Tier } from "../../wire";
import type { AdminRules, AdminStep } from "../../wireAdmin";
import { Fact } from "./Sites";

export function Rules(): JSX.Element {
  const { value, problem } = useLoaded<AdminRules>("/admin/rules", null);
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
