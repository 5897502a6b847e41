/**
 * While a drill is under way a line on every page says which cases are none of real patients; on the pages of a drill it is
 * hatched and large. A real patient's page is never hatched, on paper neither.
 */
import type { JSX } from "preact";
import { drillHere, runningDrills } from "../state/drill";
import { hourMinute, siteName } from "../state/format";
import { me } from "../state/session";
import { t } from "../texts";

export function DrillBar(): JSX.Element | null {
  if (!me.value) return null;
  const running = runningDrills.value;
  const here = drillHere.value;
  if (running.length === 0 && !here) return null;
  return (
    <div class={here ? "drill-bar drill-bar-here" : "drill-bar"} role="status" data-testid="drill-bar">
      <b>{here ? t("drillHere") : t("drillBar")}</b>
      {running.map((row) => (
        <a key={row.case_id} href={`/case/${encodeURIComponent(row.case_id)}`} class="num">
          {t("drillBarUntil", { site: siteName(row), at: hourMinute(row.drill?.ends_at) })}
        </a>
      ))}
      {here && running.length === 0 && <span>{t("drillOver")}</span>}
    </div>
  );
}
