/** A reading that is being written: pure steps from what was taken and typed to what is signed. */
import type { Analysis, EcgSummary, Tier } from "../wire";

/** What a person must fill in; a text that still has it is not signed. */
export const BLANK = "___";

/** What taking a template changes. */
export interface Words {
  /** The template that was taken: its id, `machine` for the machine's words, `own` for one's own. */
  taken: string | null;
  text: string;
  /** What `text` was when it was last taken: what differs from it somebody has typed. */
  given: string;
  tier: Tier;
  /** Disagrees with the automatic analysis; follows the tier until somebody says otherwise. */
  disagrees: boolean;
}

export interface Draft extends Words {
  advice: string;
  reason: string;
  /** What stood before a template was added to one's own words, to be had back. */
  before: Words | null;
  /** `seq` of the newest reading of the ECG that the signer has seen, 0 for none. */
  after: number;
  /** The advice that holds when an amendment is begun: emptied, it is taken back. */
  held?: string;
}

/**
 * Kept while the page is open, so that nothing typed is lost by a look at another ECG, nor by signing in again. Never
 * stored, and shown to nobody else: a reading bears the name of who signs it.
 */
const drafts = new Map<string, Draft>();

const keyOf = (person: string, ecgId: string): string => JSON.stringify([person, ecgId]);

export const keptDraft = (person: string, ecgId: string): Draft | null =>
  drafts.get(keyOf(person, ecgId)) ?? null;

export function keepDraft(person: string, ecgId: string, draft: Draft | null): void {
  if (draft === null) drafts.delete(keyOf(person, ecgId));
  else drafts.set(keyOf(person, ecgId), draft);
}

/** Has somebody typed what is not signed yet? */
export const unsigned = (): boolean => [...drafts.values()].some((draft) => draft.text.trim() !== "");

export const newestSeq = (ecg: EcgSummary | undefined): number => ecg?.signed_seq ?? 0;

/** `held`: advice of this ECG that holds; an amendment begins with it, so that it is kept, changed or taken back knowingly. */
export function emptyDraft(tier: Tier, after: number, held = ""): Draft {
  return {
    taken: null,
    text: "",
    given: "",
    tier,
    advice: held,
    disagrees: false,
    reason: "",
    before: null,
    after,
    held,
  };
}

/** Does the draft take back advice that holds? */
export const withdraws = (draft: Draft): boolean => !!draft.held && draft.advice.trim() === "";

interface Taken {
  id: string;
  text: string;
  tier: Tier | null;
}

const wordsOf = ({ taken, text, given, tier, disagrees }: Draft): Words => ({
  taken,
  text,
  given,
  tier,
  disagrees,
});

/** Has somebody typed what no template gives back? */
export const hasOwnWords = (draft: Draft): boolean =>
  draft.text.trim() !== "" && draft.text.trim() !== draft.given.trim();

/**
 * Take a template: its words and tier; whether that disagrees with the machine follows from the tier. What somebody
 * has typed is never replaced: the template comes after it, and what stood before can be had back.
 */
export function take(draft: Draft, taken: Taken, machine: Analysis | null): Draft {
  const tier = taken.tier ?? draft.tier;
  const next = { ...draft, taken: taken.id, tier, disagrees: machine !== null && machine.tier !== tier };
  if (!hasOwnWords(draft)) return { ...next, text: taken.text, given: taken.text, before: null };
  // One's own words are in the field already, or the template is among them.
  if (draft.text.includes(taken.text)) {
    const same = next.tier === draft.tier;
    return {
      ...next,
      disagrees: same ? draft.disagrees : next.disagrees,
      before: same ? draft.before : wordsOf(draft),
    };
  }
  return { ...next, text: `${draft.text.trimEnd()}\n${taken.text}`, before: wordsOf(draft) };
}

/** Back to what stood before; and there again, since that is kept in turn. */
export const giveBack = (draft: Draft): Draft =>
  draft.before === null ? draft : { ...draft, ...draft.before, before: wordsOf(draft) };

export function withTier(draft: Draft, tier: Tier, machine: Analysis | null): Draft {
  return { ...draft, tier, disagrees: machine !== null && machine.tier !== tier };
}

/** Add a sentence to what was written, or take it out again; whatever else stands there stays. */
export function toggled(written: string, sentence: string, stop: string): string {
  const said = written === "" ? [] : written.split(stop);
  const without = said.filter((each) => each !== sentence);
  return (without.length < said.length ? without : [...said, sentence]).join(stop);
}

export const toggleAdvice = (draft: Draft, sentence: string, stop: string): Draft => ({
  ...draft,
  advice: toggled(draft.advice, sentence, stop),
});

export type Missing = "text" | "blank" | "reason" | null;

/** What still keeps the draft from being signed. */
export function missing(draft: Draft): Missing {
  if (draft.text.trim() === "") return "text";
  if (draft.text.includes(BLANK) || draft.advice.includes(BLANK)) return "blank";
  if (draft.disagrees && draft.reason.trim() === "") return "reason";
  return null;
}

/** The body that is sent. */
export function signedBody(draft: Draft, machine: Analysis | null) {
  return {
    text: draft.text.trim(),
    tier: draft.tier,
    advice: draft.advice.trim() || null,
    after: draft.after,
    ...(withdraws(draft) && { withdraws: true }),
    ...(machine !== null && { agrees: !draft.disagrees }),
    ...(draft.disagrees && { reason: draft.reason.trim() }),
  };
}
