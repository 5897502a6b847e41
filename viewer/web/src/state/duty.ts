/** Going on duty: the board sounds, each channel brings a test, and what came of it. */
import { signal } from "@preact/signals";
import type { Me } from "../wire";
import type { ChannelHealth, DutyHealth } from "../wireDuty";
import { attempt } from "./acts";
import { get, Problem, post } from "./api";

export const LIVE = "live";
/** A shift may be begun this long before it. */
const AHEAD_MS = 3_600_000;
/** Who begins again within this time is sent no second test. */
const TEST_AGAIN_MS = 60_000;
/** For so long the outcome of a test is waited for on the screen. */
const WAIT_MS = 120_000;
const POLL_MS = 2000;

/** Of the person who is signed in; null until it was asked for. */
export const health = signal<DutyHealth | null>(null);

export type ChannelState = "no_address" | "waiting" | "works" | "failed" | "unknown";

const ms = (iso: string | null): number => (iso === null ? Number.NEGATIVE_INFINITY : Date.parse(iso));

/** What is known of a channel: of a test that has just gone out nothing is, whatever was known before. */
export function channelState(
  one: ChannelHealth,
  duty: DutyHealth["duty"],
  nowMs: number | null,
): ChannelState {
  if (!one.address) return "no_address";
  const heard = Math.max(ms(one.tested_at), ms(one.last_ok_at), ms(one.last_failed_at));
  const begun = duty === null ? null : Date.parse(duty.at);
  const fresh = begun !== null && nowMs !== null && nowMs - begun < WAIT_MS;
  if (fresh && one.channel !== LIVE && heard < begun - TEST_AGAIN_MS) return "waiting";
  if (one.works === null) return "unknown";
  return one.works ? "works" : "failed";
}

/** Does any test still wait for its outcome? */
export const pending = (known: DutyHealth | null, nowMs: number | null): boolean =>
  known?.channels.some((one) => channelState(one, known.duty, nowMs) === "waiting") ?? false;

/** The shift that may be begun now, if there is one; `from` alone where it is yet to come. */
export function shiftToBegin(
  who: Me | null | undefined,
  nowMs: number | null,
): { from: string; to: string | null; role: string | null } | null {
  if (!who) return null;
  if (who.on_duty && who.shift) return who.shift;
  const next = who.next_shift;
  if (next?.person !== who.user.id || nowMs === null || Date.parse(next.from) - nowMs > AHEAD_MS) return null;
  return { from: next.from, to: null, role: null };
}

/** Was the shift that began at `from` begun by its person? */
export const hasBegun = (known: DutyHealth | null, from: string): boolean =>
  known?.duty != null && Date.parse(known.duty.at) >= Date.parse(from) - AHEAD_MS;

/** What is known of this person, and not of who sat here before. */
export const ownHealth = (known: DutyHealth | null, who: Me | null | undefined): DutyHealth | null =>
  known !== null && known.person === who?.user.id ? known : null;

/** Only this person's; a refusal keeps what was known. */
export async function loadHealth(): Promise<void> {
  try {
    health.value = await get<DutyHealth>("/duty/channels");
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
  }
}

/** `sound`: the person heard the tone. Then what becomes of the tests is looked up until it is known. */
export async function startDuty(sound: boolean, nowMs: () => number | null): Promise<boolean> {
  const started = await attempt("duty", async () => {
    health.value = await post<DutyHealth>("/duty/start", { sound });
    return undefined;
  });
  if (started) void follow(nowMs);
  return started;
}

async function follow(nowMs: () => number | null): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (pending(health.value, nowMs()) && performance.now() < end) {
    await new Promise((done) => setTimeout(done, POLL_MS));
    await loadHealth();
  }
}
