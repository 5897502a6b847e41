/** Who is on duty now, for everybody, in one line of the head. */
import type { JSX } from "preact";
import { nowMs } from "../state/clock";
import { onDutyNow } from "../state/roster";
import { me } from "../state/session";
import { shiftShort, t } from "../texts";
import type { RosterNow } from "../wireDuty";
import { useLoaded } from "./load";

const AGAIN_MS = 60_000;

/** The roster of now, asked for again each minute. */
export function useRosterNow(): RosterNow | null {
  void nowMs.value;
  return useLoaded<RosterNow>("/roster/now", Math.floor(performance.now() / AGAIN_MS)).value;
}

export function OnDutyNow(): JSX.Element | null {
  const now = useRosterNow();
  if (!now) return null;
  return (
    <a class="on-duty" href="/roster" data-testid="on-duty-now">
      {onDutyNow(now, me.value).map(([place, shift]) => (
        <span key={place}>
          <span class="muted">{shiftShort(place)}</span>{" "}
          {shift ? <b>{shift.name ?? shift.person}</b> : <b class="late">! {t("rosterNobody")}</b>}
        </span>
      ))}
    </a>
  );
}
