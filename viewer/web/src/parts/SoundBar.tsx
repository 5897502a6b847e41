/** Who is on duty at a board that makes no sound is told so on every page, until it does. */
import type { JSX } from "preact";
import { may, me } from "../state/session";
import { soundState, turnSoundOn } from "../state/sound";
import { t } from "../texts";

export function SoundBar(): JSX.Element | null {
  const who = me.value;
  const state = soundState();
  if (!who?.on_duty || !may("answer", who.user.role) || state === "on") return null;
  return (
    <div class="sound-bar" role="alert" data-testid="sound-bar">
      <b>⚠ {t(state === "off" ? "soundBarOff" : "soundBar")}</b>
      <button type="button" class="act act-strong act-big" onClick={() => void turnSoundOn()}>
        ♪ {t("soundBarAct")}
      </button>
    </div>
  );
}
