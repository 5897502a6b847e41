/** On the board of who is on the roster now: go on duty, and then in one line whether alerts get through. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { nowMs } from "../state/clock";
import { hasBegun, health, loadHealth, ownHealth, pending, shiftToBegin } from "../state/duty";
import { hourMinute } from "../state/format";
import { me } from "../state/session";
import { shiftName, t } from "../texts";
import type { DutyHealth } from "../wireDuty";
import { ChannelList, DutyCheck, Reach } from "./DutyCheck";

const AGAIN_MS = 60_000;

/** While there is a shift to begin or to be in, what is known of the person's channels is asked for each minute. */
export function useHealth(there: boolean): void {
  useEffect(() => {
    if (!there) return;
    void loadHealth();
    const timer = setInterval(() => void loadHealth(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [there]);
}

export function DutyPanel(): JSX.Element | null {
  const shift = shiftToBegin(me.value, nowMs.value);
  const [again, setAgain] = useState(false);
  const known = ownHealth(health.value, me.value);
  const begunAt = known?.duty?.at ?? null;
  // Whenever a shift has been begun anew, the asking is over.
  useEffect(() => setAgain(false), [begunAt]);
  if (shift === null || known === null) return null;
  if (hasBegun(known, shift.from) && !again) return <Begun known={known} again={() => setAgain(true)} />;
  const intro = shift.to
    ? t("dutyIntro", {
        role: shiftName(shift.role ?? ""),
        from: hourMinute(shift.from),
        to: hourMinute(shift.to),
      })
    : t("dutyIntroSoon", { from: hourMinute(shift.from) });
  return (
    <section class="card duty-panel" data-testid="duty-panel" aria-label={t("dutyTitle")}>
      <h2>{t("dutyTitle")}</h2>
      <DutyCheck intro={<p>{intro}</p>} />
    </section>
  );
}

/** Folded to a line where all is well; open while tests are under way, or where nothing gets through. */
function Begun({ known, again }: { known: DutyHealth; again: () => void }): JSX.Element | null {
  if (!known.duty) return null;
  const failed = known.channels.some((one) => one.address && one.works === false);
  const open = pending(known, nowMs.value) || !known.reachable || failed;
  return (
    <section class="card duty-panel duty-begun" data-testid="duty-panel" aria-label={t("dutyTitle")}>
      <div class="duty-line">
        <b class="num" data-testid="duty-begun">
          ✓ {t("dutyBegun", { at: hourMinute(known.duty.at) })}
        </b>
        {known.duty.sound ? (
          <span>✓ {t("dutySoundGood")}</span>
        ) : (
          <b class="late" data-testid="duty-no-sound">
            ⚠ {t("dutySilent")}
          </b>
        )}
        <Reach known={known} />
        <button type="button" class="act act-plain" data-testid="duty-retest" onClick={again}>
          {t("dutyAgain")}
        </button>
      </div>
      <details open={open}>
        <summary>{t("dutyDetails")}</summary>
        <ChannelList known={known} />
        <p>
          <a class="act act-link" href="/contacts">
            {t("dutyFix")} ▸
          </a>
        </p>
      </details>
    </section>
  );
}
