/** Whose words stand first: the doctor's, once signed, unless another ECG of the case is more urgent. Pure. */
import type { EcgSummary, Reading, Row, Tier } from "../wire";

const RANKS: readonly Tier[] = ["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"];
const HIGH: readonly (Tier | null)[] = ["ACT", "CRIT"];

/** 0 for the most urgent; what was not read comes last. */
const rank = (tier: Tier | null): number => (tier === null ? RANKS.length : RANKS.indexOf(tier));

function signedTier(row: Row, ecg: EcgSummary): Tier | null {
  return ecg.signed_tier ?? (row.reading?.ecg_id === ecg.ecg_id ? row.reading.tier : null);
}

export interface SignedOf {
  tier: Tier;
  /** Its words; null where the row has them no more, since another ECG of the case was read later. */
  reading: Reading | null;
}

/** What a doctor signed for one ECG; null where nobody has. */
export function signedOf(row: Row | undefined, ecgId: string): SignedOf | null {
  const reading = row?.reading?.ecg_id === ecgId ? row.reading : null;
  const tier = reading?.tier ?? row?.ecgs.find((ecg) => ecg.ecg_id === ecgId)?.signed_tier ?? null;
  return tier === null ? null : { tier, reading };
}

/**
 * The signed reading that stands first in the case; null where the machine's words must.
 *
 * A reading speaks for its own ECG: an infarction that another ECG of the case shows is not settled by it.
 */
export function signedFirst(row: Row): Reading | null {
  const { reading } = row;
  if (!reading) return null;
  const others = row.ecgs.filter((ecg) => ecg.ecg_id !== reading.ecg_id);
  const hidden = others.some((ecg) => rank(signedTier(row, ecg) ?? ecg.tier) < rank(reading.tier));
  return hidden ? null : reading;
}

/** The tier that the case is shown under: the doctor's where that stands first, else the service's. */
export const shownTier = (row: Row): Tier | null => signedFirst(row)?.tier ?? row.tier;

/** The case's words are about a picture of paper, which no machine has read. */
export const onPaper = (row: Row): boolean =>
  row.ecgs.some((ecg) => ecg.ecg_id === row.ecg_id && ecg.not_analysed !== null);

/** What a doctor signed for the ECG that the machine's words are about; null where nobody has. */
function signedForHeadline(row: Row): Tier | null {
  const worst = row.ecgs.find((ecg) => ecg.ecg_id === row.ecg_id);
  return worst ? signedTier(row, worst) : (row.reading?.tier ?? null);
}

/** The doctor's tier is the machine's. Only then are the machine's words reviewed and accepted. */
export const agreed = (row: Row): boolean => {
  const signed = signedForHeadline(row);
  return signed !== null && signed === row.tier;
};

/** A doctor has signed another tier. Where nobody has signed this ECG, nobody has disagreed. */
export const disagreed = (row: Row): boolean => signedForHeadline(row) !== null && !agreed(row);

/** Is the channel the next thing to offer? By what a doctor signed; by the machine's ACT where nobody has. */
export function proposesChannel(row: Row): boolean {
  if (row.state !== "open" || row.green_channel.state !== "closed") return false;
  if (!row.reading) return row.tier === "ACT";
  if (HIGH.includes(row.reading.tier)) return true;
  return row.ecgs.some((ecg) => {
    const signed = signedTier(row, ecg);
    return signed === null ? ecg.tier === "ACT" : HIGH.includes(signed);
  });
}
