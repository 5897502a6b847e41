/** The open tasks of a role, the reperfusion clock and the closed loop, as docs/wire-protocol.md says. */
import type { Interval, Milestone, Person, Role, Said, Site, Task, Tier } from "./wire";
import type { Etas } from "./wireAlert";

export interface TaskCase {
  case_id: string;
  /** Given: practice, not a patient. */
  drill?: { ends_at: string } | null;
  site: Site;
  tier: Tier | null;
  headline_zh: string;
  headline_en: string;
  arrival_mode: number | null;
  age_years: number | null;
  sex: string | null;
  chest_pain: boolean | null;
  /** Only where it was asked for, by a role that may know it. */
  name: string | null;
  opened_at: string | null;
  opened_by: Person | null;
  eta: Etas;
}

export interface ListedTask extends Task {
  age_s: number;
  due_at: string | null;
  left_s: number | null;
  case: TaskCase;
}

export interface TaskList {
  role: Role;
  server_time: string;
  tasks: ListedTask[];
}

interface Range {
  median: number;
  low: number;
  high: number;
}

export interface Prediction {
  median_min: number;
  low_min: number;
  high_min: number;
  median_at: string;
  low_at: string;
  high_at: string;
  fmc_to_wire_min: Range | null;
  cases: number;
  basis: "clinic" | "network" | string;
  stage: string;
}

export interface Named extends Said {
  id: string;
}

/** Door in, door out. */
export interface Dido {
  state: "unknown" | "running" | "late" | "done";
  target_min: number;
  door_at: string | null;
  due_at: string | null;
  out_at: string | null;
  left_s: number | null;
}

export interface Reperfusion extends Said {
  state: "running" | "wire_crossed" | "lysis_begun" | string;
  dx_at: string | null;
  eta_at: string | null;
  limit_min: number;
  interval_share: number;
  prediction: Prediction | null;
  verdict: "pci" | "lysis_checklist" | "doctor_decides" | "unknown" | "over";
  straddles: boolean;
  missing: Named[];
  against_lysis: Named[];
  dido: Dido | null;
  /** Only of the clock's own address. */
  contraindications?: (Named & { present: boolean | null })[];
}

export interface FollowUp extends Said {
  /** Null: nothing can be said of it; it ends by itself. */
  followup_id: string | null;
  kind: string;
  role: Role;
  /** `at_once`: may be said before `earliest_at`. */
  results: (Named & { at_once: boolean })[];
  about: string;
  due_at: string;
  earliest_at: string;
  overdue: boolean;
  done_at: string | null;
  done_by: Person | null;
  result: Named | null;
}

export interface ListedFollowUp extends FollowUp {
  case: {
    case_id: string;
    state: string;
    site: Site;
    tier: Tier | null;
    opened_at: string;
    age_years: number | null;
    sex: string | null;
  };
}

export interface FollowUps {
  total: number;
  followups: ListedFollowUp[];
}

/** What somebody said of the outcome; the words are null where no code was given. */
export interface Told {
  at: string;
  code: string | null;
  zh: string | null;
  en: string | null;
  note: string | null;
  source: string;
  actor: string | null;
  name: string | null;
}

export interface Outcome {
  state: "unknown" | "ready" | "sent" | "changed" | "seen";
  outcome: Told | null;
  diagnosis: Told | null;
  sent: Told | null;
  seen: Told | null;
  milestones: Milestone[];
  intervals: Interval[];
}

/** A milestone that the reader's role may enter. */
export interface Form extends Named {
  /** What it repeats by: "dose", "person". */
  key: string | null;
  known: boolean;
  one_tap: boolean;
  /** It is likely to come next for the role. */
  next: boolean;
  codes: Named[];
  /** It may be told as a day, or a day and one of its parts. */
  day_told: boolean;
}

export interface Forms {
  milestones: Form[];
  day_zones: string[];
  /** The facts that this role may say. */
  facts: string[];
}
