/** What was taken, to be changed before it is signed: words, tier, why it differs, and advice to the clinic. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { lang } from "../state/prefs";
import { BLANK, type Draft, toggleAdvice, toggled, withdraws, withTier } from "../state/signing";
import { say, t } from "../texts";
import type { Analysis, Tier } from "../wire";
import type { Offer, Offers } from "../wireSign";
import { signedTierWord } from "./bits";

const TIERS: readonly Tier[] = ["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"];
/** Sentences of advice in sight at once; the others are one tap away. */
const FIRST = 5;

interface Props {
  draft: Draft;
  change: (draft: Draft) => void;
  offers: Offers | null;
  analysis: Analysis | null;
}

export function SignWrite({ draft, change, offers, analysis }: Props): JSX.Element {
  const text = useRef<HTMLTextAreaElement>(null);
  const advice = useRef<HTMLTextAreaElement>(null);
  const why = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (draft.taken === "own") text.current?.focus();
    else if (draft.text.includes(BLANK) && text.current) toBlank(text.current);
    else if (draft.disagrees && draft.reason === "") why.current?.focus();
  }, [draft.taken]);
  const stop = lang.value === "zh" ? ";" : "; ";
  const advise = (sentence: string): void => {
    change(toggleAdvice(draft, sentence, stop));
    requestAnimationFrame(() => advice.current && toBlank(advice.current));
  };
  return (
    <div class="sign-write">
      <label>
        {t("signText")}
        <textarea
          rows={3}
          ref={text}
          value={draft.text}
          data-testid="sign-text"
          onInput={(event) => change({ ...draft, text: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("signTier")}
        <select
          value={draft.tier}
          data-testid="sign-tier"
          onChange={(event) => change(withTier(draft, event.currentTarget.value as Tier, analysis))}
        >
          {TIERS.map((each) => (
            <option key={each} value={each}>
              {each} {signedTierWord(each)}
            </option>
          ))}
        </select>
      </label>
      {analysis && (
        <Disagreement draft={draft} change={change} reasons={offers?.reasons ?? []} stop={stop} why={why} />
      )}
      <label>
        {t("adviceFor")}
        <textarea
          rows={2}
          ref={advice}
          value={draft.advice}
          data-testid="sign-advice"
          onInput={(event) => change({ ...draft, advice: event.currentTarget.value })}
        />
      </label>
      {withdraws(draft) && (
        <p class="late" role="status" data-testid="sign-withdraws">
          ⚠ {t("signWithdraws", { advice: draft.held ?? "" })}
        </p>
      )}
      <Advice offers={offers?.advice ?? []} said={draft.advice.split(stop)} advise={advise} />
    </div>
  );
}

/** The first blank is selected, so that what is typed takes its place. */
function toBlank(area: HTMLTextAreaElement): void {
  const at = area.value.indexOf(BLANK);
  if (at < 0) return;
  area.focus();
  area.setSelectionRange(at, at + BLANK.length);
}

interface DisagreementProps {
  draft: Draft;
  change: (draft: Draft) => void;
  reasons: Offer[];
  /** Between two sentences. */
  stop: string;
  why: { current: HTMLInputElement | null };
}

function Disagreement({ draft, change, reasons, stop, why }: DisagreementProps): JSX.Element {
  const said = draft.reason.split(stop);
  return (
    <>
      <label class="sign-check">
        <input
          type="checkbox"
          checked={draft.disagrees}
          data-testid="sign-disagrees"
          onChange={(event) => change({ ...draft, disagrees: event.currentTarget.checked })}
        />
        {t("signDisagrees")}
      </label>
      {draft.disagrees && (
        <>
          <div class="chips">
            {reasons.map((reason) => (
              <button
                type="button"
                key={reason.id}
                class="chip"
                aria-pressed={said.includes(say(reason))}
                data-testid={`sign-reason-${reason.id}`}
                onClick={() => change({ ...draft, reason: toggled(draft.reason, say(reason), stop) })}
              >
                {say(reason)}
              </button>
            ))}
          </div>
          <label>
            {t("signReason")}
            <input
              ref={why}
              value={draft.reason}
              maxLength={500}
              data-testid="sign-reason"
              onInput={(event) => change({ ...draft, reason: event.currentTarget.value })}
            />
          </label>
        </>
      )}
    </>
  );
}

interface AdviceProps {
  offers: Offer[];
  said: string[];
  advise: (sentence: string) => void;
}

function Advice({ offers, said, advise }: AdviceProps): JSX.Element {
  const chip = (offer: Offer): JSX.Element => (
    <button
      type="button"
      key={offer.id}
      class="chip"
      aria-pressed={said.includes(say(offer))}
      title={offer.source}
      data-testid={`sign-advise-${offer.id}`}
      onClick={() => advise(say(offer))}
    >
      {said.includes(say(offer)) ? "✓ " : "+ "}
      {say(offer)}
      {offer.of_site && <span class="muted"> · {t("signSite")}</span>}
    </button>
  );
  return (
    <fieldset class="sign-advice" aria-label={t("signAdviceTemplates")}>
      <div class="chips">{offers.slice(0, FIRST).map(chip)}</div>
      {offers.length > FIRST && (
        <details class="sign-more">
          <summary>{t("signMore", { n: offers.length - FIRST })}</summary>
          <div class="chips">{offers.slice(FIRST).map(chip)}</div>
        </details>
      )}
    </fieldset>
  );
}
