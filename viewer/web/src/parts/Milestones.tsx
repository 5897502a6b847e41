/** Every milestone of the case, set and unset; where a time came from and how it was corrected is one tap away. */
import type { JSX } from "preact";
import { actorText, dateTime, timeOfDay } from "../state/format";
import { say, sourceName, t } from "../texts";
import type { Milestone, MilestoneValue } from "../wire";
import { Section } from "./bits";

interface MilestonesProps {
  milestones: Milestone[];
  /** People by id: what a milestone repeats by may be one of them. */
  names: ReadonlyMap<string, string>;
}

export function Milestones({ milestones, names }: MilestonesProps): JSX.Element {
  const item = (m: Milestone): JSX.Element => (
    <MilestoneView key={`${m.id}${m.key ?? ""}`} milestone={m} names={names} />
  );
  const set = milestones
    .filter((m) => m.known)
    .sort((a, b) => Date.parse(a.at ?? "") - Date.parse(b.at ?? ""));
  const unset = milestones.filter((m) => !m.known);
  const others = unset.filter((m) => !m.required);
  return (
    <Section title={t("milestones")}>
      <ul class="milestones">{set.map(item)}</ul>
      <h3>
        {t("unsetMilestones")} <span class="muted">* {t("required")}</span>
      </h3>
      <ul class="milestones unset">{unset.filter((m) => m.required).map(item)}</ul>
      {others.length > 0 && (
        <details>
          <summary>{t("unsetOthers", { n: others.length })}</summary>
          <ul class="milestones unset">{others.map(item)}</ul>
        </details>
      )}
    </Section>
  );
}

type Names = ReadonlyMap<string, string>;

function MilestoneView({ milestone: m, names }: { milestone: Milestone; names: Names }): JSX.Element {
  const testid = m.key === null ? `milestone-${m.id}` : `milestone-${m.id}-${m.key}`;
  const head = (
    <>
      <time class="num" title={m.at ? dateTime(m.at) : undefined}>
        {timeOfDay(m.at)}
      </time>
      <span>
        {say(m)}
        {m.key && <span class="muted"> {names.get(m.key) ?? m.key}</span>}
        {m.required && <abbr title={t("required")}>*</abbr>}
      </span>
    </>
  );
  if (m.values.length === 0) {
    return (
      <li class="milestone" data-testid={testid}>
        {head}
      </li>
    );
  }
  return (
    <li data-testid={testid}>
      <details>
        <summary class="milestone">
          {head}
          <span class="muted">
            {sourceIcon(m.source, m.clock)} {sourceName(m.source)}
            {m.values.length > 1 && ` · ${m.values.length}`}
          </span>
        </summary>
        <ul class="values">
          {m.values.map((value) => (
            <ValueView key={`${value.recorded_at}${value.source}${value.at}`} value={value} names={names} />
          ))}
        </ul>
      </details>
    </li>
  );
}

function ValueView({ value, names }: { value: MilestoneValue; names: Names }): JSX.Element {
  const facts = [
    sourceName(value.source),
    clockText(value),
    value.uncertainty_s === null ? null : t("uncertain", { n: Math.round(value.uncertainty_s) }),
    value.raw === null ? null : t("rawTime", { at: timeOfDay(value.raw) }),
    t("recordedBy", {
      who: actorText(value.actor, value.actor_name, names),
      at: timeOfDay(value.recorded_at),
    }),
    value.correction ? t("correction") : null,
    value.note,
  ];
  return (
    <li>
      <b class="num">{dateTime(value.at)}</b> {value.valid ? `✓ ${t("valid")}` : t("notValid")}
      <span class="muted num"> {facts.filter(Boolean).join(" · ")}</span>
    </li>
  );
}

function clockText(value: MilestoneValue): string | null {
  if (value.offset_s !== null) {
    const sign = value.offset_s < 0 ? "−" : "+";
    return t("clockOffset", { n: `${sign}${Math.abs(value.offset_s).toFixed(1)} s` });
  }
  return value.clock?.startsWith("device") ? t("clockUnknown") : null;
}

/** Device, machine, paper or a person; the word stands beside it. */
function sourceIcon(source: string | null, clockName: string | null): string {
  const kind = `${clockName ?? ""} ${source ?? ""}`;
  if (kind.includes("device")) return "▭";
  if (kind.includes("server") || kind.includes("system")) return "⚙";
  return kind.includes("paper") ? "▤" : "☺";
}
