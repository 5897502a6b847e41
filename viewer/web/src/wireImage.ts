/** Images of a case, as `GET /cases/{id}` has them; the worklist and one study, as `/imaging` has them. */
import type { Person, Site } from "./wire";
import type { Reason } from "./wireAlert";

export interface CaseImage {
  study_uid: string;
  case_id: string | null;
  modalities: string[];
  body_part: string | null;
  /** Free text of the sender; null also for who may not know the patient. */
  description: string | null;
  priority: string | null;
  study_at: string | null;
  /** As the file has it, where its time is not known. */
  study_date: string | null;
  received_at: string;
  instances: number;
  expected: number | null;
  /** A person moved it to this patient: its files name somebody else, or nobody. */
  names_other?: boolean;
  /** In which its texts are shown, where the files name no charset or cannot mean the one they name. */
  charset_assumed?: string | null;
  charset_doubtful?: boolean;
  /** Null: nobody has said how many images there should be. */
  complete: boolean | null;
}

/** What is said in both languages by the service. */
export interface Both {
  zh: string;
  en: string;
}
export interface Coded extends Both {
  id: string;
}

export interface ImageClock extends Coded {
  started_at: string;
  due_at: string;
  /** It should run from the arrival, which nobody knows, and runs from the receipt. */
  arrival_unknown: boolean;
  critical: boolean;
  step: number | null;
  exhausted: boolean;
}

export interface SignedReport {
  report_id: string;
  person: Person | null;
  at: string;
  findings: string;
  /** Of an addendum its whole text. */
  impression: string;
  critical: Coded[];
  provisional: boolean;
  addendum: string | null;
  addendum_name: Both | null;
}

export interface CriticalCall {
  call_id: string;
  person: Person | null;
  /** Which signed texts were told. */
  report_ids: string[];
  to_role: string;
  way: string;
  told_at: string;
  reached: boolean;
  read_back: string | null;
  read_back_right: boolean;
  closed: boolean;
  note: string | null;
}

/** On the line: the reading of some study has changed, whoever shows studies asks anew. */
export interface ImagesMessage {
  type: "images_changed";
  seq: number;
  server_time: string;
}

export const isImages = (said: { type: string }): said is ImagesMessage => said.type === "images_changed";

/** Who was called for the report, and whether the last ring came through. */
export interface Rung {
  person: Person | null;
  channel: string;
  rung_at: string | null;
  /** Null: not known. */
  arrived: boolean | null;
  reason: Reason | null;
}

export type ReadingState = string;

export interface ImageReading {
  state: ReadingState;
  stat_by: Person | null;
  stat_reason: string | null;
  claimed_by: Person | null;
  claimed_at: string | null;
  clock: ImageClock;
  critical: Coded[];
  untold: { report_id: string; due_at: string; overdue: boolean }[];
  /** Sites that may use study and result beside its own. */
  shared_with: Site[];
  signed_at: string | null;
  signed_by: Person | null;
  seen: { person: Person | null; report_id: string; at: string }[];
  rung?: Rung[];
  /** It came from another case; `carried`: what was signed there and is not confirmed here. */
  moved: { at: string; by: string | null; from_case_id: string; carried: string[] } | null;
  signed?: SignedReport[];
  calls?: CriticalCall[];
}

/** One number that a detector rests on. */
export interface Measured {
  quantity: string;
  name: Both;
  unit: string;
  value: number;
  relation: string;
  threshold: number;
  place: Both | null;
}

/** What a detector is for, what it was tried on and what it misses. */
export interface DetectorCard {
  name: string;
  version: string;
  title: Both;
  intended_use: Both;
  data: Both;
  limits: Both;
  author: string;
  /** By site: "unvalidated", "silent", "enabled". */
  status: Record<string, string>;
}
export interface DetectorCards {
  banner: Both;
  detectors: DetectorCard[];
}

/** What headers say about names in pictures; pixels are not looked at. */
export interface ImagePrivacy {
  burned_in: { yes: number; no: number; unknown: number };
  /** Of the unknown: of a kind that usually carries text. */
  usually_burned_in: number;
  with_private_elements: number;
  images: number;
}

export interface Detected {
  plugin: string;
  version: string;
  /** Null: a model of the hospital's own, which has its name. */
  title: Both | null;
  status: string;
  /** Null: not analysed. */
  raised: boolean | null;
  reason: string | null;
  /** The outcome in words, with why where it did not look. */
  said: Both;
  evidence: Measured[];
  banner: Both;
}

/** What one detector said of one study in silence, and what was then reported. */
export interface SilentResult {
  study_uid: string;
  site: Site | null;
  wanted_at: string;
  detected: Detected;
  state: ReadingState;
  /** Words are null for who may not read reports. */
  signed: { at: string; addendum: string | null; impression: string | null; critical: Coded[] }[];
}
export interface SilentResults {
  most: number;
  results: SilentResult[];
}
export interface SilentRuns {
  silent_studies: number;
  runs: {
    site: string;
    site_name: Both;
    detector: string;
    title: Both;
    version: string;
    status: string;
    looked: number;
    raised: number;
    not_analysed: Record<string, number>;
  }[];
}

export interface WorklistRow {
  study: CaseImage;
  site: Site | null;
  band: "upper" | "lower";
  moved_up: boolean;
  critical_indications: Coded[] | Both[];
  setting: string;
  why: Both | null;
  detected: Detected[];
  reading: ImageReading;
}

export interface Worklist {
  now: string;
  total: number;
  studies: WorklistRow[];
}

export interface ReportTemplate {
  id: string;
  name: Both;
  findings: Both;
  impression: Both;
  critical: string[];
}

export interface ReportDraft {
  at: string;
  findings: string;
  impression: string;
  template: string | null;
  critical: string[];
  provisional: boolean;
}

export interface StudyReading extends WorklistRow {
  now: string;
  case_id: string | null;
  /** One's own, and only for who may sign. */
  draft: ReportDraft | null;
  choices: {
    templates: ReportTemplate[];
    critical_results: Coded[];
    ways: string[];
    to_roles: Coded[];
    addendum_reasons: Coded[];
  } | null;
}
