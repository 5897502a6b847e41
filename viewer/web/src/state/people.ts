/** Who of an alert was reached, and how far. Pure. */
import type { Alert, AlertPerson } from "../wire";

/** From what calls for somebody else to what settles it. */
export type Reached = "waiting" | "unreachable" | "sent" | "delivered" | "seen" | "declined" | "acknowledged";

export interface Called {
  readonly person: string;
  readonly name: string | null;
  readonly role: string | null;
  readonly step: number | null;
  readonly reached: Reached;
  readonly at: string | null;
  readonly channels: readonly AlertPerson[];
}

/** How far one channel has come in the present round, and since when. */
export function reachedOn(one: AlertPerson): { reached: Reached; at: string | null } {
  if (one.acknowledged_at !== null) return { reached: "acknowledged", at: one.acknowledged_at };
  if (one.declined_at !== null) return { reached: "declined", at: one.declined_at };
  if (one.seen_at !== null) return { reached: "seen", at: one.seen_at };
  if (one.delivered_at !== null) return { reached: "delivered", at: one.delivered_at };
  if (one.unreachable_at !== null) return { reached: "unreachable", at: one.unreachable_at };
  if (one.sent_at !== null) return { reached: "sent", at: one.sent_at };
  return { reached: "waiting", at: null };
}

const RANK: readonly Reached[] = [
  "waiting",
  "unreachable",
  "sent",
  "delivered",
  "seen",
  "declined",
  "acknowledged",
];

/** One line for each person, in the order in which they were called: the best that any channel has brought. */
export function calledPeople(alert: Alert): Called[] {
  const byPerson = new Map<string, AlertPerson[]>();
  for (const one of alert.people) byPerson.set(one.person, [...(byPerson.get(one.person) ?? []), one]);
  return [...byPerson.values()].flatMap((channels) => {
    const [first] = channels;
    if (!first) return [];
    const best = channels
      .map(reachedOn)
      .reduce((a, b) => (RANK.indexOf(b.reached) > RANK.indexOf(a.reached) ? b : a));
    return [
      { person: first.person, name: first.name, role: first.role, step: first.step, ...best, channels },
    ];
  });
}
