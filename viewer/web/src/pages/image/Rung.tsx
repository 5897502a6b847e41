/** Who was called for the report, where, and did it come through? A board has a ring once an open page has taken it. */
import type { JSX } from "preact";
import { channelName } from "../../parts/AlertPeople";
import { dateTime, personName } from "../../state/format";
import { lang } from "../../state/prefs";
import { t } from "../../texts";
import { ti } from "../../textsImage";
import type { Rung } from "../../wireImage";

export function RungPeople({ rung }: { rung: readonly Rung[] }): JSX.Element | null {
  if (rung.length === 0) return null;
  return (
    <details data-testid="study-rung">
      <summary>
        <b>{t("alertPeople")}</b>
      </summary>
      <ul class="rung-list">
        {rung.map((one) => (
          <li key={`${one.person?.person} ${one.channel}`} class="num">
            <b>{personName(one.person)}</b> {channelName(one.channel)} {one.rung_at && dateTime(one.rung_at)}{" "}
            <Came one={one} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Came({ one }: { one: Rung }): JSX.Element {
  if (one.arrived === null)
    return <span>○ {one.channel === "live" ? ti("rungWaiting") : t("reached_sent")}</span>;
  if (one.arrived) return <span>◑ {t("reached_delivered")}</span>;
  return <b class="late">✕ {one.reason?.[lang.value] ?? t("reached_unreachable")}</b>;
}
