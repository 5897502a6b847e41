/** What a finding rests on: a line for each measure and rule, each lead's value against its threshold. */
import type { JSX } from "preact";
import { against, type EvidenceGroup, type FindingEvidence } from "../state/evidence";
import { lang } from "../state/prefs";
import { measure } from "../state/quantities";
import { t } from "../texts";
import { RuleLink } from "./RuleLink";

interface Props extends FindingEvidence {
  /** Of the finding: its own name is not repeated. */
  id: string;
  version: string | null;
}

export function EvidenceList({ id, groups, sameAs, version }: Props): JSX.Element | null {
  if (groups.length + sameAs.length === 0) return null;
  const comma = lang.value === "zh" ? "、" : ", ";
  return (
    <ul class="evidence" aria-label={t("evidence")}>
      {groups.map((group) => (
        <li key={JSON.stringify(group)} data-testid="evidence-group">
          <span class="evidence-name">{measure(group.quantity)}</span>
          <span class="evidence-values num">
            {group.of.map((e) => (
              <span key={e.lead ?? ""} class="evidence-value">
                {e.lead !== null && <b>{e.lead} </b>}
                {against(e)}
              </span>
            ))}
            {group.rule !== id && <RuleLink id={group.rule} version={version} />}
            <Where group={group} />
          </span>
        </li>
      ))}
      {sameAs.length > 0 && (
        <li class="muted" data-testid="evidence-same">
          {t("evidenceSame", { ids: sameAs.join(comma) })}
        </li>
      )}
    </ul>
  );
}

/** Said where the values are not of the trace that is drawn. */
function Where({ group: { trace } }: { group: EvidenceGroup }): JSX.Element | null {
  if (trace === null) return null;
  if (trace === "corrected") return <span class="evidence-where">{t("traceCorrected")}</span>;
  return (
    <a class="evidence-where" href={`/ecg/${encodeURIComponent(trace)}`} data-testid="other-ecg">
      {t("traceOther")} ▸
    </a>
  );
}
