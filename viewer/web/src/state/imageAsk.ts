/** Images are asked for, shared and sent on: each act is one call. And how objects on their way are counted, pure. */
import { signal } from "@preact/signals";
import type { ForwardedObject, ForwardState, ImageOrder } from "../wireImageAsk";
import { attempt } from "./acts";
import { post } from "./api";

const at = encodeURIComponent;

/** Counts on with each act here: whoever shows requests reads them again. */
export const asked = signal(0);

/** Gives the answer, or null where it was refused (and the refusal is shown). */
async function answered<T>(name: string, run: () => Promise<T>): Promise<T | null> {
  let got: T | null = null;
  const done = await attempt(name, async () => {
    got = await run();
    return undefined;
  });
  if (done) asked.value += 1;
  return done ? got : null;
}

export interface Wish {
  case_id: string;
  patient_ref: string;
  modality: string;
  body_part: string | null;
  reason: string | null;
  priority: string;
}
export const orderImages = (wish: Wish) =>
  answered(`order ${wish.case_id}`, () => post<ImageOrder>("/imaging/orders", wish));
export const cancelOrder = (accession: string, note: string) =>
  answered(`cancel ${accession}`, () => post<undefined>(`/imaging/orders/${at(accession)}/cancel`, { note }));
export const sendAgain = (destination: string) =>
  answered(`again ${destination}`, () =>
    post<{ objects: number }>(`/imaging/forwards/${at(destination)}/again`, {}),
  );

export interface Gone {
  destination: string;
  counts: Record<ForwardState, number>;
  /** Of what was not taken: the newest reason, the most tries, and the soonest next one. */
  reason: string | null;
  attempts: number;
  next_at: string | null;
  /** What the other side said of what it took last. */
  receipt: string | null;
}

/** Objects by destination. */
export function byDestination(objects: readonly ForwardedObject[]): Gone[] {
  const found = new Map<string, Gone>();
  for (const one of objects) {
    const gone = found.get(one.destination) ?? {
      destination: one.destination,
      counts: { waiting: 0, sent: 0, refused: 0 },
      reason: null,
      attempts: 0,
      next_at: null,
      receipt: null,
    };
    gone.counts[one.state] += 1;
    gone.reason = one.reason ?? gone.reason; // also of what was taken: that it lies there under another patient
    if (one.state === "sent") gone.receipt = one.receipt ?? gone.receipt;
    else {
      gone.attempts = Math.max(gone.attempts, one.attempts);
      if (one.next_at !== null && (gone.next_at === null || one.next_at < gone.next_at))
        gone.next_at = one.next_at;
    }
    found.set(one.destination, gone);
  }
  return [...found.values()];
}
