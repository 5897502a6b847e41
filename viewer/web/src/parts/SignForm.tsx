/** The doctor's reading in three taps: open, take a sentence, sign. What is typed survives until it is signed. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { signReading, trouble } from "../state/acts";
import { Problem } from "../state/api";
import { timeOfDay } from "../state/format";
import { lang } from "../state/prefs";
import { me } from "../state/session";
import {
  type Draft,
  emptyDraft,
  giveBack,
  keepDraft,
  keptDraft,
  missing,
  newestSeq,
  signedBody,
  take,
  unsigned,
} from "../state/signing";
import "../styles/sign.css";
import { say, t } from "../texts";
import type { Analysis, Row, Tier } from "../wire";
import type { Offer, Offers } from "../wireSign";
import { Act, signedTierWord, TierMark } from "./bits";
import { useLoaded } from "./load";
import { SignWrite } from "./SignWrite";
import { useKeydown } from "./useKeydown";

// What is typed lives in this page alone, so the browser asks before it goes.
addEventListener("beforeunload", (event) => {
  if (unsigned()) event.preventDefault();
});

/** Until the doctor says otherwise a paper ECG stays as urgent as it came. */
const PAPER_TIER: Tier = "URG";
/** Sentences in sight at once; the others are one tap away. */
const FIRST = 4;

interface Props {
  ecgId: string;
  /** Null for a paper ECG: there is nothing to agree with. */
  analysis: Analysis | null;
  row: Row;
}

interface Choice {
  id: string;
  text: string;
  tier: Tier | null;
  note: string;
}

/** The machine's words as a draft; the doctor's name makes them a reading. */
const draftOf = (analysis: Analysis): string =>
  analysis.findings.length === 0
    ? t("noRule")
    : analysis.findings.map(say).join(lang.value === "zh" ? ";" : "; ");

export function SignForm({ ecgId, analysis, row }: Props): JSX.Element {
  const summary = row.ecgs.find((ecg) => ecg.ecg_id === ecgId);
  const newest = newestSeq(summary);
  const person = me.value?.user.id ?? "";
  const [draft, setDraft] = useState<Draft | null>(() => keptDraft(person, ecgId));
  const [open, setOpen] = useState(draft !== null);
  const { value: offers } = useLoaded<Offers>(
    open ? `/ecgs/${encodeURIComponent(ecgId)}/templates` : null,
    analysis?.tier,
  );
  const change = (next: Draft | null): void => {
    keepDraft(person, ecgId, next);
    setDraft(next);
  };
  const begin = (): void => {
    if (draft === null)
      change(emptyDraft(analysis?.tier ?? PAPER_TIER, newest, summary?.standing_advice ?? ""));
    setOpen(true);
  };
  const sign = async (): Promise<void> => {
    if (draft === null || missing(draft) !== null || draft.after !== newest) return;
    if (await signReading(ecgId, signedBody(draft, analysis))) {
      change(null);
      setOpen(false);
      return;
    }
    const said = trouble.value;
    if (said instanceof Problem && said.code === "reading_changed") {
      trouble.value = null;
      setRefused(true);
    }
  };
  // Refused before the row says so itself: somebody has signed, and this page has not heard of it yet.
  const [refused, setRefused] = useState(false);
  const behind = draft !== null && (draft.after !== newest || refused);
  const choices = choicesOf(analysis, offers, row, ecgId);
  const pick = (choice: Choice): void => {
    if (draft !== null) change(take(draft, choice, analysis));
  };
  const form = useRef<HTMLElement>(null);
  const taken = draft?.taken ?? null;
  useEffect(() => {
    // What comes next has the focus: a blank or a reason where one is missing (there), else the act itself.
    // Where a template came to one's own words, that is looked at first.
    if (open && taken !== null && draft !== null && draft.before === null && missing(draft) === null)
      form.current?.querySelector<HTMLElement>("[data-testid=sign-send]")?.focus();
  }, [taken, open]);
  useKeys({ open, begin, close: () => setOpen(false), choices, pick, sign, form });
  const reading = row.reading?.ecg_id === ecgId ? row.reading : null;
  if (!open || draft === null)
    return (
      <section class="card sign" data-testid="sign-form">
        <div class="acts">
          <Act name="sign-open" kind="strong" big testid="sign-open" run={begin}>
            {t(newest > 0 ? "signAmend" : "signOpen")} <kbd class="wide-only">S</kbd>
          </Act>
        </div>
      </section>
    );
  return (
    <section class="card sign" data-testid="sign-form" ref={form}>
      <h3>{t("signPick")}</h3>
      {behind && (
        <div class="sign-meanwhile" role="alert" data-testid="sign-meanwhile">
          <p>
            {reading && newest !== draft.after
              ? t("signMeanwhile", {
                  who: reading.name ?? reading.actor ?? "",
                  at: timeOfDay(reading.at),
                  text: reading.text,
                })
              : t("signMeanwhileUnknown")}
          </p>
          <Act
            name="sign-seen"
            testid="sign-seen"
            disabled={newest === draft.after}
            run={() => {
              setRefused(false);
              change({ ...draft, after: newest });
            }}
          >
            {t("signSeen")}
          </Act>
        </div>
      )}
      <Choices choices={choices} taken={draft.taken} pick={pick} />
      {draft.before !== null && (
        <p class="sign-added" role="status" data-testid="sign-added">
          {t("signAdded")}{" "}
          <Act name="sign-back" testid="sign-back" run={() => change(giveBack(draft))}>
            {t("signBack")}
          </Act>
        </p>
      )}
      {draft.taken !== null && (
        <SignWrite draft={draft} change={change} offers={offers} analysis={analysis} />
      )}
      <div class="sign-bar">
        <Act
          name={`reading ${ecgId}`}
          kind="strong"
          big
          testid="sign-send"
          disabled={behind || missing(draft) !== null}
          run={sign}
        >
          {t("signAs", { tier: signedTierWord(draft.tier) })}
        </Act>
        <Act name="sign-close" testid="sign-close" run={() => setOpen(false)}>
          {t("close")}
        </Act>
        <span class="muted" role="status" data-testid="sign-needs">
          {needs(draft)}
        </span>
      </div>
      <p class="muted wide-only">{t("signHint")}</p>
    </section>
  );
}

function needs(draft: Draft): string {
  const lacks = missing(draft);
  return lacks === null ? "" : t(`signNeeds_${lacks}`);
}

/** The last signed words first where there are some, then what fits, the machine's words, the rest, and one's own. */
function choicesOf(analysis: Analysis | null, offers: Offers | null, row: Row, ecgId: string): Choice[] {
  const templates = (offers?.readings ?? []).map(ofTemplate);
  const fitting = templates.filter((_, index) => (offers?.readings[index]?.fits.length ?? 0) > 0);
  const rest = templates.filter((each) => !fitting.includes(each));
  const reading = row.reading?.ecg_id === ecgId ? row.reading : null;
  const last = reading && { id: "last", text: reading.text, tier: reading.tier, note: reading.name ?? "" };
  const machine = analysis && {
    id: "machine",
    text: draftOf(analysis),
    tier: analysis.tier,
    note: t("signMachine"),
  };
  const own: Choice = { id: "own", text: "", tier: null, note: t("signOwn") };
  return [last, ...fitting, machine, ...rest, own].filter((each) => each !== null);
}

function ofTemplate(offer: Offer): Choice {
  const notes = [
    offer.fits.length > 0 && t("signFits", { rules: offer.fits.join(" ") }),
    offer.of_site && t("signSite"),
  ];
  return { id: offer.id, text: say(offer), tier: offer.tier, note: notes.filter(Boolean).join(" · ") };
}

interface ChoicesProps {
  choices: Choice[];
  taken: string | null;
  pick: (choice: Choice) => void;
}

/** Before one is taken, what fits best and one's own; afterwards the one that was taken. The rest is one tap away. */
function Choices({ choices, taken, pick }: ChoicesProps): JSX.Element {
  const chosen = choices.find((each) => each.id === taken);
  const inSight = (choice: Choice, index: number): boolean =>
    chosen ? choice === chosen : index < FIRST || choice.id === "own";
  const more = choices.filter((choice, index) => !inSight(choice, index));
  const button = (choice: Choice): JSX.Element => {
    const key = choices.indexOf(choice) + 1;
    return (
      <button
        type="button"
        key={choice.id}
        class="sign-offer"
        aria-pressed={taken === choice.id}
        data-testid={`sign-take-${choice.id}`}
        onClick={() => pick(choice)}
      >
        {key <= 9 && <kbd class="wide-only">{key}</kbd>}
        <span class="words">{choice.text || choice.note}</span>
        {choice.tier && <TierMark tier={choice.tier} signed />}
        {choice.text && choice.note && <span class="muted">{choice.note}</span>}
      </button>
    );
  };
  return (
    <fieldset class="sign-offers" aria-label={t("signTemplates")}>
      {choices.filter(inSight).map(button)}
      {more.length > 0 && (
        <details class="sign-more" key={taken}>
          <summary data-testid="sign-more">{t("signMore", { n: more.length })}</summary>
          <div class="sign-offers">{more.map(button)}</div>
        </details>
      )}
    </fieldset>
  );
}

interface Keys {
  open: boolean;
  begin: () => void;
  close: () => void;
  choices: Choice[];
  pick: (choice: Choice) => void;
  sign: () => Promise<void>;
  form: { current: HTMLElement | null };
}

/** S opens; a number takes; Ctrl and Enter sign, also from within a text; Escape closes and keeps what was typed. */
function useKeys(keys: Keys): void {
  useKeydown((event) => {
    if (event.defaultPrevented) return; // the paper has keys of its own while it has the focus
    const { open, begin, close, choices, pick, sign, form } = keys;
    const target = event.target as HTMLElement;
    if (open && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void sign();
      return;
    }
    if (open && event.key === "Escape" && form.current?.contains(target)) close();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input, textarea, select")) return;
    const choice = /^[1-9]$/.test(event.key) ? choices[Number(event.key) - 1] : undefined;
    if (open && choice) pick(choice);
    else if (!open && event.key.toLowerCase() === "s") {
      event.preventDefault();
      begin();
    } else if (open && event.key === "Escape") close();
  });
}
