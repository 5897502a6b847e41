/** What do I do if no doctor answers, whom do I call, and what do the signs mean? */
import type { JSX } from "preact";
import { Section } from "../parts/bits";
import { useRosterNow } from "../parts/OnDutyNow";
import { lang } from "../state/prefs";
import { onDutyNow } from "../state/roster";
import { me } from "../state/session";
import "../styles/tour.css";
import { shiftName, type TextKey, TIERS, t, tierWord } from "../texts";
import { type TourText, tt } from "../textsTour";
import type { Tier } from "../wire";

const KEYS: readonly (readonly [key: string, says: TextKey])[] = [
  ["J / K", "helpNext"],
  ["Enter", "helpOpen"],
  ["A", "helpAck"],
  ["G", "helpGreen"],
  ["C", "helpCalipers"],
  ["/", "helpFilterBoard"],
  ["Esc", "helpClose"],
  ["?", "helpTitle"],
];
const EMERGENCY = "120";

export function HelpPage(): JSX.Element {
  return (
    <main class="page help-page" data-testid="help-page">
      <h2>{tt("helpTitle")}</h2>
      <p class="acts">
        <a class="act act-strong act-big" href="/tour" data-testid="tour-start">
          ▸ {tt("tourStart")}
        </a>
      </p>
      <Nobody />
      <Who />
      <Section title={tt("coloursTitle")}>
        <p class="muted">{tt("coloursIntro")}</p>
        <dl class="keys">
          {(Object.keys(TIERS) as Tier[]).map((tier) => (
            <div key={tier}>
              <dt class={`tier tier-${tier.toLowerCase()}`}>
                <span aria-hidden="true">{TIERS[tier].shape}</span> {tierWord(tier)}
              </dt>
              <dd>{tt(`tier${tier}` as TourText)}</dd>
            </div>
          ))}
        </dl>
        <h3>{tt("signsTitle")}</h3>
        <ul class="help-signs">
          {(["signHatched", "signLost", "signUnknown"] as const).map((sign) => (
            <li key={sign}>{tt(sign)}</li>
          ))}
        </ul>
      </Section>
      <Section title={tt("keysTitle")}>
        <dl class="keys">
          {KEYS.map(([key, says]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{t(says)}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title={tt("offlineTitle")}>
        <p>{tt("offline")}</p>
      </Section>
    </main>
  );
}

function Nobody(): JSX.Element {
  const fallback = me.value?.fallback ?? null;
  return (
    <Section title={tt("nobodyTitle")}>
      <div class="form" data-testid="help-nobody">
        <p>{tt("nobody1")}</p>
        <p>
          <b>{tt("nobody2")}</b>
        </p>
        <p class="acts">
          {fallback?.phone && (
            <a class="act act-strong act-big num" href={`tel:${fallback.phone}`} data-testid="help-call">
              ☎{" "}
              {tt("callFallback", {
                who: lang.value === "zh" ? fallback.name_zh : fallback.name_en,
                phone: fallback.phone,
              })}
            </a>
          )}
          <a class="act act-plain act-big num" href={`tel:${EMERGENCY}`}>
            ☎ {tt("nobody3")}
          </a>
        </p>
        {!fallback?.phone && <p class="late">! {tt("noFallback")}</p>}
      </div>
    </Section>
  );
}

function Who(): JSX.Element | null {
  const now = useRosterNow();
  if (!now) return null;
  return (
    <Section title={tt("whoTitle")}>
      <ul class="help-signs">
        {onDutyNow(now, me.value).map(([place, shift]) => (
          <li key={place}>
            <span class="muted">{shiftName(place)}</span>{" "}
            {shift ? <b>{shift.name ?? shift.person}</b> : <b class="late">! {t("rosterNobody")}</b>}
          </li>
        ))}
      </ul>
    </Section>
  );
}
