/** Who sits in front of this page. */
import { batch, signal } from "@preact/signals";
import type { Demo, Me, Role } from "../wire";
import { call, get, Problem, post } from "./api";
import { observeServerTime } from "./clock";
import { go } from "./route";

/** Undefined: not asked yet. Null: nobody is signed in. */
export const me = signal<Me | null | undefined>(undefined);
export const demo = signal<Demo>({ demo: false, users: [] });

/** Ask who is signed in. Only a 401 means nobody: a broken line keeps what was known. */
export async function loadMe(): Promise<void> {
  try {
    const answer = await get<Me>("/me");
    observeServerTime(answer.server_time);
    me.value = answer;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    if (failure.status === 401) me.value = null;
    else if (me.value === undefined) throw failure;
  }
}

const AGAIN_MS = 60_000;

/** A shift begins and ends while the page is open. */
export function keepMe(): void {
  setInterval(() => {
    if (me.value) void loadMe();
  }, AGAIN_MS);
}

export async function loadDemo(): Promise<void> {
  demo.value = await get<Demo>("/demo");
}

export async function signIn(user: string, password: string): Promise<void> {
  const answer = await post<Me>("/session", { user, password });
  observeServerTime(answer.server_time);
  me.value = answer;
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/session");
  // From the front page, so that the next person does not land where this one was.
  batch(() => {
    go("/", true);
    me.value = null;
  });
}

/** Where a role begins: who has tasks and no alerts, with the tasks. */
export function homeOf(role: Role | undefined): "/" | "/clinic" | "/tasks" {
  if (role === "clinic") return "/clinic";
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
  close: [...DOCTORS, "ed", "quality"],
  /** Whose look counts as "seen by the hospital". */
  opened: [...DOCTORS, "cathlab", "ed", "ccu", "radiologist"],
  send: [...DOCTORS, "clinic", "ed", "ccu"],
  adviceSeen: ["clinic"],
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
  deviceClocks: ["quality", "admin"],
  administer: ["admin"],
} as const satisfies Record<string, readonly Role[]>;

/** What is offered; what is allowed, the service decides. */
export function may(right: keyof typeof RIGHTS, role: Role | undefined): boolean {
  return role !== undefined && (RIGHTS[right] as readonly Role[]).includes(role);
}
