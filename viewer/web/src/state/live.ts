/** The page's one line to the service and what came over it. */
import { batch, computed, type Signal, signal } from "@preact/signals";
import {
  type Alert,
  isEvent,
  isMark,
  isSnapshot,
  isWave,
  type LiveMessage,
  type Row,
  type WaveMessage,
} from "../wire";
import { isImages } from "../wireImage";
import { owedDeliveries, owedLooks } from "./alerts";
import { observeServerTime, clock as serverClock } from "./clock";
import {
  applyAnswer,
  applyEvent,
  applyMark,
  applySnapshot,
  NO_ROWS,
  type Rows,
  sections,
  withoutOld,
} from "./rows";
import { loadMe, may, me } from "./session";
import { type LineState, LiveLine, type SocketLike } from "./socket";
import { soundState } from "./sound";

export const rows = signal<Rows>(NO_ROWS);
export const line = signal<LineState>({ open: false, lostAtMs: performance.now() });
/** Counts on when the reading of some study has changed: whoever shows studies asks anew. */
export const imagesChanged = signal(0);
export const board = computed(() => sections(rows.value.cases.values()));

/** Each case by itself, so that what changes in one is drawn in one row. */
const cells = new Map<string, Signal<Row | undefined>>();

/** The row of one case: a reader of it is told of this case alone. */
export function rowSignal(caseId: string): Signal<Row | undefined> {
  let cell = cells.get(caseId);
  if (cell === undefined) {
    cell = signal(rows.peek().cases.get(caseId));
    cells.set(caseId, cell);
  }
  return cell;
}

/** `changed`: the one case that may have changed; without it all may have. */
function hold(next: Rows, changed?: string): void {
  batch(() => {
    rows.value = next;
    if (changed !== undefined) {
      rowSignal(changed).value = next.cases.get(changed);
      return;
    }
    for (const [id, cell] of cells) {
      const row = next.cases.get(id);
      // One that leaves takes its cell with it: whoever still shows it is drawn anew by that, and asks for another.
      if (row === undefined && cell.peek() !== undefined) cells.delete(id);
      cell.value = row;
    }
  });
}

/** However much changes at once, studies are asked for this often at most. */
const IMAGES_AGAIN_MS = 1_000;
let imagesWait = false;

function saidImages(): void {
  if (imagesWait) return;
  imagesWait = true;
  setTimeout(() => {
    imagesWait = false;
    imagesChanged.value += 1;
  }, IMAGES_AGAIN_MS);
}

const waveListeners = new Map<string, Set<(wave: WaveMessage) => void>>();
/** Cases on this screen, as often as they are there. */
const onScreen: string[] = [];
let told = new Set<string>();
let current: LiveLine | null = null;
/** Whose the line and the rows are: another person sees other cases. */
let whose: string | null = null;

export function rowOf(caseId: string | null): Row | undefined {
  return caseId === null ? undefined : rows.value.cases.get(caseId);
}

/** Take the row in a command's answer at once; the event that follows finds it already there. */
export function takeAnswer(row: Row): void {
  hold(applyAnswer(rows.value, row), row.case_id);
}

/** The line of this person. One that stands for somebody else ends first, with all that it brought. */
export function startLive(person: string): void {
  if (current !== null && whose === person) return;
  stopLive();
  whose = person;
  current = new LiveLine(
    {
      open: (path) => new WebSocket(origin() + path) as unknown as SocketLike,
      later: (run, ms) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      nowMs: () => performance.now(),
      random: Math.random,
    },
    { after: () => rows.value.seq, message: take, state: takeState, refused: () => void loadMe() },
  );
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", lookedAt);
  current.start();
}

export function stopLive(): void {
  removeEventListener("online", hurry);
  document.removeEventListener("visibilitychange", lookedAt);
  current?.stop();
  current = null;
  whose = null;
  line.value = { open: false, lostAtMs: performance.now() };
  hold(NO_ROWS);
}

/**
 * Ask for the running waveform of one ECG; returns what ends the asking. Whoever may see no trace asks for none: the
 * service would end the line, and the page with it would ask again and again.
 */
export function watchWave(ecgId: string, listen: (wave: WaveMessage) => void): () => void {
  if (!may("waveform", me.peek()?.user.role)) return () => {};
  const listeners = waveListeners.get(ecgId) ?? new Set();
  listeners.add(listen);
  waveListeners.set(ecgId, listeners);
  current?.send({ type: "watch", ecg_id: ecgId });
  return () => {
    listeners.delete(listen);
    if (listeners.size > 0) return;
    waveListeners.delete(ecgId);
    // Of the streams of one line the service sends the one that was asked for last: nobody looks, it sends none.
    current?.send({ type: "watch", ecg_id: [...waveListeners.keys()].at(-1) ?? null });
  };
}

/** The case is on the screen until the returned function is called; who looks at it has seen its alert. */
export function showCase(caseId: string): () => void {
  onScreen.push(caseId);
  tellOwed();
  return () => {
    onScreen.splice(onScreen.indexOf(caseId), 1);
  };
}

const hurry = (): void => current?.hurry();

function lookedAt(): void {
  if (document.visibilityState === "visible") hurry();
  tellOwed();
}

const origin = (): string => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;

function takeState(state: LineState): void {
  line.value = state;
  if (!state.open) return;
  saidImages(); // what was said meanwhile was not heard
  // A new line knows nothing of what the old one was told.
  told = new Set();
  for (const ecgId of waveListeners.keys()) current?.send({ type: "watch", ecg_id: ecgId });
  tellOwed();
}

function take(message: LiveMessage): void {
  if (isWave(message)) {
    for (const listen of waveListeners.get(message.ecg_id) ?? []) listen(message);
    return;
  }
  if (isImages(message)) {
    observeServerTime(message.server_time);
    saidImages();
    return;
  }
  if (isSnapshot(message)) {
    observeServerTime(message.server_time);
    hold(applySnapshot(message));
  } else if (isMark(message)) {
    observeServerTime(message.server_time);
    const marked = applyMark(rows.value, message.seq);
    const kept = withoutOld(marked, Date.parse(message.server_time), onScreen);
    if (kept === marked) rows.value = marked;
    else hold(kept);
    return;
  } else if (isEvent(message)) {
    serverClock.notBefore(Date.parse(message.at), performance.now());
    const next = applyEvent(rows.value, message);
    if (message.row) hold(next, message.row.case_id);
    else rows.value = next;
  }
  tellOwed();
}

/**
 * An alert is delivered once it is on this screen, where the banner shows it in the frame that follows, or heard from a page
 * behind another. It is seen once its case is, and the page is not behind another. Each round of an alert is told anew.
 */
function tellOwed(): void {
  const who = me.value?.user.id;
  if (who === undefined) return;
  tell("delivered", owedDeliveries(rows.value.cases.values(), who));
  if (document.visibilityState !== "visible") return;
  const looked = onScreen.flatMap((caseId) => rowOf(caseId) ?? []);
  tell("seen", owedLooks(looked, who));
}

/** A page behind another draws no frames: what it has is heard, or waits until somebody looks. */
function shownOrHeard(run: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(run);
  else if (soundState() === "on") setTimeout(run);
}

/** The same of the call for a study's report; each ring, by its key, is told anew. */
export function tellStudy(type: "delivered" | "seen", ring: StudyRing): void {
  const said = `${type} ${ring.key}`;
  if (told.has(said)) return;
  shownOrHeard(() => {
    const { alert_id, study_uid } = ring;
    if (!told.has(said) && current?.send({ type, alert_id, study_uid })) told.add(said);
  });
}

export interface StudyRing {
  key: string;
  alert_id: string;
  study_uid: string;
}

function tell(type: "delivered" | "seen", alerts: readonly Alert[]): void {
  for (const alert of alerts) {
    const key = `${type} ${alert.alert_id} ${alert.round}`;
    if (told.has(key)) continue;
    shownOrHeard(() => {
      if (!told.has(key) && current?.send({ type, alert_id: alert.alert_id })) told.add(key);
    });
  }
}
