/** The worklist as a pure fold of what `/live` sends: a row is replaced whole, never computed. */
import type { EventMessage, OrderPart, Row, SnapshotMessage } from "../wire";

export interface Rows {
  /** All visible events up to here have been applied. */
  readonly seq: number;
  readonly cases: ReadonlyMap<string, Row>;
}

export const NO_ROWS: Rows = { seq: 0, cases: new Map() };

/** A snapshot is the service's whole word: it replaces all, even when its log is shorter than the one before. */
export function applySnapshot(message: SnapshotMessage): Rows {
  return { seq: message.seq, cases: new Map(message.cases.map((row) => [row.case_id, row])) };
}

/**
 * An older event changes nothing. One at the same number may: a row's place moves by the passing of time alone, and
 * that is told under the newest number there is.
 */
export function applyEvent(rows: Rows, message: EventMessage): Rows {
  if (message.seq < rows.seq) return rows;
  return { seq: message.seq, cases: message.row ? withRow(rows.cases, message.row) : rows.cases };
}

export function applyMark(rows: Rows, seq: number): Rows {
  return seq <= rows.seq ? rows : { ...rows, seq };
}

/** So long the service shows a case that is over, from its last event on; when it leaves by time alone it says nothing. */
const KEPT_MS = 24 * 3_600_000;

/**
 * Without what the service itself shows no more: a board stays open for weeks. What is on the screen stays, and an outcome
 * that nobody has read. The same object where nothing leaves.
 */
export function withoutOld(rows: Rows, nowMs: number, onScreen: readonly string[]): Rows {
  const old = (row: Row): boolean =>
    !isLive(row) &&
    Date.parse(row.last_event_at) <= nowMs - KEPT_MS &&
    !(row.feedback !== null && row.feedback.seen_at === null) &&
    !onScreen.includes(row.case_id);
  const left = [...rows.cases].filter(([, row]) => !old(row));
  return left.length === rows.cases.size ? rows : { ...rows, cases: new Map(left) };
}

/** The row in the answer to a command. It does not move `seq`: events of other cases may lie between. */
export function applyAnswer(rows: Rows, row: Row): Rows {
  const cases = withRow(rows.cases, row);
  return cases === rows.cases ? rows : { ...rows, cases };
}

function withRow(cases: ReadonlyMap<string, Row>, row: Row): ReadonlyMap<string, Row> {
  const held = cases.get(row.case_id);
  if (held && held.seq > row.seq) return cases;
  return new Map(cases).set(row.case_id, row);
}

/** Element by element; what is missing comes last. */
export function compareOrder(a: readonly OrderPart[], b: readonly OrderPart[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i] ?? null;
    const y = b[i] ?? null;
    if (x === y) continue;
    if (x === null) return 1;
    if (y === null) return -1;
    return x < y ? -1 : 1;
  }
  return 0;
}

export type SectionId = "now" | "urgent" | "rest" | "closed";

/** Somebody may still have to act: the case is open, or its alert is, whatever became of the case. */
export const isLive = (row: Row): boolean => row.state === "open" || row.alert?.state === "open";

/** Nobody has read one of its ECGs, so it may be anything. One whose stream ended empty is neither received nor live. */
const isUnread = (row: Row): boolean =>
  row.ecgs.some((ecg) => ecg.tier === null && (ecg.live || ecg.received_at !== null) && !isRead(ecg.state));
const isRead = (state: string): boolean => state === "diagnosed" || state === "advised";

/** Cases in worklist order by section; merged ones are shown in the case that took them, unless their alert is open. */
export function sections(cases: Iterable<Row>): Record<SectionId, Row[]> {
  const parts: Record<SectionId, Row[]> = { now: [], urgent: [], rest: [], closed: [] };
  for (const row of cases) if (row.state !== "merged" || isLive(row)) parts[sectionOf(row)].push(row);
  for (const rows of Object.values(parts)) rows.sort((a, b) => compareOrder(a.order, b.order));
  return parts;
}

export function sectionOf(row: Row): SectionId {
  if (!isLive(row)) return "closed";
  if (row.tier === "ACT" || row.tier === "CRIT") return "now";
  return row.tier === "URG" || isUnread(row) ? "urgent" : "rest";
}

/** Ids by section, in the order in which they are shown. */
export type Layout = Readonly<Record<SectionId, readonly string[]>>;

export interface HeldLayout {
  layout: Layout;
  /** Cases that came while the list was held: at its end until they may take their place. */
  arrivals: readonly string[];
  /** How many rows stand elsewhere than the worklist wants them. */
  waiting: number;
}

/**
 * The layout to show while a pointer is over the list: each row stays where it was, whatever became of its case, and
 * what is new comes after all that is open, so that nothing moves.
 */
export function holdLayout(shown: Layout, wanted: Layout): HeldLayout {
  const there = new Set([...shown.now, ...shown.urgent, ...shown.rest, ...shown.closed]);
  const fresh = (ids: readonly string[]): string[] => ids.filter((id) => !there.has(id));
  const arrivals = [...fresh(wanted.now), ...fresh(wanted.urgent), ...fresh(wanted.rest)];
  const layout: Layout = {
    now: shown.now,
    urgent: shown.urgent,
    rest: [...shown.rest, ...arrivals],
    closed: [...shown.closed, ...fresh(wanted.closed)],
  };
  const astray = (id: keyof Layout): number =>
    wanted[id].filter((caseId, index) => layout[id][index] !== caseId).length;
  return { layout, arrivals, waiting: astray("now") + astray("urgent") + astray("rest") };
}
