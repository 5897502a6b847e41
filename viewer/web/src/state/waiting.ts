/** The page's side of the outbox: what waits is shown, and sent as soon as there is a line and the right session. */
import { computed, effect, signal } from "@preact/signals";
import { newKey } from "./api";
import { clock } from "./clock";
import { line } from "./live";
import { hintWaiting } from "./mindWaiting";
import {
  type Kept,
  type KeptFile,
  mayTakeOver,
  ofOthers,
  refusedOf,
  type Sent,
  sendAll,
  sendOne,
  waitingOf,
} from "./outbox";
import { alone, askService, browserStore, CHANNEL, NotKept, SYNC_TAG } from "./outboxStore";
import { confirmed, loadMe, me } from "./session";

const FIRST_PAUSE_MS = 3000;
const LONGEST_PAUSE_MS = 60_000;
/** So long the form waits for the service; then it is free for the next patient, and the sending goes on. */
const PATIENCE_MS = 8000;

const all = signal<readonly Kept[]>([]);
const user = computed(() => me.value?.user.id ?? null);

/** One's own that wait for the network, oldest first. */
export const waiting = computed(() => (user.value === null ? [] : waitingOf(all.value, user.value)));
/** One's own that the service did not take. */
export const refused = computed(() => (user.value === null ? [] : refusedOf(all.value, user.value)));
/** Of others on this device: names and numbers, nothing of their patients. */
export const others = computed(() => ofOthers(all.value, user.value));
/** Whether sending is under way. */
export const sending = signal(false);
/** Ids of what was confirmed since this page was opened, after it had to wait, and as what. */
export const arrived = signal<ReadonlyMap<string, Sent>>(new Map());

export interface Draft {
  id: string;
  caseId: string | null;
  files: readonly File[];
  fields: Readonly<Record<string, string>>;
  /** When these files went out first, where it is not known what became of that. */
  triedAt?: string;
}

/** What became of a press on "send". */
export type Outcome =
  | { kind: "sent"; sent: Sent }
  | { kind: "waiting" }
  | { kind: "refused"; one: Kept }
  /** A chosen file could not be read any more: it was moved, deleted or changed since. */
  | { kind: "unreadable" }
  /** It could be kept nowhere and was not sent: only the form still has it. */
  | { kind: "nowhere"; full: boolean; triedAt: string };

export const newDraftId = newKey;

/** Keep it, then send it. Nothing is called sent before the service has confirmed it. */
export async function keepAndSend(draft: Draft): Promise<Outcome> {
  const files = await filesOf(draft);
  if (files === null) return { kind: "unreadable" };
  const one = keptOf(draft, files);
  try {
    await browserStore.put(one);
  } catch (failure) {
    if (!(failure instanceof NotKept)) throw failure;
    return sendUnkept(one, failure.full);
  }
  startWaiting();
  void navigator.storage?.persist?.();
  await look();
  await Promise.race([sendNow(), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  const sent = arrived.value.get(one.id);
  if (sent) {
    // The form says so itself.
    arrived.value = new Map([...arrived.value].filter(([id]) => id !== one.id));
    return { kind: "sent", sent };
  }
  const still = refused.value.find((each) => each.id === one.id);
  return still ? { kind: "refused", one: still } : { kind: "waiting" };
}

async function sendUnkept(one: Kept, full: boolean): Promise<Outcome> {
  const nowhere = { ...browserStore, put: async () => {} };
  const verdict = await sendOne(one, nowhere, askService);
  if (verdict.kind === "sent") return verdict;
  if (verdict.kind === "refused") return { kind: "refused", one: { ...one, refused: verdict.refusal } };
  return { kind: "nowhere", full, triedAt: one.keptAt };
}

/** Null where the device gives one of them no more: a browser holds a file by its place until it is read. */
async function filesOf(draft: Draft): Promise<KeptFile[] | null> {
  try {
    return await Promise.all(
      draft.files.map(async (file) => ({
        name: file.name,
        type: file.type,
        bytes: await file.arrayBuffer(),
      })),
    );
  } catch (failure) {
    if (!(failure instanceof DOMException)) throw failure;
    return null;
  }
}

function keptOf(draft: Draft, files: readonly KeptFile[]): Kept {
  const who = me.value;
  if (!who) throw new Error("expected somebody to be signed in");
  const nowMs = clock.now(performance.now()) ?? Date.now();
  const site = who.user.sites?.[0];
  return {
    id: draft.id,
    user: who.user.id,
    userName: who.user.name,
    sites: who.user.sites ?? [],
    caseId: draft.caseId,
    files,
    fields: { ...draft.fields, ...(site !== undefined && { site }) },
    keptAt: draft.triedAt ?? new Date(nowMs).toISOString(),
    upload: null,
    packed: null,
    refused: null,
    ...(draft.triedAt !== undefined && { tried: true }),
  };
}

/** As somebody entered it, to be put right. */
export const draftOf = (one: Kept): Draft => ({
  id: one.id,
  caseId: one.caseId,
  files: one.files.map((file) => new File([file.bytes], file.name, { type: file.type })),
  fields: one.fields,
});

export async function removeKept(id: string): Promise<void> {
  await browserStore.remove(id);
  await look();
}

/** A colleague of the same site sends what another left here. Gives how many could be taken. */
export async function takeOver(from: string): Promise<number> {
  const who = me.value?.user;
  if (!who) return 0;
  const mine = all.value.filter((one) => one.user === from && mayTakeOver(one, who.id, who.sites));
  for (const one of mine)
    await browserStore.put({ ...one, user: who.id, userName: who.name, upload: null, packed: null });
  await look();
  void sendNow();
  return mine.length;
}

/** Read what is kept; where the browser keeps nothing, nothing waits. */
export async function look(): Promise<void> {
  try {
    all.value = await browserStore.all();
  } catch (failure) {
    if (!(failure instanceof NotKept)) throw failure;
    all.value = [];
  }
  hintWaiting(all.value.length > 0);
}

let pause_ms = FIRST_PAUSE_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

let rounds: Promise<void> = Promise.resolve();

/** One round, after those that run. */
function sendNow(): Promise<void> {
  clearTimeout(timer);
  rounds = rounds.then(round, round);
  return rounds;
}

/** Without a session that the service itself has named, nothing goes out. */
async function round(): Promise<void> {
  if (waiting.value.length === 0) return;
  if (!confirmed.value) await loadMe().catch(() => undefined);
  const who = user.value;
  if (!confirmed.value || who === null) return tryLater();
  let stopped: number | null = null;
  await alone(async () => {
    sending.value = true;
    try {
      const done = await sendAll(who, browserStore, askService);
      stopped = done.stopped;
      if (done.sent.length > 0) {
        pause_ms = FIRST_PAUSE_MS;
        arrived.value = new Map([...arrived.value, ...done.sent.map(({ id, sent }) => [id, sent] as const)]);
      }
    } finally {
      sending.value = false;
    }
  });
  await look();
  // The session is over: the page asks for signing in, and what waits stays.
  if (stopped === 401) await loadMe().catch(() => undefined);
  if (waiting.value.length > 0) tryLater();
}

function tryLater(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void sendNow(), pause_ms);
  pause_ms = Math.min(LONGEST_PAUSE_MS, 2 * pause_ms);
  void askForSync();
}

/** Where the browser can, it sends even after the page was closed. */
async function askForSync(): Promise<void> {
  try {
    const registration = (await navigator.serviceWorker?.getRegistration("/")) as
      | SyncRegistration
      | undefined;
    await registration?.sync?.register(SYNC_TAG);
  } catch {
    // Not allowed, or not there: the page tries by itself.
  }
}

interface SyncRegistration extends ServiceWorkerRegistration {
  sync?: { register(tag: string): Promise<void> };
}

let started = false;

/** From now on: at once when the line is back, when somebody signs in, when the page is looked at; and now and then. */
export function startWaiting(): void {
  if (started) return;
  started = true;
  const hurry = (): void => {
    pause_ms = FIRST_PAUSE_MS;
    void sendNow();
  };
  void look().then(hurry);
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void look().then(hurry);
  });
  effect(() => {
    if (line.value.open && confirmed.value) queueMicrotask(hurry);
  });
  if (typeof BroadcastChannel !== "undefined") new BroadcastChannel(CHANNEL).onmessage = () => void look();
}
