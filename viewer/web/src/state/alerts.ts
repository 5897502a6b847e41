/** Whose alert it is, and what the next act on a row is. Pure. */
import type { Alert, AlertPerson, Me, Row } from "../wire";
import { may } from "./session";
import { proposesChannel } from "./verdict";

/** Another has given the alert to this person, who has not taken it yet. */
export const givenToMe = (alert: Alert | null, who: Me | null | undefined): boolean =>
  alert?.given_to?.person === who?.user.id && alert?.given_to != null;

/** The alert was sent or given to this person, or nobody answered and now it is everybody's. */
export function callsMe(alert: Alert | null, who: Me | null | undefined): boolean {
  if (!alert || !who || !may("answer", who.user.role)) return false;
  if (alert.state !== "open") return givenToMe(alert, who);
  const mine = alert.people.filter((p) => p.person === who.user.id && p.sent_at !== null);
  if (mine.length > 0) return mine.every((p) => p.declined_at === null);
  return alert.exhausted || alert.people.some((p) => p.person === "all");
}

/** Only who was called or given it, and has neither answered nor declined, can say that he cannot take it. */
export function mayDecline(alert: Alert | null, who: Me | null | undefined): boolean {
  if (!alert || !who || !may("answer", who.user.role)) return false;
  if (alert.state !== "open") return givenToMe(alert, who);
  const mine = alert.people.filter((p) => p.person === who.user.id && p.sent_at !== null);
  return mine.length > 0 && mine.every((p) => p.declined_at === null);
}

/** Cases whose alert calls this person, the most urgent first: an open alert calls whatever became of its case. */
export function callingRows(rows: Iterable<Row>, who: Me | null | undefined): Row[] {
  return [...rows].filter((row) => callsMe(row.alert, who));
}

/** What the service does not know of this person's board in the present round: only boards that it rang can owe it. */
function owed(rows: Iterable<Row>, userId: string, unsaid: (board: AlertPerson) => boolean): Alert[] {
  const found: Alert[] = [];
  for (const { alert } of rows) {
    if (alert?.state !== "open") continue;
    const board = alert.people.find((p) => p.person === userId && p.channel === "live");
    if (board && board.sent_at !== null && unsaid(board)) found.push(alert);
  }
  return found;
}

/** Alerts on this person's screen that the service does not know to be there. */
export const owedDeliveries = (rows: Iterable<Row>, userId: string): Alert[] =>
  owed(rows, userId, (board) => board.delivered_at === null);

/** Alerts whose case this person looks at, and of which the service does not know it. */
export const owedLooks = (looked: Iterable<Row>, userId: string): Alert[] =>
  owed(looked, userId, (board) => board.seen_at === null);

export type NextAct = "ack" | "openGreen" | "openCase";

/** Confirm, then open the green channel, then work in the case. */
export function nextAct(row: Row, who: Me | null | undefined): NextAct {
  const role = who?.user.role;
  if ((row.alert?.state === "open" || givenToMe(row.alert, who)) && may("answer", role)) return "ack";
  return proposesChannel(row) && may("openChannel", role) ? "openGreen" : "openCase";
}
