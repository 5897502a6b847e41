/** Who sits in front of this page. */
import { batch, signal } from "@preact/signals";
import type { Demo, Me, Role } from "../wire";
import { call, get, Problem, post } from "./api";
import { observeServerTime } from "./clock";
import { go } from "./route";

/** Undefined: not asked yet. Null: nobody is signed in. */
export const me = signal<Me | null | undefined>(undefined);
/** Whether the service itself has said so since this page was opened, or this browser remembers it. */
export const confirmed = signal(false);
export const demo = signal<Demo>({ demo: false, users: [] });

/** Whose session ended by itself on this page: alerts are not heard here any more, and that is said until somebody signs in. */
export const ended = signal<Me | null>(null);

const store = typeof localStorage === "undefined" ? null : localStorage;
/** Who was here last, so that the page opens without a network. Nothing of a patient is in it. */
const KEPT = "me";
/** Somebody signed out while there was no network: the service is told as soon as there is. */
const LEAVING = "signOutOwed";

function take(answer: Me | null): void {
  if (answer) observeServerTime(answer.server_time);
  if (answer) store?.setItem(KEPT, JSON.stringify(answer));
  else store?.removeItem(KEPT);
  batch(() => {
    if (answer) ended.value = null;
    else if (me.value && confirmed.value) ended.value = me.value;
    me.value = answer;
    confirmed.value = answer !== null;
  });
}

/** How often somebody has signed in or out here: an answer from before says nothing of who is here now. */
let turns = 0;

/** Ask who is signed in. Only a 401 means nobody: a broken line keeps what was known. */
export async function loadMe(): Promise<void> {
  const turn = turns;
  try {
    if (store?.getItem(LEAVING)) await leave();
    const answer = await get<Me>("/me");
    if (turn === turns) take(answer);
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    if (turn !== turns) return;
    if (failure.status === 401) take(null);
    else if (me.value === undefined) throw failure;
  }
}

/** Before the service has answered: who was here last. False where that is not known, or they have left. */
export function remember(): boolean {
  const kept = store?.getItem(KEPT);
  if (!kept || store?.getItem(LEAVING)) return false;
  me.value = JSON.parse(kept) as Me;
  return true;
}

const AGAIN_MS = 60_000;

/** A shift begins and ends while the page is open; on another page of this browser somebody else may sign in. */
export function keepMe(): void {
  setInterval(() => {
    if (me.value) void loadMe();
  }, AGAIN_MS);
  addEventListener("storage", (event) => {
    const who = event.key === KEPT && event.newValue ? (JSON.parse(event.newValue) as Me).user.id : null;
    if (event.key !== KEPT || who === me.value?.user.id) return;
    confirmed.value = false;
    void loadMe();
  });
}

export async function loadDemo(): Promise<void> {
  demo.value = await get<Demo>("/demo");
}

export async function signIn(user: string, password: string): Promise<void> {
  if (store?.getItem(LEAVING)) await leave();
  const answer = await post<Me>("/session", { user, password });
  turns += 1;
  take(answer);
}

/** Whoever signs out does not wait for a thin line: what is owed is told later. */
const LEAVE_WITHIN_MS = 3000;

async function leave(wait_ms?: number): Promise<void> {
  try {
    await call("DELETE", "/session", {}, wait_ms);
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.status !== 401) throw failure;
  }
  store?.removeItem(LEAVING);
}

/** Without a network the page lets go at once, and the service is told later. */
export async function signOut(): Promise<void> {
  store?.setItem(LEAVING, "yes");
  try {
    await leave(LEAVE_WITHIN_MS);
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
  }
  turns += 1;
  // From the front page, so that the next person does not land where this one was.
  batch(() => {
    go("/", true);
    take(null);
    ended.value = null;
  });
}

/** Where a role begins: who has tasks and no alerts, with the tasks; who counts, with the numbers. */
export function homeOf(role: Role | undefined): "/" | "/clinic" | "/tasks" | "/quality" | "/imaging" {
  if (role === "radiologist") return "/imaging";
  if (role === "clinic") return "/clinic";
  if (role === "quality") return "/quality";
  return role === "cathlab" || role === "ccu" || role === "dispatch" ? "/tasks" : "/";
}

const DOCTORS: readonly Role[] = ["reader", "cardiologist"];
const CARE: readonly Role[] = [...DOCTORS, "cathlab", "ed", "ccu", "radiologist", "clinic", "dispatch"];
/** As the service's table of rights has it. */
const RIGHTS = {
  answer: [...DOCTORS, "ed"],
  openChannel: [...DOCTORS, "ed"],
  standDown: [...DOCTORS, "ed"],
  sign: DOCTORS,
  /** See the trace, and have it as a report. */
  waveform: [...CARE, "quality"],
  close: [...DOCTORS, "ed", "quality"],
  /** Whose look counts as "seen by the hospital". */
  opened: [...DOCTORS, "cathlab", "ed", "ccu", "radiologist"],
  send: [...DOCTORS, "clinic", "ed", "ccu"],
  adviceSeen: ["clinic"],
  /** Merge and split cases; a radiologist may move images alone. */
  join: [...DOCTORS, "quality"],
  moveImages: [...DOCTORS, "radiologist", "quality"],
  checkIdentity: [...DOCTORS, "ed", "clinic", "quality"],
  task: CARE,
  dutyOfOthers: ["admin", "quality"],
  giveShift: [...DOCTORS, "ed", "admin"],
  followups: [...CARE, "quality", "admin"],
  ambulanceEta: [...DOCTORS, "ed", "dispatch", "clinic"],
  /** Send what became of the patient to the clinic. */
  feedback: [...DOCTORS, "ccu", "ed"],
  feedbackSeen: ["clinic"],
  /** Who the patient is. */
  names: CARE,
  /** The images themselves. */
  images: [...DOCTORS, "cathlab", "ed", "ccu", "radiologist", "clinic"],
  imageWorklist: [...DOCTORS, "ed", "ccu", "radiologist", "clinic"],
  imageReport: [...CARE, "quality"],
  imageRead: ["radiologist"],
  /** Say that a study is read before all others. */
  imageStat: [...DOCTORS, "cathlab", "ed", "ccu", "radiologist", "clinic"],
  /** With another member of the network. */
  imageShare: [...DOCTORS, "cathlab", "ed", "ccu", "radiologist", "clinic"],
  imageSeen: [...DOCTORS, "clinic", "ed", "ccu", "cathlab"],
  deviceClocks: ["quality", "admin"],
  /** What detectors said in silence. */
  detectorResults: ["quality", "admin"],
  administer: ["admin"],
  /** Times without names: of the network, and a clinic of its own. */
  quality: ["quality", "admin", "clinic"],
} as const satisfies Record<string, readonly Role[]>;

/** What is offered; what is allowed, the service decides. */
export function may(right: keyof typeof RIGHTS, role: Role | undefined): boolean {
  return role !== undefined && (RIGHTS[right] as readonly Role[]).includes(role);
}
