/** What the tour shows to each role, step by step. Pure. */
import type { TourText } from "../textsTour";
import type { Role } from "../wire";
import type { Progress } from "./sample";

export interface Step {
  /** Which real part of the pages is shown with the sample. */
  view: "words" | "board" | "ecg" | "case" | "tasks" | "sound";
  says: TourText;
  /** What the reader may press to go on, by the name the button has for tests; every other press does nothing. */
  press?: string;
  does?: Partial<Progress>;
}

const WELCOME: Step = { view: "words", says: "welcome" };
const SOUND: Step = { view: "sound", says: "sound" };
const END: Step = { view: "words", says: "end" };

const ANSWERS: readonly Step[] = [
  { view: "board", says: "boardRow" },
  { view: "board", says: "boardAck", press: "ack", does: { acked: true } },
  { view: "ecg", says: "ecg" },
  { view: "case", says: "caseGreen", press: "open-green", does: { acked: true, green: true } },
  { view: "case", says: "caseOpen" },
];

const TASKS: readonly Step[] = [
  { view: "tasks", says: "tasksTold" },
  { view: "tasks", says: "tasksAccept", press: "task-accept-sample", does: { accepted: true } },
  { view: "tasks", says: "tasksDone", press: "task-done-sample", does: { accepted: true, done: true } },
];

const BY_ROLE: Partial<Record<Role, readonly Step[]>> = {
  cardiologist: [SOUND, ...ANSWERS],
  reader: [SOUND, ...ANSWERS],
  ed: [SOUND, ...ANSWERS, ...TASKS],
  clinic: [
    { view: "words", says: "clinicSend" },
    { view: "ecg", says: "clinicEcg" },
    { view: "case", says: "clinicCase" },
    SOUND,
    { view: "words", says: "clinicNobody" },
  ],
  cathlab: [SOUND, ...TASKS],
  ccu: [SOUND, ...TASKS],
  dispatch: [SOUND, ...TASKS],
  radiologist: TASKS,
  quality: [
    { view: "board", says: "boardRow" },
    { view: "case", says: "qualityCase" },
  ],
  admin: [
    { view: "board", says: "boardRow" },
    { view: "words", says: "adminPages" },
  ],
};

export const stepsOf = (role: Role): readonly Step[] => [WELCOME, ...(BY_ROLE[role] ?? []), END];

/** What has happened to the sample before a step: channels are open where tasks are shown. */
export function progressAt(steps: readonly Step[], index: number, begun: Progress): Progress {
  const before = Object.assign({}, begun, ...steps.slice(0, index).map((step) => step.does)) as Progress;
  return steps[index]?.view === "tasks" ? { ...before, green: true } : before;
}
