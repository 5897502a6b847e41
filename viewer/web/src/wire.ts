/** What the service sends, as docs/wire-protocol.md says. Unknown is null. Nothing here is computed by the page. */

import type { Alert, Etas, GreenChannel, Task } from "./wireAlert";
import type { FollowUp, Outcome, Reperfusion } from "./wireCare";
import type { IdentityConflict } from "./wireIdentity";
import type { CaseImage, ImagesMessage } from "./wireImage";
import type { Amended } from "./wireSign";

export type { Alert, AlertPerson, Eta, Etas, GreenChannel, PreparedTask, Step, Task } from "./wireAlert";

export type Tier = "ACT" | "CRIT" | "URG" | "FLAG" | "REC" | "NONE";
export type Role =
  | "clinic"
  | "reader"
  | "cardiologist"
  | "cathlab"
  | "ed"
  | "ccu"
  | "dispatch"
  | "radiologist"
  | "quality"
  | "admin";

export interface Person {
  person: string;
  name: string | null;
}

/** A text in both languages. */
export interface Said {
  zh: string;
  en: string;
}

export interface Evidence {
  /** Null: of the whole recording. */
  lead: string | null;
  quantity: string;
  value: number;
  threshold: number;
  rule: string;
  /** How the value stands to the threshold. Readings of earlier versions do not say it. */
  relation?: ">=" | "<=" | ">" | "<";
  /** Null: this recording as it came; "corrected": with swapped electrodes put right; else another ECG's id. */
  trace?: string | null;
}

/** One row of the table of quantities. */
export interface Quantity extends Said {
  key: string;
  unit: string;
  digits: number;
  signed: boolean;
}

export interface Quantities {
  quantities: Quantity[];
}

export interface RuleVersions {
  newest: string;
  versions: { version: string; rules: string }[];
}

/** Where a number comes from: the mark is a key of `RuleSet.marks`. */
export interface Sourced {
  source: string;
  mark: string;
}

export interface RuleNumber extends Sourced {
  name: string;
  value: number;
}

export interface RuleText extends Said, Sourced {
  id: string;
  tier: Tier;
  leads: string;
  formula: string;
  formula_zh: string;
  conduction: string[];
  lowers: string[];
  restorable: boolean;
  numbers: RuleNumber[];
}

export interface RuleSection extends Said {
  section: string;
  rules: RuleText[];
}

export interface SteThreshold extends Sourced {
  leads: string[];
  sex: "male" | "female";
  age_from_years: number;
  age_below_years: number | null;
  threshold_mv: number;
}

export interface Reciprocal extends Sourced {
  elevation: string[];
  depression: string[];
  depth_mv: number;
}

/** One version of the rules, as people read it. */
export interface RuleSet {
  version: string;
  marks: Record<string, Said>;
  sections: RuleSection[];
  thresholds: SteThreshold[];
  reciprocal: Reciprocal[];
  shared: RuleNumber[];
  tiers: (Said & { tier: Tier })[];
}

export interface Finding extends Said {
  id: string;
  tier: Tier;
  territories: string[];
  evidence: Evidence[];
  downgraded_by: string[];
  restored_by: string[];
}

export interface SameAs extends Said {
  ecg_id: string;
  format: string | null;
  other_patient: boolean;
}

export interface EcgSummary {
  ecg_id: string;
  state: string;
  tier: Tier | null;
  received_at: string | null;
  acceptable: boolean | null;
  bad_leads: string[];
  leads: string[];
  rate_hz: number | null;
  duration_s: number | null;
  live: boolean;
  /** What a doctor signed for it. */
  signed_tier: Tier | null;
  /** `seq` of its newest signed reading. */
  signed_seq?: number | null;
  /** The advice of this ECG that holds; null where there is none, or it was taken back. */
  standing_advice?: string | null;
  /** When the clinic had read the newest advice. */
  advice_seen_at: string | null;
  /** By which version of the rules it was read; null while it is not. */
  rules_version: string | null;
  /** Why the machine reads nothing: "paper". */
  not_analysed: string | null;
  format: string | null;
  /** The earlier ECG that holds the same samples. */
  same_as: SameAs | null;
}

export interface Reading {
  ecg_id?: string;
  text: string;
  tier: Tier;
  advice: string | null;
  actor?: string | null;
  name?: string | null;
  at?: string | null;
  /** Its number in the log. */
  seq?: number;
  /** With the automatic analysis; null where nobody said. */
  agrees?: boolean | null;
  reason?: string | null;
  /** It took back the advice of the ECG's earlier readings. */
  withdraws?: boolean;
  amends?: Amended | null;
}

export interface Site {
  id: string;
  name_zh: string;
  name_en: string;
  distance_km: number | null;
  phone: string | null;
}

export type OrderPart = number | string | null;

export interface PatientDoubt {
  at: string;
  ecg_id: string;
  like_ecg_id: string;
  own_ecg_id: string;
}

export interface Row {
  case_id: string;
  seq: number;
  state: "open" | "closed" | "merged";
  opened_at: string;
  last_event_at: string;
  note: string | null;
  /** Given: practice, not a patient; it ends by then. */
  drill?: { ends_at: string } | null;
  site: Site;
  patient: { age_years: number | null; sex: string | null; chest_pain: boolean | null };
  arrival_mode: number | null;
  tier: Tier | null;
  order: OrderPart[];
  order_zh: string | null;
  order_en: string | null;
  headline_zh: string | null;
  headline_en: string | null;
  findings: Finding[];
  worst_leads: string[];
  ecg_id: string | null;
  ecgs: EcgSummary[];
  record_again: (Said & { leads: string[] }) | null;
  /** When what waits unread in the worklist will ring; null where nothing waits. */
  rings_at: string | null;
  alert: Alert | null;
  green_channel: GreenChannel;
  tasks: Task[];
  eta: Etas;
  /** What became of the patient was told to the clinic, and read there. */
  feedback: { sent_at: string; seen_at: string | null } | null;
  diagnosed_at: string | null;
  /** An ECG came again for another patient number, or images name another person; nobody has looked yet. */
  identity_conflicts: IdentityConflict[];
  /** An ECG fits another patient's and none of its own, and nobody has looked yet. */
  patient_doubts: PatientDoubt[];
  /** Who looked last whose the ECGs are. */
  identity_checked: (Person & { at: string; note: string }) | null;
  reading: Reading | null;
  /** The newest reading that advises; it may be older than `reading`. */
  newest_advice: Reading | null;
  /** The reading that took advice back, with what that was; null where there is newer advice, or none was. */
  advice_withdrawn: (Reading & { withdrawn: string }) | null;
}

export interface MilestoneValue {
  at: string;
  source: string;
  actor: string | null;
  actor_name: string | null;
  recorded_at: string | null;
  note: string | null;
  correction: boolean;
  valid: boolean;
  clock: string | null;
  raw: string | null;
  offset_s: number | null;
  uncertainty_s: number | null;
}

export interface Milestone extends Said {
  id: string;
  required: boolean;
  at: string | null;
  known: boolean;
  key: string | null;
  source: string | null;
  clock: string | null;
  offset_s: number | null;
  uncertainty_s: number | null;
  values: MilestoneValue[];
}

export interface Interval extends Said {
  id: string;
  from: string;
  to: string;
  minutes: number | null;
  seconds: number | null;
  uncertainty_s: number | null;
  target_min: number | null;
  late_by_min: number | null;
  state: string;
  segment: boolean;
  /** It ends before it begins. */
  negative: boolean;
  missing: string[];
}

export interface OrderProblem extends Said {
  level: "error" | "warning" | string;
  before: string;
  after: string;
}

export interface Timeline {
  arrival_mode: number | null;
  milestones: Milestone[];
  intervals: Interval[];
  problems: OrderProblem[];
  facts: Fact[];
}

/** What is known of a case that is no time. */
export interface Fact extends Said {
  id: string;
  /** Facts that are asked for together: why care was late, what a registry leaves out. */
  group: string | null;
  code: string | null;
  known: boolean;
  codes: (Said & { id: string })[];
  values: FactValue[];
}

export interface FactValue {
  code: string;
  source: string;
  actor: string;
  actor_name: string | null;
  recorded_at: string;
  note: string | null;
  correction: boolean;
  valid: boolean;
}

export interface HistoryLine extends Said {
  seq: number;
  at: string;
  type: string;
  actor: string | null;
  actor_name: string | null;
}

/** Who the patient is and what the clinic wrote: only for those who may see it. */
export interface Identity {
  name: string | null;
  phone: string | null;
  id_number: string | null;
  callback_phone: string | null;
  history?: string | null;
  vitals?: Record<string, unknown> | null;
}

export interface CaseDetail extends Row {
  timeline: Timeline;
  readings: Reading[];
  advice: unknown;
  followups: FollowUp[];
  outcome: Outcome;
  reperfusion: Reperfusion;
  identity: Identity | null;
  images: CaseImage[];
  history: HistoryLine[];
}

export interface Beat {
  p_on_s: number | null;
  p_off_s: number | null;
  qrs_on_s: number | null;
  qrs_off_s: number | null;
  t_peak_s: number | null;
  t_off_s: number | null;
}

export interface LeadMeasurement {
  stj_mv: number | null;
  usable: boolean;
}

export interface Analysis {
  leads: string[];
  rate_hz: number;
  duration_s: number;
  patient: { age_years: number | null; sex: string | null };
  tier: Tier;
  findings: Finding[];
  measurements: {
    heart_rate_bpm: number | null;
    pr_ms: number | null;
    qrs_ms: number | null;
    qt_ms: number | null;
    qtc_fridericia_ms: number | null;
    axis_deg: number | null;
    rhythm: string | null;
    leads: Record<string, LeadMeasurement>;
  };
  fiducials: { r_s: number[]; beats: Beat[] };
  /** What would have been measured with the suspected swap of two electrodes undone. */
  corrected?: { swap: [string, string]; measurements: { leads: Record<string, LeadMeasurement> } } | null;
  quality: { acceptable: boolean; bad_leads: string[]; reversal: unknown; messages: unknown[] };
  version: { software: string; rules: string };
}

export type EcgState =
  | "sent"
  | "received"
  | "analysed"
  | "alerted"
  | "opened"
  | "diagnosed"
  | "advised"
  | "acted";

export interface Ecg {
  ecg_id: string;
  case_id: string;
  site: unknown;
  states: Record<EcgState, string | null>;
  analysis: Analysis | null;
  /** A photograph or PDF of a paper ECG; null for one that is measured. */
  paper: PaperPicture | null;
  device_offset_s: number | null;
  acquired: unknown;
}

/** `shown` is the address of the picture without its metadata; the words warn the reader. */
export interface PaperPicture extends Said {
  kind: string;
  media_type: string;
  shown: string;
}

export interface WaveformMessage {
  leads: string[];
  rate_hz: number;
  duration_s: number;
  started_at: string | null;
  /** What the device says that it filtered. */
  low_cut_hz?: number | null;
  high_cut_hz?: number | null;
  lsb_mv: number;
  missing: number;
  samples: string;
}

export interface Me {
  user: { id: string; name: string; role: Role; sites: string[] | null };
  on_duty: boolean;
  /** The place in the roster (first, second, head), not the person's role. */
  shift: { role: string; from: string; to: string } | null;
  next_shift: { person: string; name: string; from: string } | null;
  /** Whom to telephone where no doctor answers. */
  fallback: { phone: string | null; name_zh: string; name_en: string } | null;
  demo: boolean;
  /** At the latest; an open page moves it on, up to the longest that a session may last. Null: of a device. */
  session_ends_at: string | null;
  server_time: string;
  version: string;
}

export interface DemoUser {
  user: string;
  password: string;
  name_zh: string;
  name_en: string;
  role: Role;
}

export interface Demo {
  demo: boolean;
  users: DemoUser[];
}

export interface SnapshotMessage {
  type: "snapshot";
  seq: number;
  server_time: string;
  cases: Row[];
}

export interface MarkMessage {
  type: "mark";
  seq: number;
  server_time: string;
}

export interface WaveMessage {
  type: "wave";
  ecg_id: string;
  case_id: string;
  rate_hz: number;
  leads: string[];
  first_sample: number;
  lsb_mv: number;
  samples: string;
}

/** Any other type is an event's name; `row` is the whole row after it. */
export interface EventMessage {
  type: string;
  seq: number;
  at: string;
  case_id: string | null;
  actor: string | null;
  row: Row | null;
  data: Record<string, unknown> | null;
}

export type LiveMessage = SnapshotMessage | MarkMessage | WaveMessage | EventMessage | ImagesMessage;

export const isSnapshot = (m: LiveMessage): m is SnapshotMessage => m.type === "snapshot";
export const isMark = (m: LiveMessage): m is MarkMessage => m.type === "mark";
export const isWave = (m: LiveMessage): m is WaveMessage => m.type === "wave";
export const isEvent = (m: LiveMessage): m is EventMessage => "seq" in m && "at" in m;
