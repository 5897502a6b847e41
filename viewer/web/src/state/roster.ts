/** Who is on duty, and when. Pure, but for the giving away of a shift. */
import type { Me } from "../wire";
import type { Roster, RosterChange, RosterNow, Shift } from "../wireDuty";
import { attempt } from "./acts";
import { post } from "./api";
import { dateTime } from "./format";

/** Who holds each place now: of one's own site where that has shifts of its own, else of the network. */
export function onDutyNow(
  now: RosterNow,
  who: Me | null | undefined,
): [place: string, shift: Shift | null][] {
  const own = who?.user.sites ?? [];
  const site = own.length === 1 ? now.sites[own[0] ?? ""] : undefined;
  return Object.entries(site ?? now.roles);
}

/** A person's shifts that are not over, the next first. */
export function shiftsOf(roster: Roster, person: string, nowMs: number | null): Shift[] {
  return all(roster)
    .filter((shift) => shift.person === person && (nowMs === null || Date.parse(shift.to) > nowMs))
    .sort(byTime);
}

/** Everybody whom the roster names, but for one: to whom a shift may be given. */
export function othersIn(roster: Roster, person: string): { person: string; name: string }[] {
  const found = new Map<string, string>();
  for (const shift of all(roster))
    if (shift.person !== person) found.set(shift.person, shift.name ?? shift.person);
  return [...found].map(([id, name]) => ({ person: id, name }));
}

/** Shifts by the day on which they begin, on the network's wall clock. */
export function byDay(roster: Roster): [day: string, shifts: Shift[]][] {
  const days = new Map<string, Shift[]>();
  for (const shift of all(roster).sort(byTime)) {
    const day = dateTime(shift.from).slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), shift]);
  }
  return [...days];
}

const all = (roster: Roster): Shift[] => Object.values(roster.roles).flat();

const byTime = (a: Shift, b: Shift): number =>
  a.from.localeCompare(b.from) || PLACES.indexOf(a.role) - PLACES.indexOf(b.role);

const PLACES = ["first", "second", "head"];

export interface Gift {
  to: string;
  reason: string;
  /** A part of it; null: all that is left. */
  from: string | null;
  until: string | null;
}

/** Gives what the roster has to say of it; null where it was refused. */
export async function giveShift(shiftId: string, gift: Gift): Promise<RosterChange | null> {
  let change: RosterChange | null = null;
  const { to, reason, from, until } = gift;
  const body = { to, reason, ...(from !== null && { from }), ...(until !== null && { until }) };
  await attempt(`shift ${shiftId}`, async () => {
    change = await post<RosterChange>(`/roster/shifts/${encodeURIComponent(shiftId)}/swap`, body);
    return undefined;
  });
  return change;
}
