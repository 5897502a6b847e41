/** What the paper says besides the trace, in the reader's language. */
import type { Facts } from "../paper/facts";
import { type Pace, paceText } from "../paper/scale";
import type { Notes } from "../paper/scene";
import type { Waveform } from "../paper/waveform";
import { drawable, shortName } from "../paper/waves";
import { against } from "../state/evidence";
import { quantity } from "../state/quantities";
import { t } from "../texts";
import type { Evidence } from "../wire";

/** Beside a lead's name there is room for this many values. */
const SHORT_VALUES = 2;

export type PaperNotes = Notes & { label(evidence: Evidence): string };

export function notesOf(facts: Facts, footer: string): PaperNotes {
  const short = new Map<string, string>();
  const levels = new Map<string, Evidence[]>();
  for (const lead of new Set(facts.evidence.map((e) => e.lead))) {
    const found = lead === null ? [] : drawable(facts.evidence, lead, facts.trace);
    if (lead === null || found.length === 0) continue;
    const values = found.slice(0, SHORT_VALUES).map(shortText);
    const more = found.length - values.length;
    short.set(lead, values.join(" · ") + (more > 0 ? ` +${more}` : ""));
    levels.set(lead, found);
  }
  return {
    unusable: facts.unusable,
    evidence: short,
    levels,
    beats: facts.beats,
    unusableWord: t("unusable"),
    missingWord: t("notRecorded"),
    footer,
    label: (e) => `${shortName(e.quantity)} ${against(e)}`,
  };
}

/** ST at J is what everybody looks for and needs no name. */
const shortText = (e: Evidence): string =>
  (e.quantity === "stj_mv" ? "" : `${shortName(e.quantity)} `) + quantity(e.quantity, e.value);

/** What the device says that it filtered; nothing where nobody could say it. */
export function filterText({ lowCutHz, highCutHz }: Waveform): string | null {
  if (lowCutHz === undefined || highCutHz === undefined) return null;
  const [low, high] = [lowCutHz, highCutHz];
  if (low !== null && high !== null)
    return t("deviceFilter", { band: t("filterBand", { from: low, to: high }) });
  if (low !== null) return t("deviceFilter", { band: t("filterFrom", { n: low }) });
  if (high !== null) return t("deviceFilter", { band: t("filterTo", { n: high }) });
  return t("deviceFilterUnknown");
}

/** How this paper compares with a true millimetre. */
export function sizeText(pxPerMm: number, truePxPerMm: number | null): string {
  if (truePxPerMm === null) return t("sizeUnknown");
  const percent = Math.round((pxPerMm / truePxPerMm) * 100);
  return percent === 100 ? t("sizeTrue") : t("sizeTimes", { n: percent });
}

/** What every recorder prints below the trace: speed, gain, filter; and what a screen must say of its size. */
export const footerText = (pace: Pace, wave: Waveform, size: string, more: string | null): string =>
  [paceText(pace), filterText(wave), t("asRecorded"), size, more].filter(Boolean).join(" · ");
