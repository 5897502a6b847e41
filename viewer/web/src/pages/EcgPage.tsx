/** One ECG on its own page: on a phone, or from a link. */
import type { JSX } from "preact";
import { NextAct } from "../parts/CaseRow";
import { EcgPanel } from "../parts/EcgPanel";
import { rows } from "../state/live";
import { t } from "../texts";

export function EcgPage({ id }: { id: string }): JSX.Element {
  const row = [...rows.value.cases.values()].find((each) => each.ecgs.some((ecg) => ecg.ecg_id === id));
  return (
    <main class="page">
      <nav class="crumbs">
        <a class="act act-link" href="/">
          ◂ {t("back")}
        </a>
        {row && (
          <a class="act act-link" href={`/case/${encodeURIComponent(row.case_id)}`} data-testid="open-case">
            {t("openCase")} ▸
          </a>
        )}
      </nav>
      <EcgPanel key={id} ecgId={id} row={row} />
      {row && (
        <div class="bottom-bar">
          <NextAct row={row} big />
        </div>
      )}
    </main>
  );
}
