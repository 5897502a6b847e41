/** One button: the alarm sounds, the person says whether it was heard, and each channel brings a test. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { nowMs } from "../state/clock";
import { channelState, LIVE, startDuty } from "../state/duty";
import { hourMinute } from "../state/format";
import { lang } from "../state/prefs";
import { testTone } from "../state/sound";
import { t } from "../texts";
import type { ChannelHealth, DutyHealth } from "../wireDuty";
import { Act } from "./bits";

type Asked = "not" | "playing" | "heard?" | "mute";

interface Props {
  intro: ComponentChildren;
  /** The word on the button, where it does not begin a shift. */
  listen?: string;
}

export function DutyCheck({ intro, listen: word }: Props): JSX.Element {
  const [asked, setAsked] = useState<Asked>("not");
  const listen = async (): Promise<void> => {
    setAsked("playing");
    setAsked((await testTone()) ? "heard?" : "mute");
  };
  const start = async (sound: boolean): Promise<void> => {
    if (await startDuty(sound, () => nowMs.value)) setAsked("not");
  };
  const again = (
    <Act name="tone" testid="duty-again" run={listen}>
      ♪ {t("dutyHeardAgain")}
    </Act>
  );
  if (asked === "not" || asked === "playing") {
    return (
      <>
        {intro}
        <Act name="tone" kind="strong" big testid="duty-listen" disabled={asked === "playing"} run={listen}>
          ♪ {word ?? t("dutyListen")}
        </Act>
      </>
    );
  }
  return asked === "heard?" ? (
    <>
      <p class="duty-question" role="status">
        {t("dutyHeard")}
      </p>
      <p class="acts">
        <Act name="duty" kind="strong" big testid="duty-heard" run={() => start(true)}>
          ✓ {t("dutyHeardYes")}
        </Act>
        {again}
        <Act name="duty-no" testid="duty-not-heard" run={() => setAsked("mute")}>
          {t("dutyHeardNo")}
        </Act>
      </p>
    </>
  ) : (
    <>
      <p class="duty-question late" role="alert">
        ⚠ {t("soundWaiting")}
      </p>
      <p>{t("dutyMute")}</p>
      <p class="acts">
        {again}
        <Act name="duty" testid="duty-without-sound" run={() => start(false)}>
          {t("dutyWithoutSound")}
        </Act>
      </p>
    </>
  );
}

/** Whether an alert gets through, in a sentence; and where to mend it where it does not. */
export function Reach({ known }: { known: DutyHealth }): JSX.Element {
  if (known.reachable) {
    return (
      <p class="reach" data-testid="reach">
        ✓ {t("dutyReachable")}
      </p>
    );
  }
  const why = known.why?.[lang.value] ?? t("reasonUnknown");
  return (
    <p class="reach unreachable" role="alert" data-testid="reach">
      <b>✕ {t("dutyUnreachable")}</b> · {t("dutyUnreachableLong", { why })}
    </p>
  );
}

/** Each channel with an address, and what its last test brought; those without one in a line. */
export function ChannelList({ known }: { known: DutyHealth }): JSX.Element {
  const entered = known.channels.filter((one) => one.address || one.channel === LIVE);
  const missing = known.channels.filter((one) => !entered.includes(one));
  return (
    <>
      <ul class="channels" data-testid="channels">
        {entered.map((one) => (
          <OneChannel key={one.channel} one={one} known={known} />
        ))}
      </ul>
      {missing.length > 0 && (
        <p class="muted">
          {t("dutyNoAddress", {
            names: missing.map((one) => one[lang.value]).join(lang.value === "zh" ? "、" : ", "),
          })}
        </p>
      )}
    </>
  );
}

const SIGNS = { works: "✓", failed: "✕", waiting: "…", unknown: "○", no_address: "○" } as const;

function OneChannel({ one, known }: { one: ChannelHealth; known: DutyHealth }): JSX.Element {
  const state = channelState(one, known.duty, nowMs.value);
  return (
    <li class={`channel channel-${state}`} data-testid={`channel-${one.channel}`} data-state={state}>
      <b>
        <span aria-hidden="true">{SIGNS[state]}</span> {one[lang.value]}
      </b>
      <span class="num">
        {channelWords(one, state)}{" "}
        {!one.enough_alone && state === "works" && <span class="muted">{t("channelNotAlone")}</span>}
      </span>
    </li>
  );
}

function channelWords(one: ChannelHealth, state: keyof typeof SIGNS): string {
  const why = one.last_reason?.[lang.value] ?? t("reasonUnknown");
  switch (state) {
    case "works":
      return t("channelWorks", { at: hourMinute(one.last_ok_at) });
    case "failed":
      return t("channelFailed", { at: hourMinute(one.last_failed_at), why });
    case "waiting":
      return t("channelWaiting");
    default:
      return t("channelUnknown");
  }
}
