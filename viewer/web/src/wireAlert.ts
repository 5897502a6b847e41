/** Who is called and what everybody has to do, as docs/wire-protocol.md says. */
import type { Person, Role, Said, Tier } from "./wire";

/** One person on one channel, in the present round. */
export interface AlertPerson {
  person: string;
  name: string | null;
  /** The place in the roster by which the person was rung; null: answered without being rung. */
  role: string | null;
  step: number | null;
  channel: string;
  /** Counted over all rounds. */
  rings: number;
  sent_at: string | null;
  delivered_at: string | null;
  seen_at: string | null;
  acknowledged_at: string | null;
  declined_at: string | null;
  unreachable_at: string | null;
  unreachable: Reason | null;
}

/** Why something was not sent; a code that no table knows is its own word. */
export interface Reason {
  code: string | null;
  zh: string | null;
  en: string | null;
}

export interface Alert {
  alert_id: string;
  tier: Tier;
  /** Ended: a drill is over that nobody answered. */
  state: "open" | "acknowledged" | "ended";
  opened_at: string;
  acknowledged_at: string | null;
  acknowledged_by: Person | null;
  held_by: Person | null;
  /** Who was given it and has not taken it yet. */
  given_to: Person | null;
  /** The second and later ones: nothing had followed the answer. */
  round: number;
  step: number;
  steps: number;
  next_due_at: string | null;
  /** Until when something must have followed the answer. */
  follow_up_at: string | null;
  exhausted: boolean;
  people: AlertPerson[];
}

export interface Step extends Said {
  id: string;
  milestone: string | null;
  source: string;
  mark: string;
}

/** A task as opening the channel would give it out. */
export interface PreparedTask extends Said {
  kind: string;
  role: Role;
  steps: Step[];
}

export interface GreenChannel {
  state: "closed" | "open" | "stood_down";
  channel_id: string | null;
  opened_at: string | null;
  opened_by: Person | null;
  stood_down_at: string | null;
  stood_down_by: Person | null;
  reason: string | null;
  proposed: { at: string; ecg_id: string; rules: string[]; stands: boolean; tasks: PreparedTask[] } | null;
}

export interface Task extends Said {
  task_id: string;
  kind: string;
  role: Role;
  state: "given" | "accepted" | "done" | "cancelled";
  steps: Step[];
  given_at: string | null;
  accepted_at: string | null;
  accepted_by: Person | null;
  done_at: string | null;
  done_by: Person | null;
  cancelled_at: string | null;
}

export interface Eta {
  at: string;
  uncertainty_s: number | null;
  source: string;
  given_at: string;
}

export interface Etas {
  scene: Eta | null;
  hub: Eta | null;
}
