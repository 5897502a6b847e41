/** The types of `/admin` in docs/wire-protocol.md. */
import type { Role, Site } from "./wire";
import type { DutyHealth } from "./wireDuty";

export interface AdminSite {
  id: string;
  name_zh: string;
  name_en: string;
  kind: "clinic" | "hub";
  town: string | null;
  phone: string | null;
  fallback_phone: string | null;
  distance_km: number | null;
  disabled: boolean;
}

export interface AdminDevice {
  id: string;
  site: string;
  name: string;
  disabled: boolean;
  last_ecg_at: string | null;
  last_contact_at: string | null;
  clock_level: string | null;
  offset_s: number | null;
  uncertainty_s: number | null;
  paired_at: string | null;
  code_until: string | null;
}

export interface AdminUser {
  id: string;
  name: string;
  role: Role;
  /** Null: every site. */
  sites: string[] | null;
  disabled: boolean;
  code_until: string | null;
}

/** Shown this once. */
export interface NewCode {
  code: string;
  expires_at: string;
}

export type AdminPerson = DutyHealth & { name: string; role: Role };

export interface AdminStep {
  after_s: number;
  role: string;
  again: string[];
  call: string[];
}

export interface AdminRules {
  newest: string;
  critical_list: string;
  lists: { name: string; zh: string; en: string }[];
  paging_tiers: string[];
  waiting_s: Record<string, number>;
  sites: {
    site: string;
    name_zh: string;
    name_en: string;
    version: string;
    chosen_list: string | null;
    own_steps: boolean;
    steps: AdminStep[];
  }[];
}

export interface QuarantinedFile {
  id: string;
  at: string;
  actor: string;
  name: string | null;
  reason: string;
  detail: string;
  size_bytes: number;
  whole: boolean;
  file: string;
  settled: {
    at: string;
    actor: string;
    name: string | null;
    what: "taken" | "discarded";
    reason: string | null;
    ecg_id: string | null;
    study_uid: string | null;
  } | null;
}

/** An image among what was refused; without names. */
export interface QuarantinedImage {
  study_uid: string;
  modality: string | null;
  body_part: string | null;
  study_date: string | null;
  study_at: string | null;
  rows: number | null;
  cols: number | null;
  frames: number | null;
  numbered: boolean;
  shown: boolean;
  /** The case that has the study which it names. */
  here: { case_id: string; site: Site } | null;
}
export interface ImagePatient {
  name: string | null;
  number: string | null;
  birth_date: string | null;
  institution: string | null;
}

export interface AdminChange {
  seq: number;
  at: string;
  actor: string;
  name: string | null;
  what: string;
  detail: string | null;
  case_id: string | null;
}

export interface Paired {
  device: string;
  name: string;
  site: { id: string; name_zh: string; name_en: string };
  token: string;
}
