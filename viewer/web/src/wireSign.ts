/** What a doctor may take for a reading: the types of `GET /ecgs/{id}/templates`. */
import type { Tier } from "./wire";

export interface Offer {
  id: string;
  zh: string;
  en: string;
  /** Of a reading: what it is signed with; null for advice and reasons. */
  tier: Tier | null;
  /** Findings for which it stands up front. */
  fits: string[];
  /** The site's own words. */
  of_site: boolean;
  source: string;
  mark: string;
}

export interface Offers {
  readings: Offer[];
  advice: Offer[];
  reasons: Offer[];
}

/** The first reading of an ECG, which a later one amends and never replaces. */
export interface Amended {
  at: string;
  tier: Tier;
  text: string;
  person: string;
  name: string | null;
  /** How many readings there are by now. */
  readings: number;
}
