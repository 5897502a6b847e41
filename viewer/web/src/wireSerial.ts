/** Earlier ECGs of a patient, and one of them compared with the present one. */
import type { Reading, Said, Site, Tier } from "./wire";

export interface EarlierEcg {
  ecg_id: string;
  case_id: string;
  same_case: boolean;
  site: Site;
  /** When it was recorded, by the clock `at_source`; `received` where only its arrival is known. */
  at: string;
  at_source: string;
  device: string | null;
  tier: Tier | null;
  acceptable: boolean | null;
  leads: string[];
  electrode_set: string;
  /** Its chest electrodes were at the same places. */
  same_placement: boolean;
  /** Why the machine reads nothing: "paper". */
  not_analysed: string | null;
  reading: Reading | null;
}

export interface Previous {
  ecg_id: string;
  case_id: string;
  at: string | null;
  total: number;
  previous: EarlierEcg[];
}

export interface Changed {
  earlier: number | null;
  later: number | null;
  change: number | null;
}

export interface LeadChange {
  values: Record<string, Changed>;
  t_polarity_changed: boolean;
  /** What changed by more than measuring error. */
  exceeds: string[];
}

/** One line in words; `lead` is null for the whole heart. */
export interface Difference extends Said, Changed {
  lead: string | null;
  quantity: string;
}

/** Positions in seconds from the beat's first sample. */
export interface ComparedBeat {
  rate_hz: number;
  r_s: number;
  qrs_on_s: number;
  qrs_off_s: number;
}

/** Always the later against the earlier of the two. */
export interface Serial {
  ecg_id: string;
  with: string;
  earlier: EarlierEcg;
  later: EarlierEcg;
  compared: boolean;
  reason: (Said & { code: string }) | null;
  /** By how much R of the later beat lies later. */
  shift_ms: number | null;
  leads: Record<string, LeadChange>;
  differences: Difference[];
  beats: { earlier: ComparedBeat | null; later: ComparedBeat | null };
  /** R waves of both strips, in seconds from each first sample. */
  r_s: { earlier: number[]; later: number[] };
}
