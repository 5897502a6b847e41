/** Studies that call this person, and critical results that nobody was told: as the service says it when the line tells of a change. */
import { signal } from "@preact/signals";
import type { Role, Site } from "../wire";
import type { Coded } from "../wireImage";

interface Call {
  /** The present ring: what was put away under it is heard again under the next. */
  key: string;
  study_uid: string;
  case_id: string | null;
  site: Site | null;
  due_at: string;
}
export interface DueCall extends Call {
  tier: string;
  alert_id: string;
  /** The service does not know yet that a page of this person has the ring. */
  owed: boolean;
}
export interface UntoldCall extends Call {
  critical: Coded[];
  overdue: boolean;
  /** The asking person must see to it. */
  mine: boolean;
}
export interface ImageCalls {
  due: DueCall[];
  untold: UntoldCall[];
}

/** Null until the service has said it. */
export const imageCalls = signal<ImageCalls | null>(null);
/** Put away on this device, by key. */
export const putAway = signal<ReadonlySet<string>>(new Set());

export const isUntold = (call: DueCall | UntoldCall): call is UntoldCall => "critical" in call;

/** What the page rings for, the most urgent first: results that were found before studies that nobody has read. */
export function ringingCalls(
  calls: ImageCalls | null,
  away: ReadonlySet<string>,
  role: Role | undefined,
  lookedAt: string | null,
): (DueCall | UntoldCall)[] {
  if (calls === null) return [];
  // The clinic has the patient: a result that cannot wait is its call as well.
  const untold = calls.untold.filter((one) => one.mine || role === "clinic");
  return [...untold, ...calls.due].filter((one) => !away.has(one.key) && one.study_uid !== lookedAt);
}

/** What this page has to say of the rings that it has: the study before the eyes is seen, every other is here. */
export function ringsToTell(
  calls: ImageCalls | null,
  lookedAt: string | null,
): { type: "delivered" | "seen"; ring: DueCall }[] {
  return (calls?.due ?? [])
    .filter((ring) => ring.owed || ring.study_uid === lookedAt)
    .map((ring) => ({ type: ring.study_uid === lookedAt ? "seen" : "delivered", ring }));
}

/** Critical results of one case that nobody was told. */
export const untoldOf = (calls: ImageCalls | null, caseId: string): UntoldCall[] =>
  (calls?.untold ?? []).filter((one) => one.case_id === caseId);
